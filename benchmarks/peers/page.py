"""docs/comparison.md, whole, of one run. Pure: a comparison in, text out."""

from collections import Counter
from collections.abc import Sequence
from textwrap import fill

from benchmarks.figures import number, spread
from benchmarks.machine import Machine
from benchmarks.peers.comparison import FAIRLEAD, Comparison, Measure
from benchmarks.peers.verdicts import Verdict
from benchmarks.spread import Spread
from generator.markdown import table

_WIDTH = 140
_NONE = "-"
_HEAD = """<!-- Made by `make bench ARGS=peers`; run it again to change it. -->

# Comparison

The same jobs through Fairlead and through what people would use instead. Each has a Slurm cluster of its own, all of one kind, and
reaches it over SSH as an ordinary user. Every figure on this page was measured by one run of one command, on one machine that carries all
parts: so believe the ratios before the times.
"""
_WITH_FAULTS = """\
Each fault was played once against each contender, on a cluster that was calm before. How often a job ran is what its own script has
written into a file on the cluster, and not what anybody says of it. In bold is what a user would not want: a job that ran more often than
once or not at all, or that was told as something it was not. To refuse a host key that has changed is right, whether the job is run later
or given up."""
_MEASURED = """\
The time to the id runs from the asking, by a client that has been started already, until the client knows Slurm's id; the time to the
end from the last line of the script until the client tells that it has ended. Logins and sessions are those that sshd has logged from the
start of the client until three seconds after the end was told; processes are all that sshd and what is below it have started meanwhile,
sshd's own among them, as the kernel tells. The jobs of a second were run one after the other, in turns; those of {long} s side by side,
one of each contender. Only Fairlead removes by itself what a job has left behind there, when its object is deleted; the last row is of all
Jobs of these rounds, deleted together."""
_LEFT_OUT = (
    "How they do with hundreds of jobs at once, over a slow link, or beside other users of the login node.",
    ("What else each is for. AiiDA keeps the provenance of all data, Flyte runs workflows with typed inputs, caches and retries; who needs "
     "that finds none of it in Fairlead. Fairlead needs a Kubernetes API server, and the others do not; what that server costs is not in "
     "the figures."),
    "What happens with settings other than those in the table above, and with versions other than those.",
    "How each behaves when accounting is off: these clusters have slurmdbd.",
    "What it is like to use them.",
)


def page(comparison: Comparison, machine: Machine, long_seconds: int) -> str:
    """All of it."""
    parts = [
        _HEAD.rstrip("\n"),
        "## What was run",
        fill(f"`make bench ARGS=peers`, {machine.date}, {comparison.rounds} rounds. {machine.says}. {comparison.slurm}.", _WIDTH),
        table(("Contender", "Version", "How"), ((each.name, each.version, each.how) for each in comparison.contenders)).rstrip("\n"),
        _items(comparison.absent),
        "## Time and load",
        _MEASURED.format(long=long_seconds),
        _measures(comparison).rstrip("\n"),
        "A cell holds the median of the rounds, and in brackets the least and the most, where they differ. Less is better in every row.",
        "## Faults",
        _WITH_FAULTS,
        _faults(comparison).rstrip("\n"),
        "## Where a peer is better",
        _items(better(comparison)) or "In none of the rows above.",
        "## What this does not measure",
        _items(_LEFT_OUT),
    ]
    return "\n\n".join(part for part in parts if part) + "\n"


def better(comparison: Comparison) -> list[str]:
    """A sentence for each row in which a contender is better than Fairlead."""
    return [*(_better(measure) for measure in comparison.measures if measure.better()),
            *(f"{kind}: {' and '.join(names)} did right each time, and Fairlead did not." for kind, names in comparison.only_peers())]


def _better(measure: Measure) -> str:
    mine = Spread.of(measure.values[FAIRLEAD]).median
    others = ", ".join(f"{name} {_amount(found.median, measure.unit)}" for name, found in measure.better().items())
    return f"{measure.what}: {others}; Fairlead {_amount(mine, measure.unit)}."


def _measures(comparison: Comparison) -> str:
    names = [each.name for each in comparison.contenders]
    rows = ([measure.what, *(_figure(measure, name) for name in names)] for measure in comparison.measures)
    return table(("Measure", *names), rows)


def _figure(measure: Measure, name: str) -> str:
    values = measure.values.get(name)
    if not values:
        return _NONE
    found = Spread.of(values)
    return _amount(found.median, measure.unit) if found.least == found.most else " ".join(spread(found, measure.unit).split())


def _faults(comparison: Comparison) -> str:
    names = [each.name for each in comparison.contenders if any(each.name in row for row in comparison.verdicts.values())]
    rows = ([kind.value, *(verdicts(row.get(name, ())) for name in names)] for kind, row in comparison.verdicts.items())
    return table(("Fault", *names), rows)


def verdicts(found: Sequence[Verdict]) -> str:
    """One cell: whether it was right and what happened; what happened more than once is told once, with how often."""
    counted = Counter(f"{_MARKS[each.right]}: {each.words}" for each in found)
    return "; ".join(words if len(found) == 1 else f"{count} of {len(found)} {words}" for words, count in counted.items()) or _NONE


_MARKS = {True: "right", False: "**wrong**", None: "not known"}


def _amount(value: float, unit: str) -> str:
    return f"{number(value)} {unit}".rstrip()


def _items(texts: Sequence[str]) -> str:
    return "\n".join(fill(text, _WIDTH, initial_indent="- ", subsequent_indent="  ", break_long_words=False, break_on_hyphens=False)
                     for text in texts)
