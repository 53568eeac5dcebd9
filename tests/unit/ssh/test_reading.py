"""A long answer of one cluster is read beside the event loop, on which all others are served."""

import threading

import pytest

from fairlead.domain.errors import Unanswered
from fairlead.schedulers.seam import Exchange
from fairlead.ssh.reading import AT_ONCE_BYTES, Reader

WHERE: Exchange[str] = Exchange("observe", "", b"", 1.0, 1, lambda _: threading.current_thread().name)


async def test_a_long_answer_is_read_in_a_thread_and_a_short_one_at_once() -> None:
    reader = Reader()
    assert await reader.read(WHERE, b"x" * AT_ONCE_BYTES) == threading.current_thread().name
    assert (await reader.read(WHERE, b"x" * (AT_ONCE_BYTES + 1))).startswith("answers")
    reader.close()


async def test_what_its_reader_raises_comes_to_who_asked() -> None:
    """A cut answer would count as read."""
    def refuse(_: bytes) -> str:
        raise Unanswered("cut", "PollFailed")  # type: ignore[arg-type]

    reader = Reader()
    with pytest.raises(Unanswered, match="cut"):
        await reader.read(Exchange("observe", "", b"", 1.0, 1, refuse), b"x" * (AT_ONCE_BYTES + 1))
    reader.close()


async def test_an_answer_that_comes_when_all_is_closed_is_none() -> None:
    """The end of the controller would be an exception in each of its sites."""
    reader = Reader()
    reader.close()
    with pytest.raises(Unanswered, match="ending"):
        await reader.read(WHERE, b"x" * (AT_ONCE_BYTES + 1))
