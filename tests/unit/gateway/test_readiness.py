"""When the answer to a GET says that a process is ready."""

import pytest

from fairlead.gateway.readiness import unready


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
