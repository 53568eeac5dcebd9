"""Streams through a real sshd to what listens behind it: whole, bounded, ended as they were meant, and without anything that stays."""

import asyncio
import hashlib
import os
import socket
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

import asyncssh
import pytest
from ssh_addresses import address_of

from bed.sshd import SshHost
from fairlead.domain.cluster.address import Endpoint
from fairlead.domain.errors import Closed, FairleadError, NoStream, Refused, Unreachable
from fairlead.ssh.limits import TunnelLimits
from fairlead.ssh.pipe import Pipe
from fairlead.ssh.told import Told
from fairlead.ssh.tunnel import LINE_BYTES, Tunnels

HELD_BYTES, WINDOW_BYTES = TunnelLimits().held_bytes, TunnelLimits().window_bytes
ECHO = """
import asyncio, sys
async def serve(reader, writer):
    while piece := await reader.read(1 << 18):
        writer.write(piece)
        await writer.drain()
    writer.write(b"end")
    writer.close()
async def main():
    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    print(server.sockets[0].getsockname()[1], flush=True)
    await server.serve_forever()
asyncio.run(main())
"""
"""Says back what it is told, and, when no more comes, that this was the end."""
FLOOD = """
import socket
server = socket.create_server(("127.0.0.1", 0))
print(server.getsockname()[1], flush=True)
while True:
    client, _ = server.accept()
    sent = 0
    try:
        while True:
            sent += client.send(bytes(65536))
            open("sent", "w").write(str(sent))
    except OSError:
        open("sent", "w").write("over")
"""
"""Sends without end, and writes down how much."""

LAST = """
import socket, time
server = socket.create_server(("127.0.0.1", 0))
print(server.getsockname()[1], flush=True)
client, _ = server.accept()
size = int(client.recv(16))
client.sendall(bytes(size))
client.shutdown(socket.SHUT_WR)
while client.recv(65536):
    pass
client.close()
open("sent", "w").write("all")
time.sleep(600)
"""
"""Sends as much as it is asked for, once, and then goes on, but not with this client."""

DARK = """
import pathlib, socket, time
server = socket.socket()
server.bind(("127.0.0.1", 0))
server.listen(0)
first = socket.create_connection(server.getsockname())
print(server.getsockname()[1], flush=True)
while not pathlib.Path("answer").exists():
    time.sleep(0.02)
taken = []
while True:
    taken.append(server.accept())
"""
"""Its queue is full, so that who connects hears nothing, until it is told to answer. Then it holds whoever comes."""


@asynccontextmanager
async def listening(host: SshHost, program: str) -> AsyncIterator[Endpoint]:
    """A program at the far end that prints its port."""
    process = await asyncio.create_subprocess_exec(
        *host.enclosure.argv("python3", "-c", program, user=True), stdout=asyncio.subprocess.PIPE)
    assert process.stdout is not None
    try:
        yield Endpoint("127.0.0.1", int(await process.stdout.readline()))
    finally:
        process.kill()
        await process.wait()


@dataclass
class Entrance:
    """A port of this machine whose clients are carried; what became of each."""

    port: int = 0
    pipes: list[Pipe] = field(default_factory=list)
    ended: list[FairleadError | None] = field(default_factory=list)

    async def client(self, *, kernel_bytes: int = 0) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        client = socket.socket()
        if kernel_bytes:
            client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, kernel_bytes)
        client.setblocking(False)
        await asyncio.get_running_loop().sock_connect(client, ("127.0.0.1", self.port))
        return await asyncio.open_connection(sock=client)

    def reset(self) -> None:
        """A client that comes and goes at once."""
        with socket.create_connection(("127.0.0.1", self.port)) as client:
            client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")


@asynccontextmanager
async def entrance(tunnels: Tunnels, address, target: Endpoint, *, kernel_bytes: int = 0) -> AsyncIterator[Entrance]:
    """With `kernel_bytes`, that much and little more of what a client does not take stays in the kernel."""
    found = Entrance()

    def pipe() -> Pipe:
        found.pipes.append(tunnels.pipe(address, target, lambda _pipe, why: found.ended.append(why)))
        return found.pipes[-1]

    listener = socket.create_server(("127.0.0.1", 0))
    if kernel_bytes:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, kernel_bytes)      # for the clients that it accepts, too
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, kernel_bytes)
    server = await asyncio.get_running_loop().create_server(pipe, sock=listener)
    found.port = listener.getsockname()[1]
    try:
        yield found
    finally:
        server.close()


@pytest.fixture
async def tunnels(host: SshHost) -> AsyncIterator[Tunnels]:
    async with Tunnels() as tunnels:
        yield tunnels
        await tunnels.close()
        left = asyncio.all_tasks() - {asyncio.current_task()}
        assert not left, f"tasks that outlive the tunnels: {left}"


Eventually = Callable[[Callable[[], bool]], Awaitable[None]]


async def test_both_ways_are_whole_and_an_end_goes_through_alone(host, tunnels, eventually: Eventually):
    """Else a large notebook or download would arrive damaged, and who says that all was sent would get no answer."""
    payload = os.urandom(1 << 20)
    async with listening(host, ECHO) as target, entrance(tunnels, address_of(host), target) as door:
        reader, writer = await door.client()

        async def send() -> None:
            for _ in range(64):
                writer.write(payload)
                await writer.drain()
            writer.write_eof()

        sending, digest, length = asyncio.create_task(send()), hashlib.sha256(), 0
        tail = b""
        while piece := await reader.read(1 << 18):
            tail = (tail + piece)[-3:]
            digest.update(piece)
            length += len(piece)
        await sending
        assert (length, tail) == ((64 << 20) + 3, b"end")
        assert digest.hexdigest() == hashlib.sha256(payload * 64 + b"end").hexdigest()
        writer.close()
        await eventually(lambda: len(door.ended) == 1)
        assert (door.pipes[0].received_bytes, door.pipes[0].sent_bytes) == (64 << 20, length)
    assert door.ended == [None]


async def test_a_slow_reader_keeps_the_target_waiting(host, tunnels, eventually: Eventually):
    """Else a tab that hangs before a large download would fill the gateway's memory, and everybody's tunnel would be lost."""
    most_ahead = 3 * WINDOW_BYTES + HELD_BYTES + (16 << 20)     # the windows, and the kernel's buffers of four sockets
    wrote = host.home / "sent"
    wrote.unlink(missing_ok=True)

    def sent() -> int:
        return int((wrote.read_text() if wrote.exists() else "") or 0)

    async with listening(host, FLOOD) as target, entrance(tunnels, address_of(host), target) as door:
        reader, writer = await door.client()

        def held_now() -> int:
            transport = door.pipes[0]._transport if door.pipes else None
            return transport.get_write_buffer_size() if transport else 0

        await eventually(lambda: held_now() > 0)     # nobody reads yet
        taken, held = 0, held_now()
        while taken < 60_000_000:
            taken += len(await reader.read(1 << 20))
            await asyncio.sleep(0.002)
            held = max(held, held_now())
            ahead = sent() - taken
            assert ahead < most_ahead, f"{ahead} bytes would be held for a reader that has taken {taken}"
        assert held <= WINDOW_BYTES + 2 * HELD_BYTES, "what one slow client holds here"
        writer.transport.abort()
        await eventually(lambda: wrote.read_text() == "over")
        await eventually(lambda: len(door.ended) == 1)


async def test_a_slow_reader_gets_the_end_of_what_a_target_sent_before_it_went(host, tunnels, eventually: Eventually):
    """Else each download that a tab takes slowly would be cut off when the server has sent the last of it."""
    size, little = 600_000, 4096
    wrote = host.home / "sent"
    wrote.unlink(missing_ok=True)
    async with (listening(host, LAST) as target, listening(host, ECHO) as other,
                entrance(tunnels, address_of(host), target, kernel_bytes=little) as door):
        reader, writer = await door.client(kernel_bytes=little)
        writer.write(str(size).encode())
        writer.write_eof()
        await eventually(lambda: wrote.exists() and wrote.read_text() == "all")
        await tunnels.look(address_of(host), other)      # the same connection: what the target's channel has to say has come before
        taken = 0
        while piece := await reader.read(1 << 14):
            taken += len(piece)
        assert taken == size
        writer.close()
        await eventually(lambda: len(door.ended) == 1)
    assert door.ended == [None]


@pytest.mark.parametrize("way", ["broken off", "ended in good order"])
async def test_a_slow_reader_of_a_connection_that_ends_gets_a_reset(host, tunnels, eventually: Eventually, way: str):
    """Else the half of a download that had come before a login node's restart would look whole."""
    async with listening(host, FLOOD) as target, entrance(tunnels, address_of(host), target, kernel_bytes=4096) as door:
        reader, writer = await door.client(kernel_bytes=4096)
        await eventually(lambda: bool(door.pipes) and bool(door.pipes[0]._channel) and bool(door.pipes[0]._channel._recv_buf))
        if way == "broken off":
            host.end_sessions()
        else:
            door.pipes[0]._channel.get_connection().disconnect(asyncssh.DISC_BY_APPLICATION, "Bye")
        await eventually(lambda: host.connections() == 0)
        with pytest.raises(ConnectionResetError):
            await reader.read(-1)
        writer.close()
        await eventually(lambda: len(door.ended) == 1)


async def test_clients_that_go_while_their_stream_is_opened_leave_no_channel(host, tunnels, eventually: Eventually):
    """Else each page that somebody closes early would leave a socket at the login node, until its sshd has none any more."""
    async with listening(host, ECHO) as target, entrance(tunnels, address_of(host), target) as door:
        await tunnels.look(address_of(host), target)
        for _ in range(12):
            door.reset()
        await eventually(lambda: len(door.ended) == 12)
        await eventually(lambda: _sockets_to(host, target.port) == 0)
        assert host.connections() == 1, "and the connection is the same"
        reader, writer = await door.client()
        writer.write_eof()
        assert await reader.read() == b"end"
        writer.close()


async def test_an_open_that_is_answered_too_late_leaves_no_channel(own_host, eventually: Eventually):
    """Else each click on a page of a node that hangs would leave a channel for good, on a connection that others use."""
    address, limits = address_of(own_host), TunnelLimits(open_seconds=1.0)
    async with (listening(own_host, ECHO) as alive, listening(own_host, DARK) as dark, Tunnels(limits) as tunnels,
                entrance(tunnels, address, alive) as door, entrance(tunnels, address, dark) as hung):
        reader, writer = await door.client()
        writer.write(b"x")
        assert await reader.read(1) == b"x"
        waits, waiter = await hung.client()
        with pytest.raises(ConnectionResetError):
            await waits.read()
        waiter.close()
        await eventually(lambda: len(hung.ended) == 1)
        assert isinstance(hung.ended[0], NoStream)
        assert hung.ended[0].why is Closed.NO_ANSWER
        await eventually(lambda: _sockets_to(own_host, dark.port) > 1)     # it waits at the far end, where the stream that goes on is, too
        (own_host.home / "answer").touch()
        async with asyncio.timeout(60):      # the kernel asks again after 1, 3, 7 and 15 s
            while _sockets_to(own_host, dark.port) > 1:  # noqa: ASYNC110  another process; one is the program's own
                await asyncio.sleep(0.05)
        writer.write_eof()
        assert await reader.read() == b"end"
        writer.close()
        await eventually(lambda: len(door.ended) == 1)


async def test_a_look_that_is_given_up_leaves_no_channel(own_host, eventually: Eventually):
    """Else each Session that is deleted while its node hangs would leave one."""
    address = address_of(own_host)
    async with (listening(own_host, ECHO) as alive, listening(own_host, DARK) as dark, Tunnels() as tunnels,
                entrance(tunnels, address, alive) as door):
        _, writer = await door.client()
        looking = asyncio.create_task(tunnels.look(address, dark))
        await eventually(lambda: _sockets_to(own_host, dark.port) > 1)
        looking.cancel()
        await asyncio.wait({looking})
        (own_host.home / "answer").touch()
        async with asyncio.timeout(60):      # as above
            while _sockets_to(own_host, dark.port) > 1:  # noqa: ASYNC110  another process; one is the program's own
                await asyncio.sleep(0.05)
        writer.close()
        await eventually(lambda: len(door.ended) == 1)


async def test_of_an_answer_the_first_line_is_taken_within_bounds_and_no_channel_is_left(host, eventually: Eventually):
    """Else a process that never stops talking, or never says a word, would fill the gateway or keep its look for ever."""
    address = address_of(host)
    async with Tunnels(TunnelLimits(answer_seconds=2.0)) as tunnels, listening(host, ECHO) as echo, listening(host, FLOOD) as flood:
        assert await tunnels.ask(address, echo, b"who is there\r\nand more") == b"who is there"
        assert await tunnels.ask(address, echo, b"no end of a line") == b"no end of a line"
        assert await tunnels.ask(address, flood, b"stop") == bytes(LINE_BYTES)
        await eventually(lambda: _sockets_to(host, echo.port) == _sockets_to(host, flood.port) == 0)
        with pytest.raises(NoStream):
            await tunnels.ask(address, Endpoint("127.0.0.1", _free_port(host)), b"who")


async def test_nobody_who_listens_is_a_reset_at_once_and_told(host, tunnels, eventually: Eventually):
    """Else a browser would wait for a minute, or show an empty page as if it were one."""
    target = Endpoint("127.0.0.1", _free_port(host))
    async with entrance(tunnels, address_of(host), target) as door:
        reader, writer = await door.client()
        with pytest.raises(ConnectionResetError):
            await reader.read()
        writer.close()
        await eventually(lambda: len(door.ended) == 1)
    why = door.ended[0]
    assert isinstance(why, NoStream)
    assert why.why is Closed.NOBODY_LISTENS
    assert "refused" in str(why)


async def test_what_becomes_of_clients_and_what_is_carried_is_told(host, eventually: Eventually):
    """Else a person who looks at a gateway's metrics would not see whether clients get through."""
    outcomes: list[str] = []
    async with (listening(host, ECHO) as target, Tunnels(told=Told(stream_opened=outcomes.append)) as tunnels,
                entrance(tunnels, address_of(host), target) as door,
                entrance(tunnels, address_of(host), Endpoint("127.0.0.1", _free_port(host))) as nowhere):
        await tunnels.look(address_of(host), target)
        reader, writer = await door.client()
        writer.write(b"hello")
        assert await reader.readexactly(5) == b"hello"
        assert (tunnels.carried_bytes, outcomes) == ((5, 5), ["ok"])
        _, late = await nowhere.client()
        await eventually(lambda: len(outcomes) == 2)
        writer.write_eof()
        assert await reader.read() == b"end"
        for each in (writer, late):
            each.close()
        await eventually(lambda: len(door.ended) == len(nowhere.ended) == 1)
        assert (tunnels.carried_bytes, outcomes) == ((5, 8), ["ok", "NobodyListens"])


async def test_forwarding_that_is_switched_off_names_the_setting(bed):
    """Else who runs a Session where the site forbids tunnels would look for the fault in the application."""
    host = SshHost.start(bed, sshd_extra=("AllowTcpForwarding no",))
    try:
        async with Tunnels() as tunnels:
            with pytest.raises(NoStream, match="AllowTcpForwarding") as raised:
                await tunnels.look(address_of(host), Endpoint("127.0.0.1", 80))
        assert raised.value.why is Closed.FORBIDDEN
    finally:
        host.stop()


async def test_what_is_cut_ends_by_a_reset_and_leaves_nothing(host, eventually: Eventually):
    """Else half a download, cut by a gateway that stops, would look whole."""
    async with listening(host, FLOOD) as target, Tunnels() as tunnels, entrance(tunnels, address_of(host), target) as door:
        reader, writer = await door.client()
        await reader.readexactly(100_000)
        await tunnels.close()
        with pytest.raises(ConnectionResetError):
            await reader.read()
        writer.close()
        await eventually(lambda: host.connections() == 0)
    assert door.ended == [None]


async def test_a_connection_that_breaks_is_a_reset_for_its_streams_and_the_next_stream_has_another(host, tunnels, eventually: Eventually):
    """Else a login node's restart would end downloads as if they were whole, and end the Session's address with it."""
    async with listening(host, ECHO) as target, entrance(tunnels, address_of(host), target) as door:
        reader, writer = await door.client()
        writer.write(b"x")
        assert await reader.read(1) == b"x"
        host.end_sessions()
        with pytest.raises(ConnectionResetError):
            await reader.read()
        writer.close()
        reader, writer = await door.client()
        writer.write_eof()
        assert await reader.read() == b"end"
        writer.close()
        await eventually(lambda: len(door.ended) == 2)


async def test_a_login_node_that_stops_is_bounded_and_answers_again_over_a_fresh_connection(own_host, eventually: Eventually):
    """Else one login node that hangs would hold each click of its users for as long as TCP does."""
    address, limits = address_of(own_host, connect_timeout_seconds=3.0), TunnelLimits(open_seconds=1.0)
    async with listening(own_host, ECHO) as target, Tunnels(limits) as tunnels:
        await tunnels.look(address, target)
        own_host.stop_sshd()
        async with asyncio.timeout(20):
            with pytest.raises(Unreachable):
                await tunnels.look(address, target)
        own_host.cont_sshd()
        async with asyncio.timeout(20):
            await tunnels.look(address, target)
        await eventually(lambda: own_host.connections() == 1)


async def test_a_login_that_is_refused_ends_what_goes_on_by_it(host, tunnels, eventually: Eventually):
    """Else somebody whose key was withdrawn would keep his way in for as long as he keeps a stream open."""
    address = address_of(host)
    async with listening(host, ECHO) as target, entrance(tunnels, address, target) as door:
        reader, writer = await door.client()
        writer.write(b"x")
        assert await reader.read(1) == b"x"
        host.write("ssh/authorized_keys", "")
        tunnels.retire(address)
        with pytest.raises(Refused):
            await tunnels.look(address, target)
        with pytest.raises(ConnectionResetError):
            await reader.read()
        writer.close()
        await eventually(lambda: len(door.ended) == 1)


async def test_many_streams_are_spread_over_few_connections(host, eventually: Eventually):
    """Else a hundred WebSockets would wait behind one download, or cost the login node a hundred logins."""
    limits = TunnelLimits(connections=2, streams=2)
    async with listening(host, ECHO) as target, Tunnels(limits) as tunnels, entrance(tunnels, address_of(host), target) as door:
        clients = []
        for count in range(6):
            reader, writer = await door.client()
            writer.write(b"x")
            assert await reader.read(1) == b"x"
            clients.append(writer)
            assert host.connections() == (1 if count < 2 else 2)
        for writer in clients:
            writer.close()
        await eventually(lambda: len(door.ended) == 6)


def _free_port(host: SshHost) -> int:
    code = "import socket; s = socket.create_server(('127.0.0.1', 0)); print(s.getsockname()[1])"
    return int(host.run("python3", "-c", code).stdout)


def _sockets_to(host: SshHost, port: int) -> int:
    """Sockets at the far end that connect, or are connected, to this port: none that has been closed here."""
    rows = [line.split() for line in Path(f"/proc/{host.enclosure.holder}/net/tcp").read_text().splitlines()[1:]]
    return sum(row[2].endswith(f":{port:04X}") and row[3] in {"01", "02", "08"} for row in rows)
