"""How a benchmark is asked to run, and rounds that take turns."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import TypeAlias, TypeVar

from benchmarks.figures import Result
from benchmarks.quiet import Quiet

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Run:
    """How many rounds; `small`: with tiny numbers, to see that all works; `tell` shows progress."""

    rounds: int
    small: bool
    tell: Callable[[str], None]
    quiet: Quiet = field(default_factory=Quiet)

    def interleaved(self, what: str, measures: Mapping[str, Callable[[], T]]) -> dict[str, list[T]]:
        """Each measure once in every round, in turns: the order turns round with each, so that none always comes second.

        Each waits a while for a quiet moment, unless the run is small.
        """
        values: dict[str, list[T]] = {name: [] for name in measures}
        for number in range(self.rounds):
            for name in list(measures) if number % 2 == 0 else reversed(list(measures)):
                if not self.small:
                    self.quiet.wait()
                values[name].append(measures[name]())
            said = ", ".join(f"{name} {_short(found[-1])}" for name, found in values.items())
            self.tell(f"{what}, round {number + 1} of {self.rounds}: {said}")
        return values


def _short(value: object) -> str:
    return f"{value:.4g}" if isinstance(value, float) else str(value)


Benchmark: TypeAlias = Callable[[Run], Result]
