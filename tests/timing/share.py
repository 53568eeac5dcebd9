"""Long repetitions: `make test` runs a share of them that a seed gives, `make test-long` all of them.

`@pytest.mark.long` is for a test that repeats something: it asks the fixture `rounds` how often. `@pytest.mark.long(of=3)` is for parameter
sets: one in three is run; with `one="dash"` beside it, a parameter by that name is what they differ in, so that each other set is run with
one of them. With `of=0` there is no share: the test is run by `make test-long` alone.
"""

import math
import random
from collections.abc import Mapping, Sequence
from typing import Final

SEED: Final = 1
HERE: Final = 5
"""One round in so many is run in `make test`."""


def rounds(whole: int, *, long: bool) -> int:
    """How often to repeat what is repeated `whole` times in the long run; at least once."""
    return whole if long else math.ceil(whole / HERE)


def group(test: str, one: str = "") -> str:
    """The tests of which a share is run: those of its function, or those that differ from it by this parameter alone."""
    function, _, sets = test.partition("[")
    return "-".join([function, *(each for each in sets.removesuffix("]").split("-") if each != one)]) if one else function


def chosen(groups: Mapping[str, Sequence[str]], of: Mapping[str, int], seed: int) -> set[str]:
    """The tests to be run: of those of each function one in `of`, at least one; for 0, none. The same for the same seed."""
    run: set[str] = set()
    for function, tests in groups.items():
        lot = random.Random(f"{seed} {function}")   # a lot, not a secret
        run.update(lot.sample(sorted(tests), math.ceil(len(tests) / of[function]) if of[function] else 0))
    return run
