"""What of long repetitions is run where."""

import pytest

from timing import share

SETS = {"a.py::test_it": [f"a.py::test_it[{number}]" for number in range(10)], "b.py::test_it": ["b.py::test_it[x]"]}
OF = {"a.py::test_it": 3, "b.py::test_it": 3}


def test_one_in_three_is_run_and_the_same_for_the_same_seed() -> None:
    """Else the workers of one run would not agree on its tests, and a failure would not come again."""
    run = share.chosen(SETS, OF, 1)
    assert {function: sum(test.startswith(function) for test in run) for function in SETS} == {"a.py::test_it": 4, "b.py::test_it": 1}
    assert share.chosen({function: tests[::-1] for function, tests in SETS.items()}, OF, 1) == run


def test_sets_that_differ_in_one_parameter_alone_share_one_place() -> None:
    """Else of what is tried in each shell some would be tried in none."""
    of_two = [f"a.py::test_it[{shell}-{name}]" for shell in ("dash", "busybox") for name in ("a", "b-dash-c")]
    groups = [share.group(test, shell) for test, shell in zip(of_two, ("dash", "dash", "busybox", "busybox"), strict=True)]
    assert groups[0] == groups[2]
    assert groups[0] != groups[1]
    assert share.group(of_two[0]) == share.group(of_two[3]) == "a.py::test_it"


def test_what_has_no_share_is_left_to_the_long_run() -> None:
    """Else what takes minutes by itself would have to be skipped, and nobody would see that it is run nowhere."""
    assert share.chosen(SETS, dict.fromkeys(SETS, 0), 1) == set()


def test_other_seeds_run_the_others() -> None:
    """Else some would never be run but in the long run."""
    assert set().union(*(share.chosen(SETS, OF, seed) for seed in range(30))) == {test for tests in SETS.values() for test in tests}


@pytest.mark.parametrize(("long", "wanted"), [(False, 68), (True, 340)])
def test_a_fifth_of_the_rounds_are_run(long: bool, wanted: int) -> None:
    """Else `make test` would take as long as `make test-long`, or that would prove no more."""
    assert share.rounds(340, long=long) == wanted
    assert share.rounds(1, long=long) == 1
