"""Beds for the tests of the bed: one for each module, and fresh ones where a test ends them itself."""

from collections.abc import Iterator

import pytest

from bed.slurm import SlurmCluster
from bed.state import Bed


@pytest.fixture(scope="module")
def bed() -> Iterator[Bed]:
    with Bed.create("tests of the bed") as bed:
        yield bed


@pytest.fixture(scope="module")
def cluster(bed: Bed) -> SlurmCluster:
    """One plain cluster for all tests of a module; each leaves it as it found it."""
    return SlurmCluster.start(bed)
