"""A controller that slept on the way to a login node must not act there when it wakes: by then another one leads."""

import pytest
from ssh_addresses import address_of, script

from fairlead.domain.errors import Unreachable
from fairlead.ssh.remote import SshRemote


async def test_nothing_is_sent_once_it_may_not_be_and_the_way_stays_open(host):
    """Else a job would be cancelled or submitted beside the new leader's decision."""
    leads = True
    async with SshRemote(may_send=lambda: leads) as remote:
        assert await remote.exchange(address_of(host), script("echo one >>did; echo yes")) == b"yes\n"
        leads, sessions = False, host.sessions()
        with pytest.raises(Unreachable, match="was not sent: this controller does not lead now"):
            await remote.exchange(address_of(host), script("echo two >>did; echo yes"))
        assert host.sessions() == sessions, "a session was opened for nothing"
        leads = True
        assert await remote.exchange(address_of(host), script("cat did; rm did")) == b"one\n"


async def test_a_session_is_not_begun_by_one_that_slept_while_its_channel_opened(host):
    """Else a controller that wakes beside the new leader would still start a shell at the login node, though it sends it nothing."""
    answers: list[bool] = []              # what is said at the next looks; then always yes
    async with SshRemote(may_send=lambda: answers.pop(0) if answers else True) as remote:
        assert await remote.exchange(address_of(host), script("echo yes")) == b"yes\n"
        sessions, answers[:] = host.sessions(), [True, False, False]   # before a channel is asked for, when it is open, and then
        with pytest.raises(Unreachable, match="was not sent: this controller does not lead now"):
            await remote.exchange(address_of(host), script("echo two >>did; echo yes"))
        assert not answers
        assert host.sessions() == sessions, "a session was begun for nothing"
        assert await remote.exchange(address_of(host), script("[ -e did ] || echo none")) == b"none\n"
