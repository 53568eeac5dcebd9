"""What became of several rounds: least, median and most; and percentiles of one round. Pure."""

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from statistics import median


@dataclass(frozen=True, slots=True)
class Spread:
    """The least, the median and the most of what the rounds came to."""

    least: float
    median: float
    most: float

    @classmethod
    def of(cls, values: Iterable[float]) -> "Spread":
        """Of at least one value. Raises `ValueError` without any."""
        found = sorted(values)
        if not found:
            msg = "no round was measured"
            raise ValueError(msg)
        return cls(found[0], median(found), found[-1])


def percentile(values: Iterable[float], share: float) -> float:
    """The smallest value that `share` (0 to 1) of all do not exceed: nearest rank, nothing between two values is made up.

    Raises `ValueError` without any value.
    """
    found: Sequence[float] = sorted(values)
    if not found:
        msg = "no value to take a percentile of"
        raise ValueError(msg)
    return found[max(0, math.ceil(share * len(found)) - 1)]
