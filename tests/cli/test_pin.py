"""`fairlead pin`, as a person calls it, against real sshds: what it prints is what a Cluster needs, and nobody logs in."""

from collections.abc import Iterator
from pathlib import Path

import asyncssh
import pytest
import yaml

from bed.controlplane.ports import free
from bed.login import LoginNode
from bed.proxy import TcpProxy
from bed.slurmconf import INSIDE
from bed.sshd import SshHost
from bed.state import Bed
from product.command import fairlead
from product.mean import silent_hosts
from product.scene import Scene

NOWHERE = Path("/nonexistent/config")


@pytest.fixture(scope="module")
def of_two_keys(bed: Bed) -> Iterator[tuple[SshHost, str]]:
    """A host that has two host keys, and the fingerprint of the second."""
    host = SshHost.start(bed)
    key = asyncssh.generate_private_key("ssh-rsa", key_size=2048)
    host.write("ssh/hostkey-rsa", key.export_private_key().decode(), mode=0o600)
    configuration = host.folder / "ssh/sshd_config"
    configuration.write_text(f"{configuration.read_text()}HostKey {INSIDE}/ssh/hostkey-rsa\n")
    host.sshd.term()
    host.sshd.start()
    yield host, key.get_fingerprint()
    host.stop()


def pinned(*args: str) -> tuple[str, str]:
    """What it prints on its two outputs."""
    done = fairlead("pin", *args, kubeconfig=NOWHERE)
    assert done.returncode == 0, done.stderr
    return done.stdout.decode(), done.stderr.decode()


def refused(*args: str) -> tuple[int, str]:
    """Exit code and sentence, where it can print nothing."""
    done = fairlead("pin", *args, kubeconfig=NOWHERE)
    assert done.stdout == b""
    [sentence] = done.stderr.decode().splitlines()
    return done.returncode, sentence


def fingerprint(node: LoginNode) -> str:
    """Of the host key that it has from the start."""
    return asyncssh.import_public_key(node.known_hosts.split(" ", 1)[1]).get_fingerprint()


def test_every_key_is_printed_with_the_fingerprint_to_compare_and_nobody_logs_in(of_two_keys: tuple[SshHost, str]) -> None:
    """Else a person would have to put the block together by hand, compare the wrong key, or find their address locked out by the site."""
    host, of_rsa = of_two_keys
    before = host.sshd_log()
    block, said = pinned(host.host)
    first, second = yaml.safe_load(block)["hostKeys"]["knownHosts"].splitlines()
    assert first == host.known_hosts
    assert second.startswith(f"{host.host} ssh-rsa AAAA")
    shown = dict(line.split() for line in said.splitlines() if " SHA256:" in line)
    assert shown == {"ssh-ed25519": fingerprint(host), "ssh-rsa": of_rsa}
    assert "compare the fingerprints with what the site publishes" in said
    since = host.sshd_log().removeprefix(before)
    assert "Connection" in since
    assert not {"Accepted", "Failed"} & set(since.split())


def test_a_cluster_with_the_block_is_ready(bare: SshHost, scene: Scene) -> None:
    """Else what is printed could not be pasted."""
    block, _ = pinned(bare.host)
    scene.bare_host(bare, **yaml.safe_load(block))     # waits until it is ready


def test_a_host_behind_a_jump_host_is_asked_through_it(of_two_keys: tuple[SshHost, str], bare: SshHost, tmp_path: Path) -> None:
    """Else a cluster that only its jump host reaches could not be pinned; a jump host that shows another key must not be believed."""
    jump, _ = of_two_keys
    key, known = tmp_path / "key", tmp_path / "known_hosts"
    key.write_text(jump.private_key)
    known.write_text(jump.known_hosts)
    through = ("-J", f"{jump.user}@{jump.host}", "-i", str(key), "--known-hosts", str(known))
    with TcpProxy(bare.host, bare.port, jump.enclosure.network.outer) as cable:   # what the jump host alone reaches
        behind = f"{cable.host}:{cable.port}"
        listed = yaml.safe_load(pinned(behind, *through)[0])["hostKeys"]["knownHosts"].strip()
        assert listed == f"[{cable.host}]:{cable.port} {bare.known_hosts.split(' ', 1)[1]}"
        known.write_text(bare.known_hosts)
        code, sentence = refused(behind, *through)
        assert code == 1
        assert f"{jump.host}:22 shows a host key that the known_hosts file does not know" in sentence
        assert refused(behind, "-J", jump.host)[0] == 2, "no key was named"


def test_a_port_that_is_not_the_usual_one_is_in_the_line(bed: Bed) -> None:
    """Else the line would not be found for the Cluster's endpoint."""
    host = SshHost.start(bed, sshd_extra=("Port 2222",))
    try:
        block, said = pinned(f"{host.host}:2222")
        assert yaml.safe_load(block)["hostKeys"]["knownHosts"].startswith(f"[{host.host}]:2222 ssh-ed25519 ")
        assert f"Fingerprints of {host.host}:2222:" in said
    finally:
        host.stop()


def test_a_host_that_shows_none_is_told_in_a_sentence_and_in_time() -> None:
    """Else a typo would end in a stack, or in a shell that hangs."""
    port = free(1)[0]
    code, sentence = refused(f"127.0.0.1:{port}")
    assert code == 1
    assert sentence.startswith(f"fairlead: nothing listens on 127.0.0.1:{port} (connection refused): ")
    with silent_hosts(1) as [silent]:
        code, sentence = refused(f"127.0.0.1:{silent}", "--timeout", "0.5")
        assert (code, "did not finish the SSH login within 0.5 s" in sentence) == (1, True)
    assert refused("login.fairlead.invalid:70000")[0] == 2
    assert refused("-J", "a b@c", "--", "login.fairlead.invalid")[0] == 2
