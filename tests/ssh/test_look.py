"""Looks at ports of real sshds: what they show, that they are no login, and that a link which is back is noticed by them."""

import asyncio
from dataclasses import dataclass, replace

from ssh_addresses import address_of, script

from fairlead.api.v1alpha1.reasons import ClusterReason
from fairlead.domain.cluster.address import Endpoint, Port
from fairlead.domain.errors import Unanswered
from fairlead.engine.far_end.lookout import Lookout
from fairlead.engine.settings import EngineSettings
from fairlead.ssh.remote import SshRemote

CUT = Unanswered("the poll did not end", ClusterReason.POLL_TIMED_OUT)


SETTINGS = EngineSettings()


@dataclass
class World:
    """As much of it as looks need."""

    remote: SshRemote
    settings: EngineSettings = SETTINGS

    @staticmethod
    def jitter() -> float:
        return 0.0


async def test_a_port_speaks_is_mute_or_is_silent_and_a_look_is_no_login(own_host):
    """Else a look would cost a site what a login costs, or a stopped login node would look well."""
    address = address_of(own_host)
    async with SshRemote() as remote:
        assert await remote.look(address) is Port.SPEAKS
        elsewhere = replace(address, host="127.0.0.1", port=9)
        assert await remote.look(elsewhere) is Port.SILENT
        assert await remote.look(replace(elsewhere, more_endpoints=(Endpoint(own_host.host, own_host.port),))) is Port.SPEAKS
        assert await remote.look(replace(elsewhere, via=replace(address, hop=0))) is Port.SPEAKS, "the jump host is what we connect to"
        assert await remote.look(replace(elsewhere, host="no-name.invalid")) is Port.SILENT
        own_host.sshd.stop()
        assert await remote.look(address) is Port.MUTE
        own_host.sshd.kill()             # while it is stopped: one that goes on forks, and the child has the port for a moment
        assert await remote.look(address) is Port.SILENT
    log = own_host.sshd_log()
    assert "Accepted" not in log
    assert "ostponed publickey" not in log


async def test_who_looks_at_the_same_port_at_once_shares_a_look(own_host):
    """Else fifty logins at one login node would be fifty connections to it each time."""
    address = address_of(own_host)
    async with SshRemote() as remote:
        assert set(await asyncio.gather(*(remote.look(replace(address, user=f"user{number}")) for number in range(50)))) == {Port.SPEAKS}
    assert own_host.sshd_log().count("Connection from") == 1


async def test_a_link_that_is_back_is_noticed_within_seconds(own_host):
    """Else a cluster would stay unused for the rest of its pause, though it is there."""
    address, back = address_of(own_host), asyncio.Event()
    async with SshRemote() as remote:
        lookout = Lookout(World(remote), back.set)
        own_host.link_down()
        lookout.begin(address, CUT)
        await asyncio.sleep(4)
        assert not back.is_set()
        own_host.link_up()
        async with asyncio.timeout(8):
            await back.wait()
        assert await remote.exchange(address, script("echo yes")) == b"yes\n"
    assert own_host.sshd_log().count("Accepted publickey") == 1
