"""The scenarios as parameters of a test: of those with many states `make test` searches one in five, and `make test-long` all."""

from collections.abc import Iterable, Mapping
from typing import Any, Final

import pytest

LARGE: Final = 30_000
"""States from which on a search takes seconds."""


def parameters(names: Iterable[str], known: Mapping[str, tuple[int, set[str]]]) -> list[Any]:
    """Each scenario, by the number of states that it is known to have."""
    return [pytest.param(name, marks=pytest.mark.long(of=5)) if known.get(name, (0, set()))[0] > LARGE else name for name in names]
