"""One attempt's options: what a spec says, its script's `#SBATCH` lines and its Cluster's defaults made into sbatch's command line.

A field of the spec wins over extraOptions, and those over a `#SBATCH` line, as sbatch's command line does; defaults fill what none of them
says.
"""

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType

from fairlead.api.v1alpha1 import owned_options
from fairlead.api.v1alpha1.memory import memory_mib
from fairlead.api.v1alpha1.texts import PATH_CHARACTERS
from fairlead.api.v1alpha1.time_limit import slurm_time
from fairlead.domain.errors import UserFault
from fairlead.domain.run.request import Resources, RunRequest
from fairlead.schedulers.sbatch import vocabulary
from fairlead.schedulers.sbatch.directives import Directive
from fairlead.schedulers.sbatch.vocabulary import Option

_FIELDS: Mapping[str, Callable[[Resources], str | None]] = MappingProxyType({
    "partition": lambda spec: spec.partition,
    "account": lambda spec: spec.account,
    "qos": lambda spec: spec.qos,
    "nodes": lambda spec: _number(spec.nodes),
    "ntasks": lambda spec: _number(spec.ntasks),
    "ntasks-per-node": lambda spec: _number(spec.ntasks_per_node),
    "cpus-per-task": lambda spec: _number(spec.cpus_per_task),
    "mem": lambda spec: None if spec.memory is None else f"{memory_mib(spec.memory)}M",
    "gpus": lambda spec: _number(spec.gpus),
    "gres": lambda spec: spec.gres,
    "constraint": lambda spec: spec.constraint,
    "exclusive": lambda spec: "" if spec.exclusive else None,
    "time": lambda spec: None if spec.time_limit is None else slurm_time(spec.time_limit),
})
"""The value of the sbatch option that each field of the spec becomes; None: the field is not set; empty: a flag."""

_RIVALS = (                              # saying one of these anew takes back the others
    frozenset({"mem", "mem-per-cpu", "mem-per-gpu"}),
    frozenset({"exclusive", "oversubscribe"}),
    frozenset({"cpus-per-task", "cpus-per-gpu"}),
    frozenset({"ntasks-per-node", "tasks-per-node"}),
)

_OTHER_PATTERN = re.compile(r"%(?![0-9]{0,2}[jJAa]|[xuN%])|%$")
_CONTROL = re.compile(r"[\x00-\x1f\x7f]")


@dataclass(frozen=True, slots=True)
class Defaults:
    """What the Cluster's spec says for Jobs that do not; empty: nothing."""

    partition: str = ""
    account: str = ""


@dataclass(frozen=True, slots=True)
class JobOptions:
    """What sbatch is told of the user's wishes, and what the wrapper does in sbatch's place. The paths are empty where nothing was said."""

    argv: tuple[str, ...]
    working_dir: str = ""
    stdout_path: str = ""
    stderr_path: str = ""
    job_name: str = ""                   # the script's own


def build(spec: Resources, defaults: Defaults, directives: Sequence[Directive]) -> JobOptions:
    """Make the options of a Job whose script holds `directives`.

    Raises:
        UserFault: an option is refused; the message says which, where it stands, why, and what to write.
    """
    fields = tuple(_fields(spec))
    extra = tuple(_extra(spec.extra_options))
    script = tuple(option for directive in directives for option in _read(directive))
    taken = _displaced(fields) | _displaced(extra)
    passed = (*(option for option in script if option.name not in taken and not _mapped(option)), *extra, *fields)
    said = {option.name for option in passed}
    wanted = (("partition", defaults.partition), ("account", defaults.account))
    filled = (Option(name, value) for name, value in wanted if value and name not in said)
    own = {option.name: option.value or "" for option in script}
    folder, output, error = _paths(spec, own)
    return JobOptions(tuple(str(option) for option in (*filled, *passed)), folder, output, error, own.get("job-name", ""))


def script_of(request: RunRequest) -> tuple[bytes, tuple[str, ...]]:
    """Give the script that a request runs, and its arguments."""
    if request.script is None:
        return script_of_command(request.command, request.args)
    return request.script.encode(), ()


def script_of_command(command: Sequence[str], args: Sequence[str]) -> tuple[bytes, tuple[str, ...]]:
    """Make the script that runs a command, and the arguments to give it: the command's words never become shell code."""
    return b'#!/bin/sh\nexec "$@"\n', (*command, *args)


def _fields(spec: Resources) -> Iterator[Option]:
    try:
        for name, value_of in _FIELDS.items():
            value = value_of(spec)
            if value is not None:
                yield Option(name, value or None)
    except ValueError as error:
        raise UserFault(f"spec: {error}") from error


def _extra(options: Mapping[str, str]) -> Iterator[Option]:
    for name, value in options.items():
        option = Option(name, value or None)
        owned = owned_options.BY_NAME.get(name)
        if owned is not None:
            raise UserFault(owned.sentence)
        if _CONTROL.search(name + value) or not re.fullmatch(r"[a-z][a-z0-9-]+", name):
            raise UserFault(f"extraOptions: {name!r} is no long option with a value on one line: write its name without the dashes")
        if problem := vocabulary.fault(option):
            raise UserFault(f"extraOptions: {problem}")
        yield option


def _read(directive: Directive) -> Iterator[Option]:
    """Read the options of one line; those that Fairlead neither passes on nor maps are refused."""
    try:
        options = vocabulary.read(directive.words)
    except ValueError as error:
        raise directive.fault(str(error)) from error
    for option in options:
        owned = owned_options.BY_NAME.get(option.name)
        if owned is not None and owned.directive is owned_options.Treatment.REFUSED:
            if owned.asks_for_nothing(option.value or ""):
                continue
            raise directive.fault(f"--{option.name} is refused: {owned.because}")
        if problem := _path_fault(option):
            raise directive.fault(f"--{option.name} {problem}")
        yield option


def _path_fault(option: Option) -> str | None:
    """Say what is wrong with a value that becomes a path, as the CRD does for the fields of the spec."""
    value = option.value or ""
    if _mapped(option) and _CONTROL.search(value):
        return "may not hold control characters"
    if option.name == "chdir" and value.startswith("~") and not value.startswith("~/") and value != "~":
        return "may begin with ~/ for the user's own home, not with another user's"
    if option.name in {"output", "error"} and (_OTHER_PATTERN.search(value.replace("%%", "")) or value.endswith("/")):
        return "is a file's path with no % patterns but %j %J %A %a %x %u %N %%"
    return None


def _mapped(option: Option) -> bool:
    owned = owned_options.BY_NAME.get(option.name)
    return owned is not None and owned.directive is owned_options.Treatment.MAPPED


def _displaced(options: Sequence[Option]) -> frozenset[str]:
    """Names that a `#SBATCH` line has no say on, once these options are given: their own, and their rivals'."""
    names = frozenset(option.name for option in options)
    return names.union(*(rivals for rivals in _RIVALS if rivals & names))


def _paths(spec: Resources, script: Mapping[str, str]) -> tuple[str, str, str]:
    """Give folder, output and error file: the spec's, else the script's; in its own paths, %x is the name that the script gives itself.

    Raises `UserFault` for a path that is longer than any can be.
    """
    folder = script.get("chdir", "")
    if folder and not folder.startswith(("/", "~")):
        folder = f"~/{folder}"           # sbatch counts from where it is called, and Fairlead calls it in the user's home
    name = script.get("job-name", "").replace("%", "%%")
    output, error = (_named(script.get(option, ""), name) for option in ("output", "error"))
    for option, path in (("output", output), ("error", error)):
        if len(path) > PATH_CHARACTERS:
            raise UserFault(f"the path in --{option}, with the script's name in the place of %x, is longer than {PATH_CHARACTERS} "
                            "characters: write a shorter one")
    return spec.working_dir or folder, spec.stdout_path or output, spec.stderr_path or error


def _named(path: str, name: str) -> str:
    return "".join(name if part == "%x" and name else part for part in re.split("(%.)", path))


def _number(value: int | None) -> str | None:
    return None if value is None else str(value)
