"""What a benchmark hands back: figures, each with its rounds, its peer's and its aim. Pure: numbers in, cells of a table out."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from enum import StrEnum

from benchmarks.spread import Spread

HEADS = ("Measure", "Fairlead", "Beside it", "Ratio", "Aim", "Met")
_NONE = "-"


class Good(StrEnum):
    """Which way a figure should go."""

    LOW = "at most"
    HIGH = "at least"


@dataclass(frozen=True, slots=True)
class Aim:
    """What the median is held against: the figure itself, or with `ratio` how many times better it is than its peer."""

    limit: float
    ratio: bool = False


@dataclass(frozen=True, slots=True)
class Figure:
    """One measure. `ours` and `peer` hold one value for each round, and values at the same place come from the same round."""

    what: str
    unit: str
    good: Good
    ours: Sequence[float]
    peer: Sequence[float] = ()
    aims: Sequence[Aim] = ()
    bound: str = ""              # what holds it back, said where an aim is missed

    @property
    def ratio(self) -> Spread | None:
        """How many times better than the peer, round by round; None without a peer, or where nothing can be divided."""
        if not self.peer or min(*self.ours, *self.peer) <= 0:
            return None
        pairs = zip(self.ours, self.peer, strict=True)
        return Spread.of(peer / our if self.good is Good.LOW else our / peer for our, peer in pairs)

    def met(self, aim: Aim) -> bool:
        """Whether the median reaches an aim."""
        if aim.ratio:
            return self.ratio is not None and self.ratio.median >= aim.limit
        mine = Spread.of(self.ours).median
        return mine <= aim.limit if self.good is Good.LOW else mine >= aim.limit

    @property
    def missed(self) -> bool:
        """Whether there is an aim that is not reached."""
        return not all(self.met(aim) for aim in self.aims)

    def cells(self) -> list[str]:
        """The row below `HEADS`."""
        aims = "; ".join(f"{aim.limit:g} x" if aim.ratio else f"{self.good} {number(aim.limit)} {self.unit}" for aim in self.aims)
        met = "; ".join("yes" if self.met(aim) else "**no**" for aim in self.aims)
        return [self.what, spread(Spread.of(self.ours), self.unit), spread(Spread.of(self.peer), self.unit) if self.peer else _NONE,
                spread(self.ratio, "x") if self.ratio else _NONE, aims or _NONE, met or _NONE]


@dataclass(frozen=True, slots=True)
class Result:
    """All figures of one benchmark. `method` says what was done, `notes` what is to be known beside the numbers."""

    name: str
    title: str
    method: str
    rounds: int
    figures: Sequence[Figure]
    notes: Sequence[str] = field(default=())


def spread(value: Spread, unit: str) -> str:
    """Median, and in brackets least and most."""
    return f"{number(value.median)} {unit} ({number(value.least)} to {number(value.most)})"


def number(value: float) -> str:
    """Three digits that count, thousands parted."""
    size = abs(value)
    if size >= 100 or value == int(value):
        return f"{value:,.0f}"
    return f"{value:.1f}" if size >= 10 else f"{value:.2f}" if size >= 0.1 else f"{value:.2g}"
