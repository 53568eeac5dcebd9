"""How many connections fit into the files that a process may open."""

import pytest

from fairlead.app.descriptors import OWN, SESSIONS, shares, wanted
from fairlead.kube.client import STANDARD
from fairlead.ssh.limits import PoolLimits

LIMITS = PoolLimits()


@pytest.mark.parametrize("files", [8, 32, 64, 128, 256, 300, 475])
def test_what_may_be_open_at_once_is_never_more_than_the_files(files: int) -> None:
    """A process with a low limit would fail at whatever needs the next file, its Lease too."""
    found = shares(LIMITS, files)
    assert found.api >= 1
    assert found.ssh.connections >= 1
    assert found.ssh.connects >= 1
    if files > OWN + 8:
        assert OWN + SESSIONS * found.api + found.ssh.connections + found.ssh.connects <= files


@pytest.mark.parametrize("files", [476, 1024, 1 << 20])
def test_enough_files_leave_the_settings_as_they_are(files: int) -> None:
    """A person would set ssh.connections in vain."""
    assert wanted(LIMITS) == 476
    found = shares(LIMITS, files)
    assert found.ssh == LIMITS
    assert found.api == STANDARD.connections


def test_fewer_connections_than_fit_are_not_raised() -> None:
    """A bound that a person has set would be passed."""
    assert shares(PoolLimits(connections=10), 128).ssh.connections == 10
