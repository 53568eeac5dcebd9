"""When the answer to a GET says that a process is ready."""

import pytest

from fairlead.gateway.readiness import is_strange, question, shut_out, unguarded, unready


@pytest.mark.parametrize("line", [b"HTTP/1.1 200 OK", b"HTTP/1.0 204 ", b"HTTP/1.1 399", b"HTTP/1.1 302 \xff\xfe"])
def test_one_that_answers_well_is_ready(line: bytes) -> None:
    """Else a server that sends people on to its login page would never be reached."""
    assert unready("/", line) == ""


@pytest.mark.parametrize(("line", "says"), [
    (b"HTTP/1.1 503 Service Unavailable", "GET /up is answered with status 503"),
    (b"HTTP/1.1 404 <script>", "GET /up is answered with status 404"),
    (b"HTTP/1.1 101 Switching", "GET /up is answered with status 101"), (b"", "GET /up: no answer"),
    (b"SSH-2.0-OpenSSH", "GET /up: what answers does not speak HTTP"), (b"HTTP/1.1 2000", "GET /up: what answers does not speak HTTP"),
    (b"HTTP/1.1 200\0x", "GET /up: what answers does not speak HTTP"), (b"HTTP/9.9 200 OK", "GET /up: what answers does not speak HTTP"),
])
def test_one_that_does_not_is_not_and_nothing_of_its_words_is_shown(line: bytes, says: str) -> None:
    """Else clients would be sent to a server that still loads, or its words would come into an annotation."""
    assert unready("/up", line) == says


@pytest.mark.parametrize("line", [b"HTTP/1.1 403 Forbidden", b"HTTP/1.1 401 Unauthorized"])
def test_the_token_is_shown_to_what_asks_for_one(line: bytes) -> None:
    """Else a server that asks for its token would never be ready."""
    assert (unguarded("/up", line), is_strange(line)) == ("", False)


@pytest.mark.parametrize(("line", "strange", "says"), [
    (b"HTTP/1.1 200 OK", True, "GET /up is answered with status 200 without the token: another server has the port"),
    (b"HTTP/1.0 204", True, "GET /up is answered with status 204 without the token"),
    (b"HTTP/1.1 302 Found", False, "GET /up without the token is answered with status 302, and not with 403"),
    (b"HTTP/1.1 404 <x>", False, "GET /up without the token is answered with status 404"),
    (b"HTTP/1.1 503 Wait", False, "GET /up without the token is answered with status 503"),
    (b"SSH-2.0-OpenSSH", False, "GET /up: what answers does not speak HTTP"), (b"", False, "GET /up: no answer"),
])
def test_it_is_not_shown_to_what_does_not(line: bytes, strange: bool, says: str) -> None:
    """Else another user's server on that port would be told it, or be taken for the Session's own."""
    assert unguarded("/up", line).startswith(says)
    assert is_strange(line) is strange
    assert "<x>" not in unguarded("/up", line)


@pytest.mark.parametrize(("line", "says"), [
    (b"HTTP/1.1 200 OK", ""), (b"HTTP/1.0 204", ""), (b"HTTP/1.1 403 Forbidden", "GET /up with the token is answered with status 403"),
    (b"HTTP/1.1 302 Found", "GET /up with the token is answered with status 302"), (b"", "GET /up: no answer"),
    (b"220 mail", "GET /up: what answers does not speak HTTP"),
])
def test_what_is_shown_the_token_is_ready_once_it_lets_one_in(line: bytes, says: str) -> None:
    """Else a process that has another token, or sends everybody to a login page, would look ready."""
    assert shut_out("/up", line) == says


@pytest.mark.parametrize(("token", "lines"), [
    (None, [b"GET /up HTTP/1.1", b"Host: localhost", b"User-Agent: fairlead", b"Accept: */*", b"Connection: close", b"", b""]),
    ("schl\u00fcssel".encode(), [b"GET /up HTTP/1.1", b"Host: localhost", b"User-Agent: fairlead", b"Accept: */*", b"Connection: close",
                              b"Authorization: token schl\xc3\xbcssel", b"", b""]),
])
def test_the_token_is_in_a_header_and_not_in_the_path(token: bytes | None, lines: list[bytes]) -> None:
    """Else it would stand in the server's log of requests."""
    assert question("/up", token).split(b"\r\n") == lines
