"""What sites do to logins: each of it works, or is told with what to change."""


import pytest
from ssh_addresses import address_of, script

from bed.sshd import SshHost
from fairlead.api.v1alpha1.reasons import ClusterReason
from fairlead.domain.errors import Unanswered

TRUE = script("echo yes")


@pytest.fixture
def start(bed):
    """Starts hosts with lines of sshd_config."""
    started = []

    def start(*lines: str) -> SshHost:
        started.append(SshHost.start(bed, sshd_extra=lines))
        return started[-1]

    yield start
    for host in started:
        host.stop()


@pytest.mark.parametrize("shell", ["/bin/dash", "/bin/bash", "/usr/bin/zsh", "/usr/bin/fish", "/usr/bin/tcsh"])
async def test_a_dotfile_that_starts_another_shell_is_told_and_nothing_of_the_payload_runs_there(host, remote, shell):
    """Else the lines of a user's script would run on the login node, as commands of that shell."""
    dotfile = host.home / ".bashrc"
    dotfile.write_text(f"exec {shell}\n")
    try:
        with pytest.raises(Unanswered) as failure:
            await remote.exchange(address_of(host), script("cat", b"touch ~/harm\n" * 3))
    finally:
        dotfile.unlink()
    assert not (host.home / "harm").exists()
    assert failure.value.reason is ClusterReason.LOGIN_SHELL_FAILED
