"""One Session that this gateway holds: its door, and the way from there, looked at again and again.

Opening -> Open <-> Broken          Opening: its process has not been seen to listen yet; who comes is refused by the proxies
"""

import asyncio
import random
from collections.abc import Callable
from contextlib import suppress
from typing import Final

import structlog

from fairlead.domain.cluster.address import Endpoint
from fairlead.domain.errors import ApiFault, Closed, FairleadError, NoStream
from fairlead.domain.gateways import SliceWanted
from fairlead.domain.pacing import Now
from fairlead.domain.run.service import TunnelState
from fairlead.gateway.activity import Activity, quiet_after
from fairlead.gateway.addresses import Addresses
from fairlead.gateway.asking import Asking, Heard
from fairlead.gateway.door import Door, Leads
from fairlead.gateway.settings import WaySettings
from fairlead.gateway.wanted import Wanted

log = structlog.get_logger()

MESSAGE_CHARACTERS: Final = 400


class Held:
    """One Session. `changed` is called when its slice has something new to say."""

    def __init__(self, session: Wanted, door: Door, changed: Callable[[], None], settings: WaySettings) -> None:
        self._session, self.door, self._changed, self._settings = session, door, changed, settings
        self._nudged, self._led = asyncio.Event(), asyncio.Event()
        self._looking: asyncio.Task[None] | None = None
        self.state, self.message, self.is_ready = TunnelState.OPENING, "", False
        self._unready = 0                # answers in a row that were not as they are to be
        self.since = asyncio.get_running_loop().time()   # in this state, by the loop's clock
        self._activity = Activity(0, self.since)
        self.is_shut = False             # its end has begun

    @property
    def session(self) -> Wanted:
        """As it was last seen."""
        return self._session

    def slice(self, gateway: str, address: str) -> SliceWanted:
        """What its slice shall say."""
        quiet = self._activity.quiet if self.state is TunnelState.OPEN else None
        return SliceWanted(self._session.ref, gateway, address, self.door.port, self.state, self._session.run_key,
                           self.message, self.is_ready, quiet)

    def count(self, now: Now) -> None:
        """See whether bytes were carried for its clients. While nobody can come, or is led there, the time does not count."""
        after_seconds = quiet_after(self._settings.quiet_seconds, self._session.idle_timeout_seconds)
        if self.is_ready and self._activity.count(self.door.carried_bytes, now, after_seconds):
            log.info("activity", session=str(self._session.ref), quiet=str(self._activity.quiet or ""))
            self._changed()

    def look_on(self, asking: Asking, addresses: Addresses) -> None:
        """Begin to look."""
        self._looking = asyncio.create_task(self._look(asking, addresses))

    def see(self, session: Wanted) -> None:
        """It is as this says now. Another Run has another process: the clients of the one before are cut off."""
        if session == self._session:
            return
        if session.run_key != self._session.run_key or session.node != self._session.node:
            self.door.lead(None)
            self.door.cut()
            self._say(TunnelState.OPENING, "")
            self._unready = 0
        self._session = session
        self._changed()
        self.nudge()

    async def wait_for_way(self, seconds: float) -> None:
        """Return once there was a way to the process, or after so many seconds."""
        with suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                await self._led.wait()

    def nudge(self) -> None:
        """Look now: a client's stream was not opened, or something has changed."""
        self._nudged.set()

    async def end_looking(self) -> None:
        """Look no more, and lead nobody any more."""
        self.door.lead(None)
        if self._looking is not None:
            self._looking.cancel()
            await asyncio.wait({self._looking})

    async def _look(self, asking: Asking, addresses: Addresses) -> None:
        failures, pauses_seconds = 0, self._settings.pauses_seconds
        while True:
            self._nudged.clear()
            session = self._session
            try:
                address = await addresses.address(session)
                target = Endpoint(session.node, session.port)
                heard = await asking.answer(address, target, session)
            except FairleadError as error:
                if session == self._session and not isinstance(error, ApiFault):
                    self._fails(error)
                pause_seconds = pauses_seconds[min(failures, len(pauses_seconds) - 1)] * random.uniform(1.0, 1.25)  # noqa: S311  jitter
                failures += 1
            except Exception:
                log.exception("look_failed", session=str(session.ref))
                pause_seconds = pauses_seconds[-1]
            else:
                failures, pause_seconds = (failures + 1, self._again_seconds) if heard.why else (0, self._look_seconds(session))
                if session == self._session:
                    self._opened(Leads(address, target), heard)
            await self._pause(pause_seconds, pauses_seconds[0] if failures else 0.0)

    @property
    def _again_seconds(self) -> float:
        """Between two questions to a process that is not ready."""
        pauses = self._settings.pauses_seconds
        return pauses[min(1, len(pauses) - 1)]

    def _look_seconds(self, session: Wanted) -> float:
        """Between two looks at a process that is ready. One that asks for a token writes each refusal into its output."""
        is_cheap = session.asked is not None and session.asked.token is None
        return self._settings.ask_seconds if is_cheap else self._settings.look_seconds

    def _opened(self, way: Leads, heard: Heard) -> None:
        """There is a way. One that was ready is so until it has failed to answer several times, or another has its port."""
        self._unready = self._unready + 1 if heard.why else 0
        is_doubted = heard.why and not heard.is_strange and self._unready < self._settings.unready_answers
        if is_doubted and self.is_ready and self.state is TunnelState.OPEN:
            return
        self.door.lead(None if heard.why else way)
        self._led.set()
        self._say(TunnelState.OPEN, heard.why[:MESSAGE_CHARACTERS], is_ready=not heard.why)

    async def _pause(self, seconds: float, least_seconds: float) -> None:
        """Wait so long, or until nudged; a nudge does not hasten what has just failed below the least."""
        await asyncio.sleep(least_seconds)
        try:
            async with asyncio.timeout(max(seconds - least_seconds, 0.0)):
                await self._nudged.wait()
        except TimeoutError:
            return

    def _fails(self, error: FairleadError) -> None:
        """Before its process has ever been seen to listen, that nobody does is no fault."""
        is_early = self.state is TunnelState.OPENING and isinstance(error, NoStream) and error.why is Closed.NOBODY_LISTENS
        self._say(TunnelState.OPENING if is_early else TunnelState.BROKEN, str(error)[:MESSAGE_CHARACTERS])

    def _say(self, state: TunnelState, message: str, *, is_ready: bool = False) -> None:
        if (state, message, is_ready) != (self.state, self.message, self.is_ready):
            log.info("tunnel", session=str(self._session.ref), state=str(state), message=message, ready=is_ready)
            if state != self.state:
                self.since = asyncio.get_running_loop().time()
            self.state, self.message, self.is_ready = state, message, is_ready
            self._activity = Activity(self.door.carried_bytes, asyncio.get_running_loop().time())
            self._changed()
