"""Connecting to a real sshd: each way in which it fails has its reason and a sentence that a person can act on."""

import asyncio
from dataclasses import replace

import asyncssh
import pytest
from ssh_addresses import address_of, script

from bed.sshdconf import KeyPair
from fairlead.api.v1alpha1.reasons import ClusterReason
from fairlead.domain.cluster.address import Address, Credentials, HostKeys
from fairlead.domain.errors import FairleadError, Refused, Unreachable, Unreadable
from fairlead.ssh.connect import connect
from fairlead.ssh.kept import close_connection
from fairlead.ssh.profile import read_profiles
from fairlead.ssh.remote import SshRemote
from fairlead.ssh.resolver import Resolver

TRUE = script("echo yes")


@pytest.mark.parametrize(("algorithm", "options"), [
    ("ssh-ed25519", {}), ("ssh-rsa", {"key_size": 2048}), ("ecdsa-sha2-nistp256", {}), ("ecdsa-sha2-nistp521", {}),
], ids=lambda value: value if isinstance(value, str) else "")
@pytest.mark.parametrize("form", ["openssh", "pkcs8-pem"])
async def test_every_usual_kind_of_key_logs_in(host, remote, algorithm, options, form):
    key = asyncssh.generate_private_key(algorithm, **options)
    host.write("ssh/authorized_keys", key.export_public_key().decode())
    assert await remote.exchange(address_of(host, credentials=Credentials(key.export_private_key(form))), TRUE) == b"yes\n"


async def test_a_key_with_windows_line_ends_and_no_last_newline_logs_in(host, remote):
    text = host.private_key.strip().replace("\n", "\r\n").encode()
    assert await remote.exchange(address_of(host, credentials=Credentials(text)), TRUE) == b"yes\n"


@pytest.mark.parametrize("ending", [b"", b"\n", b"\r\n"], ids=["as it is", "with the newline of a file", "with that of a Windows file"])
async def test_a_key_with_its_passphrase_logs_in(host, remote, ending):
    key = asyncssh.import_private_key(host.private_key)
    text = key.export_private_key("openssh", passphrase="open sesame", rounds=50)
    assert await remote.exchange(address_of(host, credentials=Credentials(text, b"open sesame" + ending)), TRUE) == b"yes\n"


async def test_a_certificate_logs_in_where_its_authority_is_trusted(host, remote):
    authority, key = asyncssh.generate_private_key("ssh-ed25519"), asyncssh.generate_private_key("ssh-ed25519")
    certificate = authority.generate_user_certificate(key, "test", principals=[host.user]).export_certificate()
    host.write("ssh/authorized_keys", f"cert-authority {authority.export_public_key().decode()}")
    credentials = Credentials(key.export_private_key(), certificate=certificate)
    assert await remote.exchange(address_of(host, credentials=credentials), TRUE) == b"yes\n"


async def test_a_wrong_key_is_refused_with_the_user_and_the_key_that_was_offered(host, remote):
    other = asyncssh.generate_private_key("ssh-ed25519")
    failure = await _failure(remote, address_of(host, credentials=Credentials(other.export_private_key())), Refused)
    assert failure.reason is ClusterReason.AUTHENTICATION_FAILED
    assert f"refused user {host.user} with key ssh-ed25519 {other.get_fingerprint()}" in str(failure)
    assert other.export_private_key().decode().splitlines()[1] not in str(failure)


async def test_a_wrong_user_is_refused(host, remote):
    failure = await _failure(remote, address_of(host, user="nobody-here"), Refused)
    assert failure.reason is ClusterReason.AUTHENTICATION_FAILED
    assert "user nobody-here" in str(failure)


async def test_a_key_that_cannot_be_read_is_never_offered(host, remote):
    before = host.sshd_log()
    failure = await _failure(remote, address_of(host, credentials=Credentials(b"nonsense")), Unreadable)
    assert failure.reason is ClusterReason.SECRET_INVALID
    assert "Connection from" not in host.sshd_log().removeprefix(before)


async def test_a_host_without_a_pin_is_refused_with_the_fingerprint_seen(host, remote):
    other = KeyPair.generate().public
    failure = await _failure(remote, address_of(host, host_keys=HostKeys(f"other.example.org {other}")), Refused)
    assert failure.reason is ClusterReason.HOST_KEY_UNKNOWN
    assert f"does not know: ssh-ed25519 {_fingerprint(host)}" in str(failure)


@pytest.mark.parametrize("kind", ["known_hosts", "fingerprints", "revoked"])
async def test_another_host_key_than_the_pinned_one_is_refused_with_both_fingerprints(host, remote, kind):
    key = asyncssh.import_public_key(KeyPair.generate().public)
    pins = {"known_hosts": HostKeys(f"{host.host} {key.export_public_key().decode()}"),
            "fingerprints": HostKeys(fingerprints=(key.get_fingerprint(),)),
            "revoked": HostKeys(f"{host.known_hosts}\n@revoked {host.known_hosts}")}
    failure = await _failure(remote, address_of(host, host_keys=pins[kind]), Refused)
    assert failure.reason is ClusterReason.HOST_KEY_MISMATCH
    assert "Host key is revoked" in str(failure) if kind == "revoked" else key.get_fingerprint() in str(failure)
    assert _fingerprint(host) in str(failure)


async def test_a_host_pinned_by_its_fingerprint_is_connected_to(host, remote):
    assert await remote.exchange(address_of(host, host_keys=HostKeys(fingerprints=(_fingerprint(host),))), TRUE) == b"yes\n"


@pytest.mark.parametrize("pinned", ["ssh-ed25519", "ecdsa-sha2-nistp256", "ssh-rsa"])
@pytest.mark.parametrize("way", ["known_hosts", "fingerprints"])
async def test_of_several_host_keys_the_pinned_one_is_asked_for(pinned, way):
    keys = [asyncssh.generate_private_key(name) for name in ("ssh-rsa", "ssh-ed25519", "ecdsa-sha2-nistp256")]
    key = next(key for key in keys if key.get_algorithm() == pinned)
    client = asyncssh.generate_private_key("ssh-ed25519")
    async with _server(keys, client) as server, SshRemote() as remote:
        line = f"[127.0.0.1]:{server.get_port()} {key.export_public_key().decode()}"
        pins = HostKeys(line) if way == "known_hosts" else HostKeys(fingerprints=(key.get_fingerprint(),))
        assert await remote.exchange(_local(server.get_port(), client, pins), TRUE) == b"served"


async def test_a_host_certificate_is_trusted_through_its_authority():
    authority, key, client = (asyncssh.generate_private_key("ssh-ed25519") for _ in range(3))
    certificate = authority.generate_host_certificate(key, "test", principals=["127.0.0.1"])
    async with _server([(key, certificate)], client) as server, SshRemote() as remote:
        pins = HostKeys(f"@cert-authority 127.0.0.1 {authority.export_public_key().decode()}")
        assert await remote.exchange(_local(server.get_port(), client, pins), TRUE) == b"served"


async def test_a_name_without_an_address_is_said_to_have_none(host, remote):
    failure = await _failure(remote, address_of(host, host="no-such-host.invalid"), Unreachable)
    assert failure.reason is ClusterReason.NAME_NOT_RESOLVED
    assert "the name no-such-host.invalid has no address" in str(failure)


async def test_a_name_is_looked_up_and_its_host_key_is_pinned_by_the_name():
    key, client = asyncssh.generate_private_key("ssh-ed25519"), asyncssh.generate_private_key("ssh-ed25519")
    async with _server([key], client) as server, SshRemote() as remote:
        port = server.get_port()
        pins = HostKeys(f"[localhost]:{port} {key.export_public_key().decode()}")
        address = replace(_local(port, client, pins), host="localhost")
        assert await remote.exchange(address, TRUE) == b"served"


async def test_of_a_names_addresses_the_next_is_tried_when_one_does_not_answer():
    key, client = asyncssh.generate_private_key("ssh-ed25519"), asyncssh.generate_private_key("ssh-ed25519")
    async with _server([key], client) as server:
        pins = HostKeys(f"[login.example.org]:{server.get_port()} {key.export_public_key().decode()}")
        [profile] = read_profiles(replace(_local(server.get_port(), client, pins), host="login.example.org"))
        connection = await connect(profile, Resolver(lambda _host, _port: ["127.0.0.2", "127.0.0.1"]), 5.0)
        assert connection.get_extra_info("peername")[0] == "127.0.0.1"
        await close_connection(connection, 1.0)


async def test_a_killed_sshd_refuses_and_is_found_again(own_host, remote):
    own_host.sshd.kill()
    failure = await _failure(remote, address_of(own_host), Unreachable)
    assert failure.reason is ClusterReason.CONNECTION_REFUSED
    assert f"nothing listens on {own_host.host}:22" in str(failure)
    own_host.sshd.start()
    assert await remote.exchange(address_of(own_host), TRUE) == b"yes\n"


async def test_a_stopped_sshd_costs_the_connect_time_out_and_delays_no_other_host(own_host, host, remote):
    own_host.sshd.stop()
    stuck = asyncio.create_task(_failure(remote, address_of(own_host, connect_timeout_seconds=6.0), Unreachable))
    assert await asyncio.gather(*(remote.exchange(address_of(host), TRUE) for _ in range(10))) == [b"yes\n"] * 10
    assert not stuck.done()
    failure = await stuck
    assert failure.reason is ClusterReason.CONNECT_TIMEOUT
    assert "took the connection and did not finish the SSH login within 6 s" in str(failure)
    own_host.sshd.cont()


async def test_a_link_that_drops_everything_costs_the_connect_time_out(own_host, remote):
    own_host.drop(True)
    failure = await _failure(remote, address_of(own_host, connect_timeout_seconds=0.5), Unreachable)
    assert failure.reason is ClusterReason.CONNECT_TIMEOUT
    assert "did not answer (name, route or firewall) within 0.5 s" in str(failure)


async def test_a_connection_cut_before_the_login_names_what_may_have_cut_it(remote):
    async def cut(_, writer):
        writer.close()
    async with await asyncio.start_server(cut, "127.0.0.1", 0) as server:
        failure = await _failure(remote, _local_to(server), Unreachable)
    assert failure.reason is ClusterReason.CONNECTION_LOST
    assert "MaxStartups" in str(failure)


async def test_a_port_that_speaks_no_ssh_is_said_not_to_connect(remote):
    async def speak(reader, writer):
        writer.write(b"SSH-1.0-old\r\n")
        await reader.read()
        writer.close()
    async with await asyncio.start_server(speak, "127.0.0.1", 0) as server:
        failure = await _failure(remote, _local_to(server), Unreachable)
    assert failure.reason is ClusterReason.CONNECTION_FAILED
    assert "Unsupported SSH version" in str(failure)


async def test_a_server_without_modern_algorithms_is_refused_with_what_it_offers():
    key, client = asyncssh.generate_private_key("ssh-ed25519"), asyncssh.generate_private_key("ssh-ed25519")
    async with _server([key], client, kex_algs=["diffie-hellman-group1-sha1"]) as server, SshRemote() as remote:
        pins = HostKeys(f"127.0.0.1 {key.export_public_key().decode()}")
        failure = await _failure(remote, _local(server.get_port(), client, pins), Refused)
    assert failure.reason is ClusterReason.NO_COMMON_ALGORITHM
    assert "offers no key exchange algorithm that Fairlead accepts. It offers diffie-hellman-group1-sha1" in str(failure)


def _fingerprint(host) -> str:
    return asyncssh.import_public_key(host.known_hosts.split(None, 1)[1]).get_fingerprint()


async def _failure(remote, address, kind: type[FairleadError]):
    with pytest.raises(kind) as failure:
        await remote.exchange(address, TRUE)
    return failure.value


def _server(keys, client, **options):
    """A server with more host keys than the bed's sshd has."""
    async def answer(process):
        await process.stdin.read()
        process.stdout.write("served")
        process.exit(0)
    return asyncssh.listen("127.0.0.1", 0, server_host_keys=keys, process_factory=answer,
                           authorized_client_keys=asyncssh.import_authorized_keys(client.export_public_key().decode()), **options)


def _local(port: int, client, pins: HostKeys):
    return Address("127.0.0.1", port, "user", Credentials(client.export_private_key()), pins, connect_timeout_seconds=5.0)


def _local_to(server: asyncio.Server):
    port = server.sockets[0].getsockname()[1]
    return _local(port, asyncssh.generate_private_key("ssh-ed25519"), HostKeys(f"127.0.0.1 {KeyPair.generate().public}"))


