"""From a request to what one attempt needs on a bare host: slots, GPUs and a time limit.

A Job speaks Slurm's words, in its fields and its `#SBATCH` lines. A bare host understands few of them; the others are refused, since a
wish that is dropped in silence is a Job that runs as nobody asked.
"""

import re
from collections.abc import Sequence
from typing import Final

from fairlead.api.v1alpha1.cluster import ProcessHost
from fairlead.api.v1alpha1.texts import clean
from fairlead.api.v1alpha1.time_limit import MOST_SECONDS, TOO_LONG, time_limit_seconds
from fairlead.domain.errors import UserFault
from fairlead.domain.run.request import RunRequest, Size, Submission
from fairlead.schedulers.sbatch import directives, options

_ONE: Final = frozenset({"nodes", "ntasks-per-node", "tasks-per-node"})
"""Options of which a bare host has one, and needs not be told."""
_COUNTS: Final = frozenset({"ntasks", "cpus-per-task", "gpus", *_ONE})
_COUNT_DIGITS: Final = 9
_COUNT: Final = re.compile(f"[0-9]{{1,{_COUNT_DIGITS}}}")
_SHOWN_CHARACTERS: Final = 40            # of what stands in the place of a number


class ProcessPreparer:
    """The seam's `Preparer` for bare hosts: for the one that was `chosen` of them, or to choose one by what an attempt takes."""

    def __init__(self, hosts: Sequence[ProcessHost], chosen: ProcessHost | None = None) -> None:
        self._hosts = hosts
        self._possible = (chosen,) if chosen else hosts

    def prepare(self, request: RunRequest) -> Submission:
        """The submission of the requested key: its options are slots, GPUs and seconds (0: no limit).

        Raises `UserFault` for what a bare host does not know, and for more than any of the hosts has.
        """
        wanted = options.build(request.resources, options.Defaults(), directives.of(request.script))
        body, arguments = options.script_of(request)
        size, seconds = self._asked(wanted.argv)
        return Submission(
            request.key, request.owner, body, (str(size.slots), str(size.gpus), str(seconds)), request.env, wanted.working_dir,
            wanted.stdout_path, wanted.stderr_path, request.login_shell, arguments, priority=request.priority, size=size,
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
            else:
                counts[name] = _count(name, value)
        size = Size(counts["ntasks"] * counts["cpus-per-task"], counts["gpus"])
        if not any(Size(host.slots, host.gpus).holds(size) for host in self._possible):
            there = ", ".join(f"{host.name} {host.slots} and {host.gpus}" for host in self._hosts)
            raise UserFault(f"the Job asks for {size.slots} slots (ntasks times cpusPerTask) and {size.gpus} GPUs, which no host of the "
                            f"Cluster has ({there})")
        return size, seconds


def _count(name: str, text: str) -> int:
    if _COUNT.fullmatch(text) is None:
        raise UserFault(f"{name} is a number of at most {_COUNT_DIGITS} digits on a Cluster of type Process, not {_shown(text)!r}")
    count = int(text)
    if name in _ONE and count != 1:
        raise UserFault(f"a Cluster of type Process is one host, so {name} is 1 there, not {count}")
    if not count and name != "gpus":
        raise UserFault(f"{name} is 1 or more on a Cluster of type Process, not 0")
    return count


def _seconds(text: str) -> int:
    if _COUNT.fullmatch(text):                             # of a `#SBATCH` line: minutes
        if int(text) > MOST_SECONDS // 60:
            raise UserFault(f"--time={text}: {TOO_LONG}")
        return int(text) * 60
    try:
        return time_limit_seconds(text)
    except ValueError as error:
        raise UserFault(f"the time limit {_shown(text)!r} cannot be read: {error}") from error


def _shown(text: str) -> str:
    return clean(text, _SHOWN_CHARACTERS)
