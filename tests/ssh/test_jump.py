"""Login nodes behind jump hosts: each with its own user, key and host keys, one connection for all who go through it."""

import asyncio
from contextlib import ExitStack
from dataclasses import replace

import asyncssh
import pytest
from ssh_addresses import address_of, running, script

from bed.proxy import TcpProxy
from bed.sshd import SshHost
from fairlead.api.v1alpha1.reasons import ClusterReason
from fairlead.domain.cluster.address import Address, Credentials, HostKeys
from fairlead.domain.errors import Refused, Unanswered, Unreachable, Unreadable
from fairlead.ssh.limits import PoolLimits
from fairlead.ssh.remote import SshRemote
from fairlead.ssh.stream import printing_at

WHERE = script("hostname")


class Site:
    """A login node that only its jump host reaches."""

    def __init__(self, stack: ExitStack, login: SshHost, jump: SshHost) -> None:
        self.login, self.jump = login, jump
        self.cable = stack.enter_context(TcpProxy(login.host, login.port, jump.enclosure.network.outer))

    def address(self, via: Address | None = None, **changes) -> Address:
        """The login node's address through the jump host, which may lie behind another."""
        pins = HostKeys(f"[{self.cable.host}]:{self.cable.port} {self.login.known_hosts.split(None, 1)[1]}")
        whole = {"host": self.cable.host, "port": self.cable.port, "host_keys": pins,
                 "via": via or replace(address_of(self.jump), hop=0), **changes}
        return address_of(self.login, **whole)


@pytest.fixture
def site(host, own_host):
    """Its jump host may be broken."""
    with ExitStack() as stack:
        yield Site(stack, host, own_host)


async def test_a_login_node_behind_a_jump_host_is_worked_with_as_any_other(site, remote):
    """Else a site with a bastion could not be used."""
    assert await remote.exchange(site.address(), WHERE) == f"{site.login.name}\n".encode()
    payload = bytes(range(256)) * 4096
    assert await remote.exchange(site.address(), script("cat", payload)) == payload


async def test_two_jump_hosts_one_behind_the_other_each_with_its_own_key(bed, host, own_host):
    """Else a site whose login node lies two steps inside could not be used."""
    with ExitStack() as stack:
        inner = SshHost.start(bed)
        stack.callback(inner.stop)
        outer_site, inner_site = Site(stack, inner, own_host), Site(stack, host, inner)
        address = inner_site.address(replace(outer_site.address(), hop=1))
        async with SshRemote() as remote:
            assert await remote.exchange(address, WHERE) == f"{host.name}\n".encode()
            assert [each.connections() for each in (own_host, inner, host)] == [1, 1, 1]
            inner.write("ssh/authorized_keys", "")
            inner.end_sessions()
            with pytest.raises(Refused, match=r"\(spec\.proxyJump\[1\]\) behind .* refused user .*: check spec\.proxyJump\[1\]\.user"):
                await remote.exchange(address, WHERE)


async def test_clusters_that_name_the_same_jump_host_share_one_connection_to_it(site, remote):
    """Else a bastion would carry a login for each cluster behind it."""
    addresses = [site.address(keepalive_interval_seconds=15 + number) for number in range(6)]
    answers = await asyncio.gather(*(remote.exchange(address, WHERE) for address in addresses))
    assert answers == [f"{site.login.name}\n".encode()] * 6
    assert site.login.connections() == 6
    assert site.jump.connections() == 1


async def test_a_jump_host_is_left_with_the_last_cluster_behind_it(site, remote, eventually):
    """Else a login at the bastion would outlive the Clusters that needed it."""
    addresses = [site.address(keepalive_interval_seconds=15 + number) for number in range(2)]
    for address in addresses:
        await remote.exchange(address, WHERE)
    remote.retire(addresses[0])
    assert await remote.exchange(addresses[1], WHERE)
    assert site.jump.connections() == 1
    remote.retire(addresses[1])
    await eventually(lambda: site.jump.connections() == remote.seats.taken == 0)


async def test_a_jump_host_that_dies_is_named_and_found_again(site, remote, eventually):
    """Else a bastion's restart would look like a login node's fault, or be the end."""
    address = site.address()
    task = asyncio.create_task(remote.exchange(address, script("sleep 1000")))
    await eventually(lambda: running(site.login, "sleep"))
    site.jump.sshd.kill()
    site.jump.end_sessions()
    with pytest.raises(Unanswered) as failure:
        await task
    assert failure.value.reason is ClusterReason.CONNECTION_LOST
    with pytest.raises(Unreachable, match=rf"nothing listens on {site.jump.host}:22 \(spec\.proxyJump\[0\]\)") as failure:
        await remote.exchange(address, WHERE)
    assert failure.value.reason is ClusterReason.CONNECTION_REFUSED
    site.jump.sshd.start()
    assert await remote.exchange(address, WHERE) == f"{site.login.name}\n".encode()
    site.login.run("pkill", "-KILL", "-x", "sleep", check=False)


async def test_a_jump_host_that_falls_silent_is_given_up_and_found_again(site, remote, eventually):
    """Else a bastion whose link was cut for a moment would be lost for good."""
    address = site.address(replace(address_of(site.jump, keepalive_interval_seconds=0.5), hop=0), connect_timeout_seconds=4.0)
    await remote.exchange(address, WHERE)
    site.jump.drop(True)
    with pytest.raises(Unreachable):
        await remote.exchange(address, WHERE)
    await eventually(lambda: remote.seats.taken == 0)
    site.jump.drop(False)
    assert await remote.exchange(address, WHERE) == f"{site.login.name}\n".encode()


STRANGER = asyncssh.generate_private_key("ssh-ed25519")
WRONG = {
    "its key": ({"credentials": Credentials(STRANGER.export_private_key())}, Refused, ClusterReason.AUTHENTICATION_FAILED,
                r"\(spec\.proxyJump\[0\]\) refused user .* check spec\.proxyJump\[0\]\.user"),
    "its host keys": ({"host_keys": HostKeys(f"other.example.org {STRANGER.export_public_key().decode()}")}, Refused,
                      ClusterReason.HOST_KEY_UNKNOWN, r"spec\.proxyJump\[0\]\.hostKeys does not know"),
    "text for a key": ({"credentials": Credentials(b"nonsense")}, Unreadable, ClusterReason.SECRET_INVALID,
                       r"^spec\.proxyJump\[0\]\.authSecretRef: ssh-privatekey is not a private key"),
    "text for host keys": ({"host_keys": HostKeys("nonsense")}, Unreadable, ClusterReason.HOST_KEYS_INVALID,
                           r"^spec\.proxyJump\[0\]\.hostKeys cannot be used: line 1"),
    "its name": ({"host": "no-such-host.invalid"}, Unreachable, ClusterReason.NAME_NOT_RESOLVED, r"check spec\.proxyJump\[0\]\.host"),
}


@pytest.mark.parametrize(("changes", "kind", "reason", "words"), WRONG.values(), ids=WRONG)
async def test_what_is_wrong_with_a_jump_host_is_told_of_it_and_not_of_the_login_node(site, remote, changes, kind, reason, words):
    """Else a person would look for the fault in the wrong Secret."""
    with pytest.raises(kind, match=words) as failure:
        await remote.exchange(site.address(replace(address_of(site.jump, **changes), hop=0)), WHERE)
    assert failure.value.reason is reason
    assert site.login.connections() == 0


async def test_a_jump_host_that_does_not_forward_says_what_its_sshd_must_allow(bed, host):
    """Else a bastion's restriction would look like a network fault."""
    jump = SshHost.start(bed, sshd_extra=("AllowTcpForwarding no",))
    try:
        with ExitStack() as stack:
            site = Site(stack, host, jump)
            async with SshRemote() as remote:
                with pytest.raises(Refused, match=r"\(spec\.proxyJump\[0\]\) does not forward to .* AllowTcpForwarding") as failure:
                    await remote.exchange(site.address(), WHERE)
                assert failure.value.reason is ClusterReason.CONNECTION_FAILED
    finally:
        jump.stop()


async def test_a_login_node_that_is_away_behind_its_jump_host_is_told_apart_from_it(site, remote):
    """Else a person would look for the fault at the bastion."""
    site.cable.refuse()
    with pytest.raises(Unreachable, match=r"the jump host .* cannot connect to .*refused") as failure:
        await remote.exchange(site.address(), WHERE)
    assert failure.value.reason is ClusterReason.CONNECTION_FAILED
    site.cable.pass_through()
    assert await remote.exchange(site.address(), WHERE)


async def test_a_jump_host_cannot_pass_itself_off_as_the_login_node(site, remote):
    """Else whoever runs the bastion could take the login node's place with the bastion's own host key."""
    pins = HostKeys(f"{site.cable.host} {site.login.known_hosts.split(None, 1)[1]}\n{site.jump.known_hosts}")
    with ExitStack() as stack:
        false_site = Site(stack, site.jump, site.jump)       # the cable leads back to the jump host
        address = replace(false_site.address(), host_keys=pins)
        with pytest.raises(Refused) as failure:
            await remote.exchange(address, WHERE)
    assert failure.value.reason is ClusterReason.HOST_KEY_MISMATCH


async def test_a_withdrawn_key_of_a_jump_host_shows_within_the_age_of_a_connection(site):
    """Else connections that were led through an old login would go on with it."""
    async with SshRemote(PoolLimits(age_seconds=1.0)) as remote:
        await remote.exchange(site.address(), WHERE)
        site.jump.write("ssh/authorized_keys", "")
        with pytest.raises(Refused, match=r"spec\.proxyJump\[0\]"):
            await asyncio.wait_for(_exchange_for_ever(remote, site.address()), 60)


async def test_connections_to_jump_hosts_count_and_are_not_taken_from_under_those_who_use_them(site):
    """Else the bound would not hold, or making room for one cluster would cut off another."""
    addresses = [site.address(keepalive_interval_seconds=15 + number) for number in range(8)]
    async with SshRemote(PoolLimits(connections=3)) as remote:
        held = []

        async def ask(address):
            await remote.exchange(address, script("sleep 0.05"))
            held.append(remote.seats.taken)

        await asyncio.gather(*(ask(address) for address in addresses))
        assert max(held) <= 3
        assert site.jump.sshd_log().count("Accepted publickey") == 1


async def test_a_log_is_read_through_the_jump_host_too(site, eventually):
    """Else `fairlead logs` would fail on the clusters on which Jobs run."""
    async with printing_at(site.address()) as line:
        assert b"".join([piece async for piece in line.output(WHERE)]) == f"{site.login.name}\n".encode()
    await eventually(lambda: site.jump.connections() == 0)


async def _exchange_for_ever(remote, address):
    while True:
        await remote.exchange(address, WHERE)
