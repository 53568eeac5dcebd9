"""What a run came to, as data: contenders, measures, verdicts. Pure."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from benchmarks.peers.verdicts import Kind, Verdict
from benchmarks.spread import Spread

FAIRLEAD = "Fairlead"


@dataclass(frozen=True, slots=True)
class Contender:
    """Who took part: its name in the tables, its version, and how it was set up."""

    name: str
    version: str
    how: str


@dataclass(frozen=True, slots=True)
class Measure:
    """A row of figures, of which less is better: a value of each round, by contender. Who is not in it was not measured."""

    what: str
    unit: str
    values: Mapping[str, Sequence[float]]

    def better(self) -> dict[str, Spread]:
        """Who has a lower median than Fairlead, the best first."""
        mine = self.values.get(FAIRLEAD)
        if not mine:
            return {}
        others = {name: Spread.of(values) for name, values in self.values.items() if name != FAIRLEAD}
        found = {name: spread for name, spread in others.items() if spread.median < Spread.of(mine).median}
        return dict(sorted(found.items(), key=lambda each: each[1].median))


@dataclass(frozen=True, slots=True)
class Comparison:
    """A whole run. `absent` holds a sentence for each peer that could not take part."""

    contenders: Sequence[Contender]
    absent: Sequence[str]
    slurm: str
    rounds: int
    measures: Sequence[Measure]
    verdicts: Mapping[Kind, Mapping[str, Sequence[Verdict]]]

    def only_peers(self) -> list[tuple[Kind, list[str]]]:
        """The faults in which Fairlead was not right each time, with the peers that were."""
        found = []
        for kind, by_name in self.verdicts.items():
            right = [name for name, verdicts in by_name.items() if verdicts and all(each.right for each in verdicts)]
            if FAIRLEAD in by_name and FAIRLEAD not in right and right:
                found.append((kind, right))
        return found
