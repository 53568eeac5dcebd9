"""An exchange that only listens rides on what is there, and takes nothing from anybody: no connection, no channel, no place, no session."""

import asyncio
from dataclasses import replace

import pytest
from ssh_addresses import address_of, running, script

from bed.sshd import SshHost
from fairlead.api.v1alpha1.reasons import ClusterReason
from fairlead.domain.errors import RemoteFault, Unanswered, Unreachable
from fairlead.ssh.limits import PoolLimits
from fairlead.ssh.remote import SshRemote

TRUE = script("echo yes")
LISTEN = replace(script("caller=$PPID; while sleep 0.3; do kill -0 $caller || exit; done"), aside=True)


async def _reason(listening: asyncio.Task[bytes], kind: type[RemoteFault]) -> ClusterReason:
    async with asyncio.timeout(20):
        with pytest.raises(kind) as raised:
            await listening
    return raised.value.reason


async def test_nobody_is_logged_in_for_it(host, remote):
    """Else a site would be logged in to more often than its polls need."""
    with pytest.raises(Unreachable) as raised:
        await remote.exchange(address_of(host), LISTEN)
    assert raised.value.reason is ClusterReason.CONNECTION_LOST, "which is no reason to leave it for long"
    assert host.connections() == 0


async def test_it_takes_no_channel_and_no_place_from_others(host, eventually):
    """Else a hundred quiet clusters would keep all others from being asked, and a submission would wait a minute."""
    address = address_of(host)
    async with SshRemote(PoolLimits(execs=1)) as remote:
        await remote.exchange(address, TRUE)
        listening = asyncio.create_task(remote.exchange(address, LISTEN))
        await eventually(lambda: running(host, "sleep"))
        async with asyncio.timeout(20):
            assert await asyncio.gather(*(remote.exchange(address, TRUE) for _ in range(8))) == [b"yes\n"] * 8
        assert not listening.done()
        listening.cancel()
        await asyncio.gather(listening, return_exceptions=True)
    await eventually(lambda: not running(host, "sleep"))


async def test_its_connection_is_idle_for_whoever_needs_room(host, own_host, eventually):
    """Else more than 256 clusters would keep each other out."""
    async with SshRemote(PoolLimits(connections=1)) as remote:
        await remote.exchange(address_of(host), TRUE)
        listening = asyncio.create_task(remote.exchange(address_of(host), LISTEN))
        await eventually(lambda: running(host, "sleep"))
        async with asyncio.timeout(20):
            assert await remote.exchange(address_of(own_host), TRUE) == b"yes\n"
        assert await _reason(listening, Unanswered) is ClusterReason.CONNECTION_LOST


async def test_a_session_that_is_needed_is_given_back_and_never_asked_for_again(bed, eventually):
    """Else a site that allows one session would be called broken, or have its submissions wait."""
    host = SshHost.start(bed, sshd_extra=("MaxSessions 1",))
    try:
        async with SshRemote() as remote:
            address = address_of(host)
            await remote.exchange(address, TRUE)
            for _ in range(20):          # sshd frees a session some time after its end
                listening = asyncio.create_task(remote.exchange(address, LISTEN))
                await eventually(lambda: listening.done() or running(host, "sleep"))  # noqa: B023  asked at once
                if not listening.done():
                    break
                await asyncio.gather(listening, return_exceptions=True)
                await asyncio.sleep(0.1)
            assert not listening.done()
            async with asyncio.timeout(20):
                assert await remote.exchange(address, TRUE) == b"yes\n"
            await asyncio.gather(listening, return_exceptions=True)
            assert listening.cancelled()
            await eventually(lambda: not running(host, "sleep"))
            with pytest.raises(Unreachable) as raised:
                await remote.exchange(address, LISTEN)
            assert raised.value.reason is ClusterReason.CONNECTION_FAILED
            assert host.connections() == 1, "and the connection is the same"
    finally:
        host.stop()


async def test_where_few_channels_are_allowed_none_is_used(host, remote):
    """Else a Cluster whose administrator has set maxChannelsPerConnection to 2 would use three."""
    address = address_of(host, max_channels=2)
    await remote.exchange(address, TRUE)
    with pytest.raises(Unreachable):
        await remote.exchange(address, LISTEN)
