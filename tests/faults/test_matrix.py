"""A part of the fault matrix that a seed gives, far more of it in `make test-long`, and a short random walk.

`make faults` plays all of it, and walks for longer.
"""

import pytest

from faults import table
from faults.cell import run_cell
from faults.stage import Stage
from faults.table import Cell
from faults.walk import walk

SEED = 4
COUNT, COUNT_LONG = 16, 56
WALK_MINUTES = 0.4


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    if "cell" in metafunc.fixturenames:
        count = COUNT_LONG if metafunc.config.getoption("long") else COUNT
        cells = table.chosen(count, SEED, own_server=not metafunc.config.getoption("use_existing"))
        metafunc.parametrize("cell", cells, ids=[each.name for each in cells])


@pytest.mark.long
@pytest.mark.timeout(240)
def test_both_promises_hold(where: Stage, cell: Cell) -> None:
    """Else a user's Job would run twice, be lost, be called complete without having been, or leave something behind."""
    verdict = run_cell(where, cell.operation, cell.fault)
    assert not verdict.broken, f"seed {SEED}; once more: python -m faults --only '{cell.name}'\n{verdict.broken}\n{verdict.trace}"


@pytest.mark.timeout(400)
def test_both_promises_hold_on_a_random_walk(where: Stage) -> None:
    """Else they would hold for one fault at a time only, and bad days seldom bring one alone."""
    said: list[str] = []
    broken = walk(where, WALK_MINUTES, SEED, said.append)
    again = f"seed {SEED}; once more: python -m faults --count 0 --minutes {WALK_MINUTES} --seed {SEED}"
    assert not broken, "\n".join([again, *broken, *said])
