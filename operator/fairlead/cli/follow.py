"""Follows the output of a Job or a Session to its end, through queues, restarts, further attempts and broken connections: each byte once.

    look at the object -> waits: say for what -> look again
                       -> runs: read what comes for some seconds -> look again
                       -> another attempt: read the one before to its end, turn to the next -> look again
                       -> ended or gone: read to the end of the file

What was read is known to the byte, so whatever breaks is asked for again from there.
"""

import asyncio
import sys
import time
from collections.abc import Awaitable, Callable
from contextlib import aclosing
from typing import Final

from fairlead.api.v1alpha1.reasons import JobCondition
from fairlead.api.v1alpha1.texts import clean
from fairlead.cli.objects import Missing, get_owner
from fairlead.cli.output import NoOutput, Output
from fairlead.domain.errors import Forbidden, Unanswered, Unavailable, Unreachable, UserFault
from fairlead.domain.run.run import RunKey
from fairlead.domain.run.watched import WatchedOwner
from fairlead.kube.client import KubeClient

WAIT_SECONDS: Final = 10             # of one reading for more: as long may a reading outlive a reader who is gone
LOOK_SECONDS: Final = 2.0            # between two looks at a Job that does not run, or has just written its end
PAUSE_SECONDS: Final = 15.0          # the longest pause between two tries after a fault; the first is a second
PATIENCE_SECONDS: Final = 600.0      # after so long without an answer it gives up
_SENTENCE_CHARACTERS: Final = 8000

Write = Callable[[bytes], Awaitable[None]]


class Follower:
    """Follows one object. `write` takes the output; sentences about it go to standard error."""

    def __init__(self, client: KubeClient, owner: WatchedOwner, output: Output, write: Write) -> None:
        self._client = client
        self._owner = owner
        self._name = f"{owner.kind} {owner.ref.namespace}/{owner.ref.name}"
        self._output = output
        self._write = write
        self._said = ""
        self._wrote = False
        self._failures = 0
        self._answered_at = float("-inf")

    async def to_the_end(self) -> int:
        """Follow it to its end: 0 if it ended well, 1 if it failed or is gone.

        Raises the fault that stood in the way when it was there from the first try on, or for `PATIENCE_SECONDS`.
        """
        while True:
            try:
                code = await self._turn()
            except (Unreachable, Unanswered, Unavailable) as fault:
                if isinstance(fault, Forbidden) or time.monotonic() - self._answered_at > PATIENCE_SECONDS:
                    raise
                await self._output.hang_up()
                self._say(f"{fault}; trying again, from byte {self._output.offset} on")
                await asyncio.sleep(min(2.0**self._failures, PAUSE_SECONDS))
                self._failures += 1
                continue
            if code is not None:
                return code
            self._answered()

    def _answered(self) -> None:
        """Whoever has to answer did."""
        self._failures, self._answered_at = 0, time.monotonic()

    async def _turn(self) -> int | None:
        """One look, and what follows from it; the exit code at the end."""
        owner = await self._look()
        if owner is None:
            return await self._gone()
        self._owner = owner
        self._output.found(owner)
        while self._output.key.attempt < owner.key.attempt:
            await self._leave_attempt(owner)
        if owner.ended:
            return await self._ended(owner)
        if not owner.has_started:
            await self._output.hang_up()
            self._say(f"waiting: {self._name} {_stands(owner)}")
            await asyncio.sleep(LOOK_SECONDS)
        else:
            await self._read_on()
        return None

    async def _look(self) -> WatchedOwner | None:
        """The object as it is now, None if it is gone or another has its name."""
        try:
            owner = await get_owner(self._client, self._owner.kind, self._owner.ref.namespace, self._owner.ref.name)
        except Missing:
            return None
        return owner if owner.ref.uid == self._owner.ref.uid else None

    async def _read_on(self) -> None:
        try:
            await self._read(WAIT_SECONDS)
        except NoOutput as fault:
            self._say(f"waiting for the output of {self._name}: {fault}")
            await asyncio.sleep(LOOK_SECONDS)
            return
        if self._output.is_drained:          # it has written its end, and its status does not say so yet
            await asyncio.sleep(LOOK_SECONDS)

    async def _leave_attempt(self, owner: WatchedOwner) -> None:
        """Read the attempt to its end and turn to the one behind it."""
        await self._drain()
        key = self._output.key
        outcome = next((each.outcome for each in owner.status.attempts if each.key == str(key)), None)
        self._say(f"attempt {key.attempt} of {self._name} has ended{f' ({outcome})' if outcome else ''}: following the next")
        self._output.turn_to(RunKey(key.uid, key.attempt + 1))

    async def _ended(self, owner: WatchedOwner) -> int:
        why = await self._drain() if owner.run_id or self._output.path else None
        if why is not None and not self._wrote:
            self._say(f"{self._name} has no output to be read: {why}")
        if owner.has_succeeded:
            return 0
        self._say(f"{self._name} {_stands(owner)}")
        return 1

    async def _gone(self) -> int:
        if self._output.path:
            await self._drain()
        where = f"; its output is still on the cluster, in {self._output.path}" if self._output.path else ""
        self._say(f"{self._name} was deleted{where}")
        return 1

    async def _drain(self) -> NoOutput | None:
        """Read all that is there; why there is nothing to read, if so."""
        while True:
            before = self._output.offset
            try:
                await self._read(0)
            except NoOutput as why:
                return why
            except UserFault:                # its Cluster went with it
                if self._wrote:
                    return None
                raise
            place = self._output.place
            if place is None or (self._output.offset >= place.size and place.start == place.last_start) or self._output.offset == before:
                return None

    async def _read(self, wait_seconds: int) -> None:
        path, offset, has_place = self._output.path, self._output.offset, self._output.place is not None
        first = True
        async with aclosing(self._output.read(wait_seconds)) as pieces:
            async for piece in pieces:
                if first:
                    self._answered()
                    self._tell_place(path, offset, same_attempt=has_place)
                    first = False
                if piece:
                    self._wrote = True
                    await self._write(piece)

    def _tell_place(self, path: str, offset: int, *, same_attempt: bool) -> None:
        """Say what a person would not expect of where the output goes on."""
        place = self._output.place
        if place is None or not path:
            return
        if place.path != path:
            if same_attempt:
                self._say(f"{self._name} was started again; its output goes on in {place.path}")
        elif place.offset < offset:
            self._say(f"{path} was cut from {offset} bytes to {place.size}: reading it from its beginning")

    def _say(self, sentence: str) -> None:
        """Each sentence once in a row. It may hold words of others: paths, conditions, what a login node said."""
        sentence = clean(sentence, _SENTENCE_CHARACTERS)
        if sentence != self._said:
            self._said = sentence
            print(f"fairlead: {sentence}", file=sys.stderr, flush=True)


def _stands(owner: WatchedOwner) -> str:
    """How it stands, in the words of its status."""
    ready = owner.status.condition(JobCondition.READY)
    phase = f"is {owner.status.phase or 'new'}"
    if ready is None:
        return phase
    return f"{phase} ({ready.reason}{f': {ready.message}' if ready.message else ''})"
