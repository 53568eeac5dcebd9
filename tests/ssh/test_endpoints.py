"""Several login nodes of one site: the next one is used when one is away, and none is trusted without its host key."""

import pytest
from ssh_addresses import address_of, script

from bed.sshdconf import KeyPair
from fairlead.api.v1alpha1.reasons import ClusterReason
from fairlead.domain.cluster.address import Endpoint, HostKeys
from fairlead.domain.errors import Refused, Unreachable

WHERE = script("hostname")
NOBODY = "127.250.0.1"               # an address of this machine on which nothing listens


@pytest.fixture
def both(host, own_host):
    """Two login nodes of one site, the first of which the test may break: an address with both, in this order."""
    own_host.write("ssh/authorized_keys", (host.folder / "ssh/authorized_keys").read_text())
    return address_of(host, host=own_host.host, port=own_host.port, host_keys=HostKeys(f"{own_host.known_hosts}\n{host.known_hosts}"),
                      more_endpoints=(Endpoint(host.host, host.port),), connect_timeout_seconds=6.0)


async def test_the_first_endpoint_is_used_while_it_answers(both, own_host, host, remote):
    """Else a site's order of login nodes would count for nothing."""
    assert await remote.exchange(both, WHERE) == f"{own_host.name}\n".encode()
    assert host.connections() == 0


@pytest.mark.parametrize("away", ["nothing listens", "sshd hangs", "all is dropped"])
async def test_the_next_endpoint_is_used_within_the_connect_time_out_when_the_first_is_away(both, own_host, host, remote, away):
    """Else maintenance of one login node would stop the work on a site that has another."""
    go_away = {"nothing listens": own_host.sshd.kill, "sshd hangs": own_host.sshd.stop, "all is dropped": lambda: own_host.drop(True)}
    go_away[away]()
    assert await remote.exchange(both, WHERE) == f"{host.name}\n".encode()


async def test_an_endpoint_that_answered_is_kept_to_until_it_is_away(both, own_host, host, remote):
    """Else each new connection would wait again for the login node that is away, or go back and forth."""
    own_host.sshd.kill()
    await remote.exchange(both, WHERE)
    own_host.sshd.start()
    host.end_sessions()
    assert await remote.exchange(both, WHERE) == f"{host.name}\n".encode(), "the one that answered last"
    own_host.sshd.stop()
    host.end_sessions()
    assert await remote.exchange(both, WHERE) == f"{host.name}\n".encode(), "without waiting for the other"
    own_host.sshd.cont()


async def test_the_endpoint_that_was_kept_to_is_left_when_it_goes_away(both, own_host, host, remote):
    """Else a site would be lost with the login node that happened to answer last."""
    assert await remote.exchange(both, WHERE) == f"{own_host.name}\n".encode()
    own_host.sshd.kill()
    own_host.end_sessions()
    assert await remote.exchange(both, WHERE) == f"{host.name}\n".encode()


async def test_each_endpoint_is_trusted_by_its_own_host_key_only(both, own_host, host, remote):
    """Else whoever answers in place of the second login node would be handed a login."""
    own_host.sshd.kill()
    only_first = address_of(host, host=both.host, more_endpoints=both.more_endpoints, host_keys=HostKeys(own_host.known_hosts))
    with pytest.raises(Refused, match=f"{host.host}:22 shows a host key that spec.hostKeys does not know") as failure:
        await remote.exchange(only_first, WHERE)
    assert failure.value.reason is ClusterReason.HOST_KEY_UNKNOWN


async def test_a_host_key_that_is_not_trusted_is_told_and_not_passed_over(both, own_host, host, remote):
    """Else an attack on one login node would never be noticed while another answers."""
    pins = HostKeys(f"{own_host.host} {KeyPair.generate().public}\n{host.known_hosts}")
    with pytest.raises(Refused) as failure:
        await remote.exchange(address_of(host, host=both.host, more_endpoints=both.more_endpoints, host_keys=pins), WHERE)
    assert failure.value.reason is ClusterReason.HOST_KEY_MISMATCH
    assert host.connections() == 0


async def test_when_none_answers_each_is_named_with_what_is_wrong(both, own_host, remote):
    """Else a person would look for the fault at one login node only."""
    own_host.sshd.kill()
    lost = address_of(own_host, more_endpoints=(Endpoint("no-such-host.invalid", 22), Endpoint(NOBODY, 2222)))
    with pytest.raises(Unreachable, match="none of the 3 endpoints can be connected to") as failure:
        await remote.exchange(lost, WHERE)
    assert failure.value.reason is ClusterReason.CONNECTION_REFUSED
    for words in (f"nothing listens on {own_host.host}:22", "no-such-host.invalid has no address", f"nothing listens on {NOBODY}:2222"):
        assert words in str(failure.value)
