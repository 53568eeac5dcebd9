"""Sbatch's options: which there are, which take a value, and how a few words are read as options the way getopt_long does.

The table is the union of Slurm 20.11, 22.05, 24.11 and 26.05 (https://slurm.schedmd.com/sbatch.html), of which no two give a name or a
letter different meanings. Options that a site's plugins add to sbatch are not in it.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import Enum
from types import MappingProxyType


class Takes(Enum):
    """What an option takes. An OPTIONAL value must hang on the option: `--nice=10`, never `--nice 10`."""

    NOTHING = "nothing"
    OPTIONAL = "optional"
    VALUE = "value"


_WORDS = {
    Takes.VALUE: """
        account:A acctg-freq array:a batch bb bbf begin:b chdir:D cluster cluster-constraint clusters:M comment constraint:C container
        container-id container-type context core-spec:S cores-per-socket cpu-freq cpus-per-gpu cpus-per-task:c deadline delay-boot
        dependency:d distribution:m error:e exclude:x export export-file extra extra-node-info:B gid gpu-bind gpu-freq gpus:G gpus-per-node
        gpus-per-socket gpus-per-task gres gres-flags hint input:i job-name:J kill-on-invalid-dep licenses:L mail-type mail-user mcs-label
        mem mem-bind mem-per-cpu mem-per-gpu mem-update mincpus network nodefile:F nodelist:w nodes:N ntasks:n ntasks-per-core
        ntasks-per-gpu ntasks-per-node ntasks-per-socket ntasks-per-tres open-mode output:o partition:p power prefer priority profile qos:q
        reservation resources segment signal
    sockets-per-node switches tasks-per-node thread-spec threads-per-core time:t time-min tmp
        tres-bind tres-per-task uid wait-all-nodes wckey wrap
    """,
    Takes.OPTIONAL: "exclusive get-user-env nice no-kill:k oom-kill-step propagate requeue resv-ports",
    Takes.NOTHING: """
        consolidate-segments contiguous help:h hold:H ignore-pbs no-requeue overcommit:O oversubscribe:s parsable quiet:Q reboot spread-job
        spread-segments stepmgr test-only usage use-min-nodes verbose:v version:V wait:W
    """,
}

NAMES: Mapping[str, Takes] = MappingProxyType({
    word.partition(":")[0]: takes for takes, words in _WORDS.items() for word in words.split()
})
"""What each option takes, by its long name."""

LETTERS: Mapping[str, str] = MappingProxyType({
    word.partition(":")[2]: word.partition(":")[0] for words in _WORDS.values() for word in words.split() if ":" in word
})
"""The long name of each one-letter option."""

_NUMBERED = frozenset("""
    core-spec cores-per-socket cpu-freq cpus-per-gpu cpus-per-task delay-boot extra-node-info gpus gpus-per-node gpus-per-socket
    gpus-per-task gres licenses mem mem-per-cpu mem-per-gpu mincpus nice nodes ntasks ntasks-per-core ntasks-per-gpu ntasks-per-node
    ntasks-per-socket ntasks-per-tres priority segment signal sockets-per-node switches tasks-per-node thread-spec threads-per-core
    time time-min tmp tres-per-task
""".split())   # noqa: SIM905  # a list of words
_MAY_BE_EMPTY = frozenset({"exclude"})   # as scripts have it that are filled in by others
_MOST_DIGITS = 15                        # a second's share of them fits into 64 bits, as does KiB in bytes
_TOO_MANY_DIGITS = re.compile(f"[0-9]{{{_MOST_DIGITS + 1}}}")


@dataclass(frozen=True, slots=True)
class Option:
    """One option by its long name. `value` is None where none was given."""

    name: str
    value: str | None = None

    def __str__(self) -> str:
        return f"--{self.name}" if self.value is None else f"--{self.name}={self.value}"


def read(words: Sequence[str]) -> tuple[Option, ...]:
    """Read words as sbatch would: `-t10`, `-t 10`, `--time=10`, `--time 10`, `-Hk`.

    Raises:
        ValueError: a word is no option, is an abbreviation, lacks its value or has one too many; the message says what to write.
    """
    rest = iter(words)
    return tuple(option for word in rest for option in (_long(word, rest) if word.startswith("--") else _letters(word, rest)))


def fault(option: Option) -> str | None:
    """Say what is wrong with an option and its value; None if nothing is, or if it may be one of a site's plugins."""
    takes = NAMES.get(option.name)
    if takes is None:
        return _abbreviation(option.name)
    if takes is Takes.VALUE and not option.value and not (option.value == "" and option.name in _MAY_BE_EMPTY):
        return f"--{option.name} needs a value"
    if takes is Takes.NOTHING and option.value:
        return f"--{option.name} takes no value"
    if option.name in _NUMBERED and _TOO_MANY_DIGITS.search(option.value or ""):
        return f"--{option.name} holds a number of more than {_MOST_DIGITS} digits: write the number that you mean"
    return None


def _long(word: str, rest: Iterator[str]) -> Iterator[Option]:
    name, equals, value = word[2:].partition("=")
    takes = NAMES.get(name)
    if takes is None:
        raise ValueError(_abbreviation(name) or _unknown(word))
    option = Option(name, value if equals else next(rest, None) if takes is Takes.VALUE else None)
    if problem := fault(option):
        raise ValueError(problem)
    yield option


def _letters(word: str, rest: Iterator[str]) -> Iterator[Option]:
    if len(word) < 2 or word[0] != "-":
        raise ValueError(f"{word!r} is no option: put a value that holds blanks into quotes")
    for place, letter in enumerate(word[1:], start=2):
        name = LETTERS.get(letter)
        if name is None:
            raise ValueError(_unknown(f"-{letter}"))
        attached = word[place:]
        if NAMES[name] is Takes.NOTHING:
            yield Option(name)
            continue
        option = Option(name, attached or (next(rest, None) if NAMES[name] is Takes.VALUE else None))
        if problem := fault(option):
            raise ValueError(problem)
        yield option
        return


def _abbreviation(name: str) -> str | None:
    """Say what `name` is short for; getopt_long would take it for that option, where it is the only one."""
    full = [f"--{known}" for known in NAMES if name and known.startswith(name)]
    return f"--{name} is an abbreviation: write {' or '.join(full)}" if full else None


def _unknown(word: str) -> str:
    return f"sbatch has no option {word}; one that a plugin adds at this site goes into spec.extraOptions"
