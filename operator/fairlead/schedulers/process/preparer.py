"""From a Job's spec to what one attempt needs on a bare host: slots, GPUs and a time limit.

A Job speaks Slurm's words, in its fields and its `#SBATCH` lines. A bare host understands few of them; the others are refused, since a
wish that is dropped in silence is a Job that runs as nobody asked.
"""

from collections.abc import Sequence
from typing import Final

from fairlead.api.v1alpha1.cluster import ProcessHost
from fairlead.api.v1alpha1.time_limit import time_limit_seconds
from fairlead.domain.errors import UserFault
from fairlead.domain.job import Job
from fairlead.domain.placement import Size
from fairlead.domain.run import Submission
from fairlead.schedulers.slurm import directives, options

_ONE: Final = frozenset({"nodes", "ntasks-per-node", "tasks-per-node"})
"""Options of which a bare host has one, and needs not be told."""
_COUNTS: Final = frozenset({"ntasks", "cpus-per-task", "gpus", *_ONE})


class ProcessPreparer:
    """The seam's `Preparer` for bare hosts: for the one that was `chosen` of them, or to choose one by what an attempt takes."""

    def __init__(self, hosts: Sequence[ProcessHost], chosen: ProcessHost | None = None) -> None:
        self._hosts = hosts
        self._possible = (chosen,) if chosen else hosts

    def prepare(self, job: Job, script: str | None) -> Submission:
        """The submission of `job`'s current key: its options are slots, GPUs and seconds (0: no limit).

        Raises `UserFault` for what a bare host does not know, and for more than any of the hosts has.
        """
        spec = job.spec
        wanted = options.build(spec, options.Defaults(), directives.parse(script) if script is not None else ())
        if script is None:
            body, arguments = options.script_of_command(spec.command, spec.args)
        else:
            body, arguments = script.encode(), ()
        size, seconds = self._asked(wanted.argv)
        return Submission(
            job.key, job.owner, body, (str(size.slots), str(size.gpus), str(seconds)), {each.name: each.value for each in spec.env},
            wanted.working_dir, wanted.stdout_path, wanted.stderr_path, spec.login_shell, arguments, priority=spec.priority, size=size,
        )

    def _asked(self, argv: tuple[str, ...]) -> tuple[Size, int]:
        counts, seconds = {"ntasks": 1, "cpus-per-task": 1, "gpus": 0}, 0
        for option in argv:
            name, _, value = option.removeprefix("--").partition("=")
            if name == "gres" and value.startswith("gpu:") and value.count(":") == 1:
                name, value = "gpus", value.removeprefix("gpu:")
            if name == "time":
                seconds = _seconds(value)
            elif name not in _COUNTS:
                raise UserFault(f"a Cluster of type Process is a bare host, which has no {name}: take it out of the Job")
            elif not (value.isascii() and value.isdecimal()):
                raise UserFault(f"{name} is a number on a Cluster of type Process, not {value!r}")
            elif name in _ONE and int(value) != 1:
                raise UserFault(f"a Cluster of type Process is one host, so {name} is 1 there, not {value}")
            else:
                counts[name] = int(value)
        size = Size(counts["ntasks"] * counts["cpus-per-task"], counts["gpus"])
        if not any(Size(host.slots, host.gpus).holds(size) for host in self._possible):
            there = ", ".join(f"{host.name} {host.slots} and {host.gpus}" for host in self._hosts)
            raise UserFault(f"the Job asks for {size.slots} slots (ntasks times cpusPerTask) and {size.gpus} GPUs, which no host of the "
                            f"Cluster has ({there})")
        return size, seconds


def _seconds(text: str) -> int:
    if text.isascii() and text.isdecimal():   # of a `#SBATCH` line: minutes
        return int(text) * 60
    try:
        return time_limit_seconds(text)
    except ValueError as error:
        raise UserFault(f"the time limit {text!r} cannot be read: {error}") from error
