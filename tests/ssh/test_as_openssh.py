"""What OpenSSH's own tools take for a key or a pin, asked of the real ones, is one here too."""

import subprocess

import asyncssh
import pytest

from bed.enclosure import INSIDE
from bed.sshd import SshHost
from fairlead.domain.cluster.address import Credentials, HostKeys
from fairlead.ssh.hostkeys import read_host_keys
from fairlead.ssh.keys import read_key

KINDS = (
    ("ed25519", ""), ("rsa", ""), ("rsa", "-m PEM"), ("rsa", "-m PKCS8"), ("ecdsa", "-m PEM"), ("ecdsa", "-m PKCS8"), ("ecdsa", "-b 521"),
)
PASTED = {
    "as it is": lambda text: text,
    "with Windows line ends": lambda text: text.replace("\n", "\r\n"),
    "without its last newline": lambda text: text.rstrip("\n"),
    "with an empty line behind each": lambda text: text.replace("\n", "\n\n"),
    "with empty lines behind it": lambda text: text + "\n\n",
    "with text behind it": lambda text: text + "ann@laptop\n",
}
PINS = (
    "{name} {key}", "{name},192.0.2.7 {key}", "[{name}]:2222 {key}", "{capitals} {key}", "*.example.org {key}",
    "!bad.*,*.example.org {key}",
    "[*.example.org]:2222 {key}", "@cert-authority *.example.org {key}", "# seen\n\n{name} {key} a comment", "\t{name}\t{key}\r",
    "{name} ssh-mldsa44@example.org AAAAF3NzaC1tbGRzYTQ0QGV4YW1wbGUub3JnAAAA\n{name} {key}", "{name} 1024 35 {number}\n{name} {key}",
)
NAME = "login.example.org"


def keygen(host: SshHost, *argv: str) -> "subprocess.CompletedProcess[str]":
    return host.run("ssh-keygen", *argv, check=False)


@pytest.mark.parametrize(("kind", "options"), KINDS, ids=[f"{kind} {options}".strip() for kind, options in KINDS])
def test_a_private_key_that_ssh_keygen_reads_is_read(host: SshHost, kind: str, options: str) -> None:
    """Else a Secret would be refused that holds what `ssh -i` logs in with."""
    path = f"{INSIDE}/home/pasted"
    host.run("sh", "-c", f"rm -f {path}* && ssh-keygen -q -t {kind} {options} -N '' -f {path}")
    text, read = (host.home / "pasted").read_text(), []
    for how, change in PASTED.items():
        (host.home / "pasted").write_bytes(change(text).encode())
        public = keygen(host, "-y", "-f", path)
        if public.returncode == 0:
            read.append(how)
            expected = asyncssh.import_public_key(public.stdout).get_fingerprint()
            assert read_key(Credentials(change(text).encode())).fingerprint == expected, how
    host.run("sh", "-c", f"rm -f {path}*")
    assert "as it is" in read


def test_a_pin_that_ssh_keygen_finds_is_found(host: SshHost) -> None:
    """Else a Cluster would not know a host whose line `ssh` goes by."""
    key = asyncssh.generate_private_key("ssh-ed25519").export_public_key().decode().strip()
    path = f"{INSIDE}/home/hosts"
    for pin in PINS:
        known = []
        for hashed in (False, True):
            (host.home / "hosts").write_text(pin.format(name=NAME, capitals=NAME.upper(), key=key, number="1" * 309) + "\n")
            if hashed:
                keygen(host, "-H", "-f", path)
            for port in (22, 2222):
                found = keygen(host, "-F", NAME if port == 22 else f"[{NAME}]:{port}", "-f", path)
                text = (host.home / "hosts").read_text()
                pins = read_host_keys(HostKeys(text), NAME, port)
                listed = pins.known_hosts.match(NAME, "198.51.100.9", port if port != 22 else None)
                assert found.returncode or any(listed[:2]), f"{text!r} for port {port}"
                known.append(found.returncode)
        assert 0 in known, f"{pin} is none for the real one, either"
    host.run("sh", "-c", f"rm -f {path}*")
