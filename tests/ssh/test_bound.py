"""However many clusters there are, the connections held stay within the bound, and everybody gets a turn."""

import asyncio
import random
from contextlib import suppress

import pytest
from ssh_addresses import address_of, script

from fairlead.api.v1alpha1.reasons import ClusterReason
from fairlead.domain.errors import Refused, Unreachable
from fairlead.ssh.limits import PoolLimits
from fairlead.ssh.remote import SshRemote

TRUE = script("echo yes")
SERVED_BY = script("echo $PPID")     # the sshd process of the connection


def identities(host, count, **changes):
    """So many addresses that share no connection, on one host."""
    return [address_of(host, keepalive_interval_seconds=15 + number, **changes) for number in range(count)]


async def test_many_clusters_asked_at_random_never_hold_more_connections_than_the_bound(host):
    """Else open files and memory would grow with the number of clusters until the controller is killed."""
    addresses, most = identities(host, 20), []
    async with SshRemote(PoolLimits(connections=5, connects_per_host=5)) as remote:
        async def ask(address):
            assert await remote.exchange(address, TRUE) == b"yes\n"
            most.append((remote.seats.taken, host.connections()))

        await asyncio.gather(*(ask(random.choice(addresses)) for _ in range(80)))
        assert max(held for held, _ in most) <= 5
        assert max(there for _, there in most) <= 5
        assert remote.seats.waiting == 0
    assert remote.seats.taken == 0


async def test_the_idle_connection_that_was_used_least_recently_makes_room(host):
    """Else a cluster in constant use would be logged in to again and again."""
    first, second, third = identities(host, 3)
    async with SshRemote(PoolLimits(connections=2)) as remote:
        served = [await remote.exchange(address, SERVED_BY) for address in (first, second, first, third)]
        assert served[0] == served[2]
        assert await remote.exchange(first, SERVED_BY) == served[0], "it was used after the second"
        assert await remote.exchange(second, SERVED_BY) != served[1]


async def test_who_finds_all_connections_in_use_waits_in_the_order_of_asking(host):
    """Else somebody could wait for ever."""
    busy, *others = identities(host, 8)
    served = []

    async with SshRemote(PoolLimits(connections=1)) as remote:
        async def ask(address):
            await remote.exchange(address, TRUE)
            served.append(address)

        running = asyncio.create_task(remote.exchange(busy, script("sleep 0.3")))
        await asyncio.sleep(0.1)
        await asyncio.gather(*(ask(address) for address in others), running)
    assert served == others


async def test_a_cluster_in_constant_use_keeps_nobody_out(host):
    """Else the busiest cluster of all would starve the others."""
    busy, other = identities(host, 2)
    async with SshRemote(PoolLimits(connections=1)) as remote:
        async def go_on():
            while True:
                await remote.exchange(busy, script("sleep 0.02"))

        tasks = [asyncio.create_task(go_on()) for _ in range(4)]
        for _ in range(3):
            assert await remote.exchange(other, TRUE) == b"yes\n"
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


async def test_who_waits_too_long_for_a_connection_learns_which_setting_bounds_them(host):
    """Else a controller with too many clusters would look like a broken network."""
    busy, other = identities(host, 2)
    async with SshRemote(PoolLimits(connections=1, wait_seconds=0.2)) as remote:
        running = asyncio.create_task(remote.exchange(busy, script("sleep 1; echo on")))
        await asyncio.sleep(0.1)
        with pytest.raises(Unreachable, match=r"came free within 0\.2 s: all 1 .* setting ssh\.connections") as failure:
            await remote.exchange(other, TRUE)
        assert failure.value.reason is ClusterReason.NO_FREE_CONNECTION
        assert remote.seats.waiting == 0
        assert await running == b"on\n", "it was not disturbed"


async def test_who_gives_up_waiting_for_a_connection_takes_none(host, eventually):
    """Else each caller that gave up would cost a place for ever."""
    busy, other, third = identities(host, 3)
    async with SshRemote(PoolLimits(connections=1)) as remote:
        running = asyncio.create_task(remote.exchange(busy, script("sleep 0.5")))
        await asyncio.sleep(0.1)
        waiting = asyncio.create_task(remote.exchange(other, TRUE))
        await asyncio.sleep(0.1)
        waiting.cancel()
        with suppress(asyncio.CancelledError):
            await waiting
        remote.retire(other)
        await eventually(lambda: remote.seats.waiting == 0)
        assert await remote.exchange(third, TRUE) == b"yes\n"
        await running


async def test_a_failed_login_and_a_lost_connection_give_their_places_back(own_host, eventually):
    """Else refused keys and restarts would use the bound up."""
    address, other = identities(own_host, 2)
    async with SshRemote(PoolLimits(connections=1)) as remote:
        for _ in range(3):
            with pytest.raises(Refused):
                await remote.exchange(address_of(own_host, user="nobody-here"), TRUE)
        assert await remote.exchange(address, TRUE) == b"yes\n"
        own_host.end_sessions()
        await eventually(lambda: remote.seats.taken == 0)
        assert await remote.exchange(other, TRUE) == b"yes\n"


async def test_a_connection_that_nobody_uses_is_closed_after_a_while(host, eventually):
    """Else a login node would hold a process for each cluster that was ever used."""
    async with SshRemote(PoolLimits(idle_seconds=0.2)) as remote:
        served = await remote.exchange(address_of(host), SERVED_BY)
        await eventually(lambda: host.connections() == remote.seats.taken == 0)
        assert await remote.exchange(address_of(host), SERVED_BY) != served


async def test_a_connection_in_use_is_not_idle(host):
    """Else a long command would be cut off."""
    async with SshRemote(PoolLimits(idle_seconds=0.1)) as remote:
        assert await remote.exchange(address_of(host), script("sleep 0.5; echo on")) == b"on\n"
