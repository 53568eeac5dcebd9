"""Bare hosts: real sshds with an ordinary user, and nothing else."""

from collections.abc import Iterator

import pytest

from bed.sshd import SshHost
from bed.state import Bed


@pytest.fixture(scope="session")
def bare(bed: Bed) -> SshHost:
    """A host for tests that break nothing."""
    return SshHost.start(bed)


@pytest.fixture
def host(bed: Bed) -> Iterator[SshHost]:
    """A host of the test's own. A test names it before `scene`: it has to outlive what is deleted in that."""
    host = SshHost.start(bed)
    yield host
    host.stop()
