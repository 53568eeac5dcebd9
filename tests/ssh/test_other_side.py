"""What sites do to logins: each of it works, or is told with what to change."""


import asyncio
from dataclasses import replace
from secrets import token_hex

import pytest
from ssh_addresses import address_of, end_all, running, script

from bed.slurmconf import INSIDE
from bed.sshd import SshHost
from fairlead.api.v1alpha1.reasons import ClusterReason
from fairlead.domain.cluster.address import HostKeys
from fairlead.domain.errors import RemoteFault, Unanswered, Unreachable
from fairlead.domain.run.installation import Installation
from fairlead.schedulers.seam import Place
from fairlead.schedulers.slurm.scheduler import Slurm
from fairlead.ssh.remote import SshRemote

TRUE = script("echo yes")


@pytest.fixture
def start(bed):
    """Starts hosts with lines of sshd_config."""
    started = []

    def start(*lines: str) -> SshHost:
        started.append(SshHost.start(bed, sshd_extra=lines))
        return started[-1]

    yield start
    for host in started:
        host.stop()


@pytest.mark.parametrize("shell", ["/bin/dash", "/bin/bash", "/usr/bin/zsh", "/usr/bin/fish", "/usr/bin/tcsh"])
async def test_a_dotfile_that_starts_another_shell_is_told_and_nothing_of_the_payload_runs_there(host, remote, shell):
    """Else the lines of a user's script would run on the login node, as commands of that shell."""
    dotfile = host.home / ".bashrc"
    dotfile.write_text(f"exec {shell}\n")
    try:
        with pytest.raises(Unanswered) as failure:
            await remote.exchange(address_of(host), script("cat", b"touch ~/harm\n" * 3))
    finally:
        dotfile.unlink()
    assert not (host.home / "harm").exists()
    assert failure.value.reason is ClusterReason.LOGIN_SHELL_FAILED


SAID = {
    "a web server": (b"HTTP/1.1 400 Bad Request\r\nServer: nginx\r\n\r\n", True, "HTTP/1.1 400 Bad Request Server: nginx"),
    "a mail server, which waits for more": (b"220 mail.example.org ESMTP\r\n", False, "220 mail.example.org ESMTP"),
    "what nobody can read": (b"\x15\x03\x01\x00\x02\x02\x46", True, "is no SSH server, it says: "),
    "an sshd that takes no more for now": (b"Not allowed at this time\r\n", True, "sshd may be limiting new connections (MaxStartups)"),
    "an older one": (b"Exceeded MaxStartups\r\n", True, "sshd may be limiting new connections (MaxStartups)"),
    "nothing, to the end of our patience": (b"", False, "did not finish the SSH login"),
}


@pytest.mark.parametrize("who", list(SAID))
async def test_a_port_on_which_something_else_listens_is_told_with_what_it_says(host, who):
    """Else a person would look for a busy sshd or a firewall, where a web server or a proxy has the port."""
    greeting, closes, told = SAID[who]

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readline()
        writer.write(greeting)
        if not closes:
            await reader.read()
        writer.close()

    server = await asyncio.start_server(answer, "127.0.0.1", 0)
    address = replace(address_of(host), host="127.0.0.1", port=server.sockets[0].getsockname()[1], connect_timeout_seconds=2)
    async with server, SshRemote() as remote:
        with pytest.raises(Unreachable, match=r"127\.0\.0\.1:") as failure:
            await remote.exchange(address, TRUE)
    assert told in str(failure.value)


@pytest.mark.parametrize("way", ["on to sshd", "to its end"])
async def test_lines_in_front_of_the_greeting_are_no_obstacle_and_make_no_stranger_of_sshd(host, way):
    """Else a site with a welcome of many lines could not be used; or, where sshd ends the connection, be called no SSH server."""
    welcome = b"Welcome to the cluster of this site\r\n" * 60

    async def copied(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while data := await reader.read(4096):
            writer.write(data)
        writer.close()

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(welcome)
        if way == "to its end":
            writer.write(b"SSH-2.0-Small\r\n")
            await reader.readline()
            writer.close()
            return
        behind, onward = await asyncio.open_connection(host.host, host.port)
        await asyncio.gather(copied(behind, writer), copied(reader, onward), return_exceptions=True)

    server = await asyncio.start_server(answer, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    pins = HostKeys(f"[127.0.0.1]:{port} {host.known_hosts.split(' ', 1)[1]}")
    address = replace(address_of(host), host="127.0.0.1", port=port, host_keys=pins)
    async with server, SshRemote() as remote:
        if way == "on to sshd":
            assert await remote.exchange(address, TRUE) == b"yes\n"
        else:
            with pytest.raises(RemoteFault) as failure:
                await remote.exchange(address, TRUE)
            assert "no SSH server" not in str(failure.value)


@pytest.mark.parametrize("most", [1, 2, 10])
async def test_as_few_sessions_as_sshd_allows_are_used_in_turn(start, most):
    """Else a site with a low MaxSessions would fail whenever two things are to be done at once."""
    host = start(f"MaxSessions {most}")
    async with SshRemote() as remote:
        long = asyncio.create_task(remote.exchange(address_of(host), script("sleep 2; echo long")))
        await asyncio.sleep(0.3)
        answers = await asyncio.gather(*(remote.exchange(address_of(host), TRUE) for _ in range(12)))
        assert answers == [b"yes\n"] * 12
        assert await long == b"long\n"
        assert host.sshd_log().count("Accepted publickey") == 1, "one connection is enough"


@pytest.mark.parametrize("limit", ["1:100:2", "10:30:100"])
async def test_logins_that_sshd_drops_while_others_log_in_are_made_again(start, limit):
    """Else Clusters of several users on one login node would be unready by turns."""
    host = start(f"MaxStartups {limit}")
    addresses = [address_of(host, keepalive_interval_seconds=15 + number) for number in range(12)]
    async with SshRemote() as remote:
        assert await asyncio.gather(*(remote.exchange(address, TRUE) for address in addresses)) == [b"yes\n"] * 12


async def test_a_long_banner_is_no_obstacle_and_one_that_sshd_itself_cannot_send_is_told(start):
    """Else a site's terms of use would keep us out; beyond 256 KiB sshd fails, for every client, and leaves its users guessing."""
    host = start(f"Banner {INSIDE}/banner")
    line = "All use is logged. " * 4 + "\n"
    async with SshRemote() as remote:
        host.write("banner", line * (250_000 // len(line)))
        assert await remote.exchange(address_of(host), TRUE) == b"yes\n"
        remote.retire(address_of(host))
        host.write("banner", line * ((1 << 20) // len(line)))
        with pytest.raises(Unreachable, match="a Banner of more than 256 KiB") as failure:
            await remote.exchange(address_of(host), TRUE)
        assert failure.value.reason is ClusterReason.CONNECTION_LOST


async def test_a_banner_in_an_encoding_of_old_is_no_obstacle(start):
    """Else every Cluster of a site would be unready whose terms of use hold an umlaut in Latin-1."""
    host = start(f"Banner {INSIDE}/banner")
    host.write("banner", "")
    (host.folder / "banner").write_bytes("Rechenzentrum der Universität Süd\n".encode("latin-1"))
    async with SshRemote() as remote:
        assert await remote.exchange(address_of(host), TRUE) == b"yes\n"


@pytest.mark.parametrize("start_it", ["sleep 4711 &", "setsid sleep 4711 &"])
async def test_what_a_dotfile_leaves_running_holds_no_answer_up(host, remote, eventually, start_it):
    """Else the Cluster would never get ready, since its output stays open; and each poll would leave one more process there.

    What has left the login's process group stays, as it does after any `ssh host true`.
    """
    here = Installation("here", "6e1a7b9c-0000-4000-8000-000000000001", b"s" * 32)
    slurm = Slurm(here)
    dotfile = host.home / ".bashrc"
    dotfile.write_text(f"{start_it}\n")
    try:
        for _ in range(3):
            exchange = slurm.probe(token_hex(16), Place("~/work", here, "", token_hex(16)))
            assert (await remote.exchange(address_of(host), replace(exchange, timeout_seconds=20.0))).tree is not None
        await eventually(lambda: running(host, "sleep") == ("setsid" in start_it))
    finally:
        dotfile.unlink()
        end_all(host, "sleep")


async def test_a_megabyte_printed_by_a_dotfile_is_told_where_an_answer_may_not_be_so_long(host, remote):
    """Else it would look as if our own script printed too much."""
    dotfile = host.home / ".bashrc"
    dotfile.write_text("head -c 1000000 /dev/zero | tr '\\0' x\n")
    try:
        assert (await remote.exchange(address_of(host), TRUE)).endswith(b"xyes\n")
        with pytest.raises(Unanswered, match="printed more than 100000 bytes"):
            await remote.exchange(address_of(host), script("echo yes", max_output_bytes=100_000))
    finally:
        dotfile.unlink()


async def test_a_forced_command_that_runs_what_it_is_given_is_no_obstacle(start):
    """Else sites that log commands by a wrapper could not be used."""
    host = start('ForceCommand sh -c "$SSH_ORIGINAL_COMMAND"')
    async with SshRemote() as remote:
        assert await remote.exchange(address_of(host), script("cat", b"payload")) == b"payload"


async def test_without_sftp_everything_works(start):
    """Else a site that allows commands only could not be used."""
    host = start()
    config = host.folder / "ssh/sshd_config"
    host.write("ssh/sshd_config", config.read_text().replace("Subsystem sftp internal-sftp\n", ""))
    host.sshd.kill()
    host.sshd.start()
    async with SshRemote() as remote:
        assert await remote.exchange(address_of(host), script("cat", b"payload")) == b"payload"


async def test_a_host_that_says_a_byte_a_second_costs_the_connect_time_out_and_is_told(host, remote):
    """Else one sick host would hold us for as long as it likes."""
    async def drip(reader, writer):
        left = asyncio.create_task(reader.read())
        for byte in b"SSH-2.0-OpenSSH_9.2\r\n":
            writer.write(bytes([byte]))
            if (await asyncio.wait([left], timeout=1))[0]:
                break
        writer.close()

    async with await asyncio.start_server(drip, "127.0.0.1", 0) as server:
        address = address_of(host, host="127.0.0.1", port=server.sockets[0].getsockname()[1], connect_timeout_seconds=1.5)
        with pytest.raises(Unreachable, match=r"did not finish the SSH login within 1\.5 s") as failure:
            await remote.exchange(address, TRUE)
    assert failure.value.reason is ClusterReason.CONNECT_TIMEOUT


async def test_an_answer_at_a_byte_a_second_ends_with_the_exchanges_own_time_out(host, remote):
    """Else one sick link would hold a poll for ever."""
    with pytest.raises(Unanswered, match="did not end within 1 s") as failure:
        await remote.exchange(address_of(host), script("while :; do printf x; sleep 1; done", timeout_seconds=1))
    assert failure.value.reason is ClusterReason.POLL_TIMED_OUT
