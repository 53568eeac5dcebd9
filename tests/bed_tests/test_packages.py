"""Debian packages that the bed installs: that nothing of them is started."""

import subprocess

import pytest

from bed import packages

EMPTY = 'mount -t tmpfs tmpfs /usr/sbin; {}; sh -c "$0" cat /usr/sbin/policy-rc.d; /bin/ls /usr/sbin'
THEIRS = "echo theirs >/usr/sbin/policy-rc.d"


@pytest.mark.parametrize(("before", "said"), [
    pytest.param("true", "#!/bin/sh\nexit 101\n", id="a machine without a policy"),
    pytest.param(THEIRS, "theirs\npolicy-rc.d\n", id="a machine with one of its own"),
])
def test_an_installed_daemon_is_not_started(before: str, said: str) -> None:
    """Whoever runs tests would have a container daemon running on the machine from then on; or would lose a policy that was there."""
    argv = ["unshare", "--mount", "sh", "-ec", EMPTY.format(before), packages._NO_DAEMON]
    assert subprocess.run(argv, capture_output=True, text=True, check=True).stdout == said
