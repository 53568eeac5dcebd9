"""In which order a process is asked, whom the token is shown to, and what is said when it cannot be."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import pytest

from fairlead.domain.cluster.address import Address, Credentials, Endpoint, HostKeys
from fairlead.domain.errors import FairleadError, Forbidden, Unavailable
from fairlead.domain.objects import ObjectRef
from fairlead.domain.run.service import Question
from fairlead.domain.run.token import WantedToken
from fairlead.gateway.asking import Asking, Heard
from fairlead.gateway.wanted import Wanted

TOKEN = b"planted-token-77c1"
NEEDS = Question("/up", WantedToken("lab", "token", is_own=True))
LOGIN = Address("hpc", 22, "ann", Credentials(b""), HostKeys())
REFUSES, ANSWERS = b"HTTP/1.1 403 Forbidden", b"HTTP/1.1 200 OK"


@dataclass
class Streams:
    """Answers with these lines, one a question."""

    lines: list[bytes]
    asked: list[bytes] = field(default_factory=list)
    looked: int = 0

    def pipe(self, address: Address, target: Endpoint, ended: Callable[[Any, FairleadError | None], None]) -> Any:
        raise AssertionError("nobody comes")

    async def look(self, address: Address, target: Endpoint) -> None:
        self.looked += 1

    async def ask(self, address: Address, target: Endpoint, question: bytes) -> bytes:
        self.asked.append(question)
        return self.lines.pop(0)

    def retire(self, address: Address) -> None:
        raise AssertionError("no login changes")


@dataclass
class Secrets:
    """One Secret, or why it cannot be read."""

    data: Mapping[str, bytes] | FairleadError | None
    read: list[tuple[str, str]] = field(default_factory=list)

    async def read_secret(self, namespace: str, name: str) -> Mapping[str, bytes] | None:
        self.read.append((namespace, name))
        if isinstance(self.data, FairleadError):
            raise self.data
        return self.data

    async def read_labels(self, namespace: str) -> Mapping[str, str] | None:
        raise AssertionError("nobody asks for labels")


async def answer(streams: Streams, secrets: Secrets, asked: Question | None) -> Heard:
    session = Wanted(ObjectRef("sessions", "team", "lab", "u"), ("team", "hpc"), "", "u-1", "n1", 8888, asked)
    return await Asking(streams, secrets).answer(LOGIN, Endpoint("n1", 8888), session)


async def test_one_that_refuses_without_the_token_and_answers_with_it_is_ready() -> None:
    """Else no Session with a preset would ever be ready."""
    streams, secrets = Streams([REFUSES, ANSWERS]), Secrets({"token": TOKEN})
    assert await answer(streams, secrets, NEEDS) == Heard()
    assert [TOKEN in each for each in streams.asked] == [False, True]
    assert secrets.read == [("team", "lab")]


@pytest.mark.parametrize(("line", "strange"), [(ANSWERS, True), (b"HTTP/1.1 302 Found", False), (b"", False)])
async def test_a_server_that_asks_for_no_token_is_not_shown_one(line: bytes, strange: bool) -> None:
    """Else another user's server, which answers everybody, would be told it; or an API server be asked for each Secret all the time."""
    streams, secrets = Streams([line]), Secrets({"token": TOKEN})
    found = await answer(streams, secrets, NEEDS)
    assert (bool(found.why), found.is_strange) == (True, strange)
    assert (len(streams.asked), secrets.read) == (1, [])


@pytest.mark.parametrize(("data", "says"), [
    (None, "Secret team/lab has no field token any more"), ({"other": TOKEN}, "Secret team/lab has no field token any more"),
    ({"token": b""}, "Secret team/lab: field token is empty"), ({"token": TOKEN + b"\r\nX: y"}, "Secret team/lab: field token holds"),
    (Forbidden("secrets is forbidden"), "the token cannot be shown: secrets is forbidden"),
])
async def test_a_token_that_cannot_be_used_is_told_and_not_shown(data: Any, says: str) -> None:
    """Else nobody would know why a Session is not ready; or what stands in a Secret would be a header of its own, or in an annotation."""
    streams = Streams([REFUSES])
    found = await answer(streams, Secrets(data), NEEDS)
    assert found.why.startswith(says)
    assert TOKEN.decode() not in found.why
    assert len(streams.asked) == 1


async def test_while_the_api_server_is_away_nothing_is_said() -> None:
    """Else a process that is ready would be taken for one that is not."""
    with pytest.raises(Unavailable):
        await answer(Streams([REFUSES]), Secrets(Unavailable("no answer")), NEEDS)


async def test_without_a_token_it_is_asked_once_or_not_at_all() -> None:
    """Else readiness of a process of one's own would need a token."""
    streams, secrets = Streams([ANSWERS]), Secrets(None)
    assert await answer(streams, secrets, Question("/up")) == Heard()
    assert await answer(streams, secrets, None) == Heard()
    assert (len(streams.asked), streams.looked, secrets.read) == (1, 1, [])
