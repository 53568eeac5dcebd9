"""Whom the SSH side tells what it does, so that somebody can count it: it knows nothing of metrics itself."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

from fairlead.domain.errors import Closed
from fairlead.sharing.turns import Waited

PLACES = ("connection", "connect", "connect_to_host", "exec", "lookup", "key", "answer")
"""What is waited for on the way to an answer: each is a bounded number of places, shared by namespaces."""
CLOSED = (*map(str, Closed), "failed")
"""Why a client's stream was not opened; `failed`: its login node was not reached, or did not let us in."""


@dataclass(frozen=True, slots=True)
class Told:
    """What is told, each time with the seconds that it took.

    `exec_ended` of every exec: its verb, `ok` or `failed`, from the first byte to the end. `connect_ended` of every try to connect and log
    in: `ok` or `failed`. `waited` of every wait for one of `PLACES` that is over. `stream_opened` of every client of a tunnel, without
    seconds: `ok`, or one of `CLOSED`.
    """

    exec_ended: Callable[[str, str, float], None] = lambda _verb, _outcome, _seconds: None
    connect_ended: Callable[[str, float], None] = lambda _outcome, _seconds: None
    waited: Callable[[str, float], None] = lambda _place, _seconds: None
    stream_opened: Callable[[str], None] = lambda _outcome: None

    def waited_for(self, place: str) -> Waited:
        """Whom to tell of waits for one kind of place."""
        return partial(self.waited, place)
