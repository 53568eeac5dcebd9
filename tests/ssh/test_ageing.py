"""Connections grow old: a new login takes over in time, and nothing that runs on the old one is cut off."""

import asyncio

import asyncssh
import pytest
from ssh_addresses import address_of, running, script

from fairlead.api.v1alpha1.reasons import ClusterReason
from fairlead.domain.cluster.address import Credentials
from fairlead.domain.errors import Refused
from fairlead.ssh.limits import PoolLimits
from fairlead.ssh.remote import SshRemote

SERVED_BY = script("echo $PPID")     # the sshd process of the connection
UNTIL_LET = script("touch waits; while [ ! -e let ]; do sleep 0.05; done; rm let waits; echo $PPID")


async def test_a_key_that_the_site_has_withdrawn_is_refused_when_the_connection_has_its_age(host):
    """Else a withdrawn key would go on for as long as the controller runs."""
    async with SshRemote(PoolLimits(age_seconds=0.5)) as remote:
        await remote.exchange(address_of(host), SERVED_BY)
        host.write("ssh/authorized_keys", "")
        with pytest.raises(Refused) as failure:
            await asyncio.wait_for(_exchange_for_ever(remote, host), 60)
        assert failure.value.reason is ClusterReason.AUTHENTICATION_FAILED


async def test_what_runs_on_a_connection_that_is_too_old_ends_there_while_the_next_exchange_has_a_new_one(host, eventually):
    """Else a submission under way would be cut off each quarter of an hour."""
    async with SshRemote(PoolLimits(age_seconds=0.3)) as remote:
        task = await _let_wait(remote, host, address_of(host), eventually)
        await asyncio.sleep(0.3)
        new = await remote.exchange(address_of(host), SERVED_BY)
        assert not task.done(), "both are there for a while"
        (host.home / "let").touch()
        assert await task not in {new, b""}
        await eventually(lambda: host.connections() == remote.seats.taken == 0)


async def test_a_connection_goes_at_its_age_also_when_nobody_uses_it(host, eventually):
    """Else a login would stay for as long as the idle time allows."""
    async with SshRemote(PoolLimits(age_seconds=0.2)) as remote:
        await remote.exchange(address_of(host), SERVED_BY)
        await eventually(lambda: host.connections() == 0)


async def test_connections_made_together_do_not_come_back_together(host):
    """Else a thousand clusters would log in anew in the same second, each quarter of an hour."""
    addresses = [address_of(host, keepalive_interval_seconds=15 + number) for number in range(8)]
    async with SshRemote(PoolLimits(age_seconds=6.0, connects_per_host=8)) as remote:
        await asyncio.gather(*(remote.exchange(address, SERVED_BY) for address in addresses))
        numbers = set()
        async with asyncio.timeout(30):
            while remote.seats.taken:
                numbers.add(remote.seats.taken)
                await asyncio.sleep(0.01)
    assert len(numbers) > 2, "they went one by one"


async def test_a_retired_address_is_logged_in_to_anew_and_what_ran_or_waited_ends_in_peace(host, eventually):
    """Else rotating a Secret would leave submissions without an answer."""
    address = address_of(host, max_channels=1)
    async with SshRemote() as remote:
        running_one = await _let_wait(remote, host, address, eventually)
        waiting = asyncio.create_task(remote.exchange(address, SERVED_BY))
        await asyncio.sleep(0)
        remote.retire(address)
        new = await remote.exchange(address, SERVED_BY)
        assert not running_one.done()
        (host.home / "let").touch()
        old = await running_one
        assert await waiting == old != new
        await eventually(lambda: host.connections() == 1)
        assert await remote.exchange(address, SERVED_BY) == new


async def test_a_rotated_key_is_used_by_the_next_exchange_beside_the_old_one(host, eventually):
    """Else the key that was taken out of the Secret would be used on."""
    fresh = asyncssh.generate_private_key("ssh-ed25519")
    old_address = address_of(host)
    new_address = address_of(host, credentials=Credentials(fresh.export_private_key()))
    async with SshRemote() as remote:
        task = await _let_wait(remote, host, old_address, eventually)
        host.write("ssh/authorized_keys", fresh.export_public_key().decode())
        remote.retire(old_address)
        assert await remote.exchange(new_address, script("echo yes")) == b"yes\n"
        assert fresh.get_fingerprint() in host.sshd_log()
        (host.home / "let").touch()
        assert await task
        await eventually(lambda: host.connections() == 1)


async def test_closing_ends_retired_connections_too(host, eventually):
    """Else the controller's end would leave a login behind."""
    remote = SshRemote()
    task = asyncio.create_task(remote.exchange(address_of(host), script("sleep 1000")))
    await eventually(lambda: running(host, "sleep"))
    remote.retire(address_of(host))
    await remote.close()
    assert isinstance((await asyncio.gather(task, return_exceptions=True))[0], Exception)
    await eventually(lambda: host.connections() == 0)
    host.run("pkill", "-KILL", "-x", "sleep", check=False)


async def _let_wait(remote, host, address, eventually) -> asyncio.Task:
    """An exchange that runs there until the file `let` is made."""
    task = asyncio.create_task(remote.exchange(address, UNTIL_LET))
    await eventually((host.home / "waits").exists)
    return task


async def _exchange_for_ever(remote, host):
    while True:
        await remote.exchange(address_of(host), SERVED_BY)
