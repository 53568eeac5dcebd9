"""Without these a test behind the proxy proves nothing: each fault must be what a client would see of a bad network."""

import socket
import socketserver
import threading
import time
from collections.abc import Iterator

import pytest

from bed.proxy import TcpProxy

SECONDS = 10.0


class Echo(socketserver.BaseRequestHandler):
    """Sends everything back."""

    def handle(self) -> None:
        try:
            while data := self.request.recv(65536):
                self.request.sendall(data)
        except ConnectionResetError:
            return


class EchoServer(socketserver.ThreadingTCPServer):
    allow_reuse_address = True
    daemon_threads = True
    block_on_close = False


@pytest.fixture
def proxy() -> Iterator[TcpProxy]:
    with EchoServer(("127.0.0.1", 0), Echo) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        with TcpProxy("127.0.0.1", server.server_address[1]) as proxy:
            yield proxy
        server.shutdown()
        thread.join()


@pytest.fixture
def client(proxy: TcpProxy) -> Iterator[socket.socket]:
    with connect(proxy) as client:
        yield client


def connect(proxy: TcpProxy) -> socket.socket:
    return socket.create_connection((proxy.host, proxy.port), timeout=SECONDS)


def receive(client: socket.socket, count: int) -> bytes:
    data = b""
    while len(data) < count and (more := client.recv(count - len(data))):
        data += more
    return data


def is_silent(client: socket.socket) -> bool:
    client.settimeout(0.3)
    try:
        client.recv(1)
    except TimeoutError:
        return True
    finally:
        client.settimeout(SECONDS)
    return False


def test_bytes_pass_whole_in_both_directions(client: socket.socket) -> None:
    sent = bytes(range(256)) * 4096
    threading.Thread(target=client.sendall, args=(sent,)).start()
    assert receive(client, len(sent)) == sent


def test_a_client_that_ends_its_half_still_gets_the_answer(client: socket.socket) -> None:
    client.sendall(b"last words")
    client.shutdown(socket.SHUT_WR)
    assert receive(client, 100) == b"last words"


def test_a_delay_holds_each_direction_back(proxy: TcpProxy, client: socket.socket) -> None:
    proxy.delay(0.2)
    began = time.monotonic()
    client.sendall(b"x")
    assert receive(client, 1) == b"x"
    assert time.monotonic() - began >= 0.4  # there and back


def test_an_answer_is_cut_after_so_many_bytes(proxy: TcpProxy, client: socket.socket) -> None:
    proxy.truncate_after(5)
    client.sendall(b"0123456789")
    assert receive(client, 100) == b"01234"
    proxy.pass_through()
    with connect(proxy) as again:
        again.sendall(b"0123456789")
        assert receive(again, 10) == b"0123456789"


def test_an_upload_is_cut_after_so_many_bytes(proxy: TcpProxy, client: socket.socket) -> None:
    proxy.cut_upload_after(4)
    client.sendall(b"0123456789")
    received = b""
    while piece := client.recv(64):
        received += piece
    assert b"0123".startswith(received), "no more than four bytes came to the server"
    proxy.pass_through()
    with connect(proxy) as again:
        again.sendall(b"0123456789")
        assert again.recv(64) == b"0123456789"


def test_a_reset_ends_open_connections_and_lets_new_ones_pass(proxy: TcpProxy, client: socket.socket) -> None:
    client.sendall(b"x")
    assert receive(client, 1) == b"x"
    proxy.reset()
    with pytest.raises(ConnectionResetError):
        client.recv(1)
    with connect(proxy) as again:
        again.sendall(b"y")
        assert receive(again, 1) == b"y"


def test_refusing_hits_new_connections_only_and_the_port_stays(proxy: TcpProxy, client: socket.socket) -> None:
    client.sendall(b"x")
    assert receive(client, 1) == b"x"
    port = proxy.port
    proxy.refuse()
    with pytest.raises(ConnectionRefusedError):
        connect(proxy)
    client.sendall(b"y")
    assert receive(client, 1) == b"y"
    proxy.pass_through()
    assert proxy.port == port
    with connect(proxy) as again:
        again.sendall(b"z")
        assert receive(again, 1) == b"z"


def test_a_black_hole_is_silent_and_gives_back_what_it_held(proxy: TcpProxy, client: socket.socket) -> None:
    client.sendall(b"x")
    assert receive(client, 1) == b"x"
    proxy.drop()
    client.sendall(b"held")
    assert is_silent(client)
    with connect(proxy) as new:
        new.sendall(b"new")
        assert is_silent(new)
        proxy.pass_through()
        assert receive(new, 3) == b"new"
    assert receive(client, 4) == b"held"


def test_a_dead_target_ends_the_client_with_a_reset() -> None:
    with socket.socket() as nobody:
        nobody.bind(("127.0.0.1", 0))
        with TcpProxy("127.0.0.1", nobody.getsockname()[1]) as dead, pytest.raises(ConnectionResetError), connect(dead) as client:
            client.recv(1)


def test_closing_ends_connections_and_the_port(proxy: TcpProxy, client: socket.socket) -> None:
    client.sendall(b"x")
    assert receive(client, 1) == b"x"
    assert proxy.connections == 1
    proxy.close()
    proxy.close()
    with pytest.raises(ConnectionResetError):
        client.recv(1)
    with pytest.raises(ConnectionRefusedError):
        connect(proxy)
