"""From a Job's spec to what one attempt needs on a bare host: slots, GPUs and a time limit.

A Job speaks Slurm's words, in its fields and its `#SBATCH` lines. A bare host understands few of them; the others are refused, since a
wish that is dropped in silence is a Job that runs as nobody asked.
"""

from typing import Final

from fairlead.api.v1alpha1.cluster import ProcessHost
from fairlead.api.v1alpha1.time_limit import time_limit_seconds
from fairlead.domain.errors import UserFault
from fairlead.domain.job import Job
from fairlead.domain.run import Submission
from fairlead.schedulers.slurm import directives, options

_ONE: Final = frozenset({"nodes", "ntasks-per-node", "tasks-per-node"})
"""Options of which a bare host has one, and needs not be told."""
_COUNTS: Final = frozenset({"ntasks", "cpus-per-task", "gpus", *_ONE})


class ProcessPreparer:
    """The seam's `Preparer` for one bare host."""

    def __init__(self, host: ProcessHost) -> None:
        self._host = host

    def prepare(self, job: Job, script: str | None) -> Submission:
        """The submission of `job`'s current key: its options are slots, GPUs and seconds (0: no limit).

        Raises `UserFault` for what a bare host does not know, and for more than it has.
        """
        spec = job.spec
        wanted = options.build(spec, options.Defaults(), directives.parse(script) if script is not None else ())
        if script is None:
            body, arguments = options.script_of_command(spec.command, spec.args)
        else:
            body, arguments = script.encode(), ()
        return Submission(
            job.key, job.owner, body, self._asked(wanted.argv), {each.name: each.value for each in spec.env}, wanted.working_dir,
            wanted.stdout_path, wanted.stderr_path, spec.login_shell, arguments,
        )

    def _asked(self, argv: tuple[str, ...]) -> tuple[str, str, str]:
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
        slots, gpus = counts["ntasks"] * counts["cpus-per-task"], counts["gpus"]
        for what, asked, there in (("slots", slots, self._host.slots), ("GPUs", gpus, self._host.gpus)):
            if asked > there:
                raise UserFault(f"the Job asks for {asked} {what} (ntasks times cpusPerTask, or gpus), and the Cluster's host has {there}")
        return str(slots), str(gpus), str(seconds)


def _seconds(text: str) -> int:
    if text.isascii() and text.isdecimal():   # of a `#SBATCH` line: minutes
        return int(text) * 60
    try:
        return time_limit_seconds(text)
    except ValueError as error:
        raise UserFault(f"the time limit {text!r} cannot be read: {error}") from error
