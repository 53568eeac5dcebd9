"""What tests of Clusters share: a cluster that may be broken, with a home of its own for each test, and sentences to look for."""

from collections.abc import Callable, Iterator

import pytest

from bed.slurm import SlurmCluster
from bed.sshd import SshHost
from bed.state import Bed


@pytest.fixture
def own(slurm: Callable[..., SlurmCluster]) -> SlurmCluster:
    """A Slurm cluster that the test may break: it goes with the test. Name it before `scene`, so that it outlives the scene."""
    return slurm()


@pytest.fixture
def host(bed: Bed) -> Iterator[SshHost]:
    """A host with sshd and without Slurm. Name it before `scene`."""
    host = SshHost.start(bed)
    yield host
    host.stop()
