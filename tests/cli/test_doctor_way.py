"""`fairlead doctor` on real sshds: where the way to a host ends, each with the words that a person can act on."""

import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace

import asyncssh
import pytest
from doctor_looks import look, look_at, target, verdicts

from bed.controlplane.ports import free
from bed.proxy import TcpProxy
from bed.sshd import SshHost
from bed.sshdconf import KeyPair
from bed.state import Bed
from fairlead.cli.doctor.finding import Result
from fairlead.domain.cluster.address import Address, Credentials, HostKeys
from product.mean import silent_hosts
from product.waiting import until

WRONG, SKIPPED, NOTE = Result.WRONG, Result.SKIPPED, Result.NOTE


@contextmanager
def server(serve: Callable[[socket.socket], None]) -> Iterator[int]:
    """A port on which each connection is given to `serve`."""
    with socket.create_server(("127.0.0.1", 0)) as listening:
        def accept() -> None:
            while True:
                try:
                    connection, _ = listening.accept()
                except OSError:
                    return
                with connection:
                    try:
                        serve(connection)
                    except OSError:
                        continue

        thread = threading.Thread(target=accept, daemon=True)
        thread.start()
        yield listening.getsockname()[1]
        listening.shutdown(socket.SHUT_RDWR)
    thread.join(5)


def test_a_name_without_an_address_ends_the_way(bare: SshHost) -> None:
    """Else a typo would look like a network fault."""
    found = look(bare, host="login.fairlead.invalid")
    assert found["name"].verdict is WRONG
    assert "the name login.fairlead.invalid has no address" in found["name"].words
    assert {found[each].verdict for each in ("route", "port", "host key", "login", "shell", "workDir", "sessions")} == {SKIPPED}
    assert found["login"].words == "not looked at, because of name"


def test_a_port_on_which_nobody_listens(bare: SshHost) -> None:
    """Else a person would look for a firewall."""
    port = free(1)[0]
    found = look(bare, host="127.0.0.1", port=port)
    assert (found["route"].verdict, found["port"].verdict) == (Result.OK, WRONG)
    assert f"nothing listens on 127.0.0.1:{port} (connection refused)" in found["port"].words


def test_a_host_that_loses_every_packet(host: SshHost) -> None:
    """Else a person would look at sshd, and not at the firewall."""
    host.drop(True)
    found = look(host, connection={"connectTimeoutSeconds": 1})
    host.drop(False)
    assert found["route"].verdict is WRONG
    assert f"{host.host}:22 did not answer within 1 s" in found["route"].words


def test_what_takes_connections_and_is_no_ssh_server_is_told_apart(bare: SshHost) -> None:
    """Else a look would hang at what is silent, or fill the memory by what never ends."""
    quick = {"connection": {"connectTimeoutSeconds": 1}}
    with silent_hosts(1) as [silent]:
        assert "took the connection and said nothing within 1 s" in look(bare, host="127.0.0.1", port=silent, **quick)["port"].words
    for last_words in (b"", b"Not allowed at this time\r\n"):
        with server(lambda connection, words=last_words: connection.sendall(words)) as closing:
            assert "closed the connection at once" in look(bare, host="127.0.0.1", port=closing, **quick)["port"].words
    with server(lambda connection: connection.sendall(b"\x1b[31mHTTP/1.1 400 Bad Request\r\n\r\n")) as web:
        said = look(bare, host="127.0.0.1", port=web, **quick)["port"]
        assert (said.verdict, "is no SSH server, it says: [31mHTTP/1.1 400 Bad Request" in said.words) == (WRONG, True)

    def talk(connection: socket.socket) -> None:
        while True:
            connection.sendall(b"welcome\r\n" * 4096)

    with server(talk) as endless:
        assert "is no SSH server" in look(bare, host="127.0.0.1", port=endless, **quick)["port"].words

    def banner(connection: socket.socket) -> None:
        connection.sendall(b"SSH-2.0-endless\r\n")
        talk(connection)

    with server(banner) as endless:
        assert look(bare, host="127.0.0.1", port=endless, **quick)["login"].verdict is WRONG


def test_a_host_key_that_is_another_or_not_known(bare: SshHost) -> None:
    """Else a person would not know whether to ask the site, or to add a line."""
    found = look(bare, known_hosts=f"{bare.host} {KeyPair.generate().public}")
    assert (found["port"].verdict, found["host key"].verdict, found["login"].verdict) == (Result.OK, WRONG, SKIPPED)
    assert "shows a host key that is not the pinned one: seen ssh-ed25519 SHA256:" in found["host key"].words
    found = look(bare, known_hosts=f"other.example.org {KeyPair.generate().public}")
    assert "shows a host key that spec.hostKeys does not know" in found["host key"].words
    found = look(bare, known_hosts="nonsense")
    assert (found["host key"].verdict, found["port"].verdict, found["login"].verdict) == (WRONG, Result.OK, SKIPPED)


def test_a_key_that_is_refused_or_none(bare: SshHost) -> None:
    """Else a person would not know which key the site has to be given."""
    other = KeyPair.generate()
    found = look(bare, key=other.private)
    assert (found["host key"].verdict, found["login"].verdict, found["shell"].verdict) == (Result.OK, WRONG, SKIPPED)
    fingerprint = asyncssh.import_public_key(other.public).get_fingerprint()
    assert f"refused user {bare.user} with key ssh-ed25519 {fingerprint}" in found["login"].words
    found = look(bare, key="nonsense")
    assert (found["key"].verdict, found["port"].verdict, found["login"].verdict) == (WRONG, Result.OK, SKIPPED)
    assert "is not a private key" in found["key"].words


def test_one_session_and_no_forwarding_are_noted(bed: Bed) -> None:
    """Else Jobs would be slow for a reason that nobody sees, and a jump host fail for another."""
    narrow = SshHost.start(bed, sshd_extra=("MaxSessions 1", "AllowTcpForwarding no"))
    try:
        found = look(narrow)
        assert verdicts(found) == {"sessions": NOTE, "forwarding": NOTE}, "nobody has to change it"
        assert "its sshd allows 1 at a time on a connection, where spec.connection.maxChannelsPerConnection is 4" in found["sessions"].words
        assert "forwards no TCP (AllowTcpForwarding, PermitOpen)" in found["forwarding"].words
        jump = Address(narrow.host, narrow.port, narrow.user, Credentials(narrow.private_key.encode()), HostKeys(narrow.known_hosts), hop=0)
        found = look(narrow, via=jump)
        assert (found["jump[0]"].verdict, found["route"].verdict) == (Result.OK, WRONG)
        assert "the jump host does not forward to" in found["route"].words
    finally:
        narrow.stop()


def test_a_host_behind_a_jump_host(bare: SshHost, host: SshHost) -> None:
    """Else the way through a bastion could not be looked at."""
    with TcpProxy(bare.host, bare.port, host.enclosure.network.outer) as cable:
        jump = Address(host.host, host.port, host.user, Credentials(host.private_key.encode()), HostKeys(host.known_hosts), hop=0)
        known = f"[{cable.host}]:{cable.port} {bare.known_hosts.split(' ', 1)[1]}"
        found = look(bare, host=cable.host, port=cable.port, known_hosts=known, via=jump)
        assert verdicts(found) == {}
        assert f"{host.user}@{host.host}:22 is let in" in found["jump[0]"].words
        broken = replace(jump, host_keys=HostKeys(bare.known_hosts))
        found = look(bare, host=cable.host, port=cable.port, known_hosts=known, via=broken)
        assert found["jump[0]"].verdict is WRONG
        assert found["login"].words == "not looked at, because of jump[0]"


@pytest.mark.parametrize(("shell", "file", "text", "words"), [
    ("/bin/bash", ".bashrc", "printf 'Welcome! \\033[1m'; printf 'no newline'", "23 bytes that it prints at login are passed over"),
    ("/bin/bash", ".bashrc", "sleep 600 &\nprintf 'left\\n'", "5 bytes that it prints at login are passed over"),
    ("/usr/bin/fish", ".config/fish/config.fish", "printf 'Welcome!\\n'", "9 bytes that it prints at login are passed over"),
], ids=["bash", "bash that leaves something running", "fish"])
def test_a_shell_that_prints_at_login_is_passed_over(host: SshHost, shell: str, file: str, text: str, words: str) -> None:
    """Else a person would take out of their dotfiles what harms nobody."""
    path = host.home / file
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text + "\n")
    host.set_login_shell(shell)
    found = look(host)
    assert verdicts(found) == {}
    assert found["shell"].words.startswith(f"{shell} runs what it is given")
    assert words in found["shell"].words


def test_a_shell_that_does_not_run_what_it_is_given(host: SshHost) -> None:
    """Else an account that is closed, or a dotfile that hijacks, would look like a broken Slurm."""
    bashrc = host.home / ".bashrc"
    bashrc.write_text("exec sh\n")
    found = look(host)
    assert (found["login"].verdict, found["shell"].verdict, found["workDir"].verdict) == (Result.OK, WRONG, SKIPPED)
    assert "`exec` in a dotfile" in found["shell"].words
    bashrc.write_text("yes '\033]0;evil\007'\n")
    found = look(host)
    assert (found["shell"].verdict, found["sessions"].verdict) == (WRONG, SKIPPED)
    assert "it printed more than 262144 bytes" in found["shell"].words
    bashrc.unlink()
    host.set_login_shell("/usr/sbin/nologin")
    found = look(host)
    assert found["shell"].verdict is WRONG
    assert "not available" in found["shell"].words, "the shell's own words"


def test_a_program_there_that_hangs_is_named_and_ended(host: SshHost) -> None:
    """Else a file server that is away would hold a person's terminal, and leave a process behind."""
    host.shim("df", "trap '' TERM; exec sleep 600")
    what = target(host)
    found = look_at(what)
    assert found["workDir"].verdict is Result.OK
    assert "space" not in found, "a time-out of its own: no word of it, and all behind it is looked at"
    assert found["slots"].verdict is Result.OK
    until(lambda: not host.user_pids(), "no process to be left there")
