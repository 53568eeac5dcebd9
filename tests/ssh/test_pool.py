"""Connections are kept, bounded, given out in order and found again after a loss; one host's trouble stays its own."""

import asyncio
import os
import signal
from contextlib import suppress

import pytest
from ssh_addresses import address_of, count_of, end_all, running, script

from bed.sshd import SshHost
from fairlead.api.v1alpha1.reasons import ClusterReason
from fairlead.domain.errors import Refused, Unanswered, Unreachable
from fairlead.ssh.limits import PoolLimits
from fairlead.ssh.remote import SshRemote

TRUE = script("echo yes")
SESSIONS = {"sshd", "sshd-session", "sshd-auth"}


async def test_one_connection_serves_every_exchange_with_a_host(host, remote):
    for _ in range(5):
        await remote.exchange(address_of(host), TRUE)
    assert host.connections() == 1


async def test_a_hundred_exchanges_at_once_never_take_more_than_four_channels_of_a_host(host, remote):
    count = "mkdir -p ~/c; touch ~/c/$$; ls ~/c | wc -l; sleep 0.02; rm ~/c/$$"
    answers = await asyncio.gather(*(remote.exchange(address_of(host), script(count)) for _ in range(100)))
    assert 1 < max(int(answer) for answer in answers) <= 4
    assert host.connections() == 1


async def test_a_second_connection_is_made_only_when_the_first_is_full_and_the_cluster_allows_it(host, remote):
    address = address_of(host, max_connections=2, max_channels=1)
    await remote.exchange(address, TRUE)
    assert host.connections() == 1
    await asyncio.gather(*(remote.exchange(address, script("sleep 0.2")) for _ in range(4)))
    assert host.connections() == 2


async def test_exchanges_with_a_host_are_served_in_the_order_of_asking(host, remote):
    address, served = address_of(host, max_channels=1), []

    async def ask(number: int) -> None:
        await remote.exchange(address, TRUE)
        served.append(number)

    await asyncio.gather(*(ask(number) for number in range(20)))
    assert served == list(range(20))


async def test_all_hosts_together_run_no_more_than_the_bound(host, own_host):
    count = "mkdir -p ~/c; touch ~/c/$$; ls ~/c | wc -l; sleep 0.05; rm ~/c/$$"
    async with SshRemote(PoolLimits(execs=2)) as remote:
        answers = await asyncio.gather(*(remote.exchange(address_of(of), script(count)) for of in (host, own_host) for _ in range(10)))
    assert max(int(answer) for answer in answers) <= 2


async def test_a_host_that_hangs_in_every_exchange_leaves_the_others_their_places(host, own_host):
    async with SshRemote(PoolLimits(execs=5)) as remote:
        stuck = [asyncio.create_task(remote.exchange(address_of(own_host), script("sleep 1000", timeout_seconds=100))) for _ in range(20)]
        for _ in range(10):
            assert await remote.exchange(address_of(host), TRUE) == b"yes\n"
        assert not any(task.done() for task in stuck)
        for task in stuck:
            task.cancel()
        await asyncio.gather(*stuck, return_exceptions=True)


async def test_a_session_that_sshd_has_not_freed_yet_is_asked_for_again(bed):

    host = SshHost.start(bed, sshd_extra=("MaxSessions 2",))
    try:
        async with SshRemote() as remote:
            answers = await asyncio.gather(*(remote.exchange(address_of(host, max_channels=2), TRUE) for _ in range(60)))
            assert answers == [b"yes\n"] * 60
    finally:
        host.stop()


async def test_a_host_that_allows_no_session_at_all_is_said_to(bed):

    host = SshHost.start(bed, sshd_extra=("MaxSessions 0",))
    try:
        async with SshRemote() as remote:
            with pytest.raises(Unreachable, match="opens no session") as failure:
                await remote.exchange(address_of(host), TRUE)
            assert failure.value.reason is ClusterReason.CONNECTION_FAILED
    finally:
        host.stop()


async def test_after_sshd_and_its_sessions_were_killed_the_next_exchange_connects_anew(own_host, remote):
    await remote.exchange(address_of(own_host), TRUE)
    own_host.end_sessions()
    own_host.sshd.kill()
    own_host.sshd.start()
    assert await remote.exchange(address_of(own_host), TRUE) == b"yes\n"


async def test_sessions_killed_in_mid_exchange_leave_it_unanswered_and_the_next_connects_anew(own_host, remote, eventually):
    task = asyncio.create_task(remote.exchange(address_of(own_host), script("echo begin; sleep 1000")))
    await eventually(lambda: running(own_host, "sleep"))
    own_host.end_sessions()
    with pytest.raises(Unanswered) as failure:
        await task
    assert failure.value.reason is ClusterReason.CONNECTION_LOST
    assert await remote.exchange(address_of(own_host), TRUE) == b"yes\n"


async def test_a_standing_connection_to_a_host_that_fell_silent_is_given_up_in_time_and_made_anew(own_host, remote):
    address = address_of(own_host, connect_timeout_seconds=4.0)
    await remote.exchange(address, TRUE)
    own_host.drop(True)
    with pytest.raises(Unreachable, match="opened no session on a standing connection within 4 s"):
        await remote.exchange(address, TRUE)
    own_host.drop(False)
    assert await remote.exchange(address, TRUE) == b"yes\n"


async def test_a_silent_host_is_noticed_by_keepalive_also_while_an_exchange_has_time_left(own_host, remote, eventually):
    address = address_of(own_host, keepalive_interval_seconds=0.5)
    task = asyncio.create_task(remote.exchange(address, script("sleep 1000", timeout_seconds=100)))
    await eventually(lambda: running(own_host, "sleep"))
    own_host.drop(True)
    with pytest.raises(Unanswered, match="the connection broke off"):
        await task


async def test_callers_that_give_up_do_not_end_the_connect_that_others_wait_for(own_host, remote):
    own_host.sshd.stop()
    address = address_of(own_host)
    first, second = (asyncio.create_task(remote.exchange(address, TRUE)) for _ in range(2))
    await asyncio.sleep(0.2)
    first.cancel()
    with suppress(asyncio.CancelledError):
        await first
    own_host.sshd.cont()
    assert await second == b"yes\n"
    assert own_host.connections() == 1


async def test_a_connect_that_all_callers_gave_up_leaves_nothing_once_the_remote_is_closed(own_host, eventually):
    own_host.sshd.stop()
    async with SshRemote() as remote:
        task = asyncio.create_task(remote.exchange(address_of(own_host), TRUE))
        await asyncio.sleep(0.1)
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task
    own_host.sshd.cont()
    await eventually(lambda: own_host.connections() == 0)


async def test_a_failed_connect_is_told_to_everyone_who_waited_and_the_next_tries_again(own_host, remote):
    key = (own_host.folder / "ssh/authorized_keys").read_text()
    own_host.write("ssh/authorized_keys", "")
    outcomes = await asyncio.gather(*(remote.exchange(address_of(own_host), TRUE) for _ in range(4)), return_exceptions=True)
    assert [type(outcome) for outcome in outcomes] == [Refused] * 4
    own_host.write("ssh/authorized_keys", key)
    assert await remote.exchange(address_of(own_host), TRUE) == b"yes\n"


async def test_a_retired_address_has_no_connection_and_gets_a_new_one_when_asked_again(host, remote, eventually):
    address = address_of(host)
    await remote.exchange(address, TRUE)
    remote.retire(address)
    await eventually(lambda: host.connections() == 0)
    assert await remote.exchange(address, TRUE) == b"yes\n"


async def test_a_retired_host_whose_sessions_are_stopped_is_let_go_in_time_with_what_ran_and_waited(own_host, eventually):
    """Else a Cluster that is deleted while its login node hangs would keep its connection."""
    async with SshRemote(PoolLimits(close_seconds=0.5)) as remote:
        address = address_of(own_host, max_channels=1)
        await remote.exchange(address, TRUE)
        sessions = _sessions(own_host)
        running_one, waiting = (asyncio.create_task(remote.exchange(address, script("sleep 1000"))) for _ in range(2))
        await asyncio.sleep(0.2)
        for pid in sessions:
            os.kill(pid, signal.SIGSTOP)
        remote.retire(address)
        for task in (running_one, waiting):
            task.cancel()
        await eventually(lambda: remote.seats.taken == 0)


async def test_closing_ends_all_in_parallel_and_takes_no_new_exchange(host, own_host, eventually):
    remote = SshRemote()
    for of in (host, own_host):
        await remote.exchange(address_of(of), TRUE)
    tasks = [asyncio.create_task(remote.exchange(address_of(of), script("sleep 1000"))) for of in (host, own_host) for _ in range(6)]
    await eventually(lambda: count_of(host, "sleep") == count_of(own_host, "sleep") == address_of(host).max_channels)
    await remote.close()
    assert all(isinstance(outcome, Unanswered | Unreachable) for outcome in await asyncio.gather(*tasks, return_exceptions=True))
    with pytest.raises(Unreachable, match="closed by Fairlead"):
        await remote.exchange(address_of(host), TRUE)
    end_all(host, "sleep")


def _sessions(host) -> list[int]:
    found = []
    for pid in host.pids() - {host.sshd.pid}:
        with suppress(OSError):
            if os.path.basename(os.readlink(f"/proc/{pid}/exe")) in SESSIONS:   # noqa: PTH115, PTH119
                found.append(pid)
    return found
