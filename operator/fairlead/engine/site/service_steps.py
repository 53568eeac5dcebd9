"""The Services of one site's owners: made when an owner has begun, kept as long as it is there, and told of in its status.

Whether the cluster answers makes no difference: a Service and its address outlive each attempt, and each tunnel.
"""

from collections.abc import Callable, Iterable
from functools import partial
from typing import Any

import structlog

from fairlead.domain.errors import ApiFault
from fairlead.domain.kinds import Report, Serving
from fairlead.domain.run.service import KeptService, NoService, Served, WantedService
from fairlead.domain.run.watched import WatchedOwner
from fairlead.engine.far_end.exchanges import Work
from fairlead.engine.ports import Services

log = structlog.get_logger()


class ServiceSteps:
    """`owners` gives those of the site as they are known now."""

    def __init__(self, work: Work, owners: Callable[[], Iterable[WatchedOwner]]) -> None:
        self._work = work
        self._owners = owners
        self._refused: dict[str, tuple[float, WantedService, NoService]] = {}     # by uid: until when (monotonic) that stands

    async def run(self) -> float:
        """Keep the Services of those that have begun, and say in their status what is known of them; when to look again (monotonic)."""
        services, writer = self._work.world.services, self._work.writer
        if services is None:
            return float("inf")
        served = self._served()
        self._refused = {each.ref.uid: self._refused[each.ref.uid] for each, _ in served if each.ref.uid in self._refused}
        steps = ((each, self._serve(services, each, serving)) for each, serving in served if not writer.rests_until(each))
        await writer.mishaps.each("served", steps)
        return self._next()

    def _next(self) -> float:
        """When a status says something else by time alone. What should have been said by now has its turn like all else that went wrong."""
        now, ask = self._work.world.now(), self._work.writer.mishaps.ask
        moments = (ask(each, "followed", partial(serving.looks_at, each), None) for each, serving in self._served())
        return min((now.monotonic + at - now.wall for at in moments if at is not None and at > now.wall), default=float("inf"))

    def _served(self) -> list[tuple[WatchedOwner, Serving[Any]]]:
        kinds = self._work.world.kinds
        return [(each, serving) for each in self._owners() if (serving := kinds.of(each).serving) and _has_service(each)]

    async def _serve(self, services: Services, owner: WatchedOwner, serving: Serving[Any]) -> None:
        wanted = serving.wanted(owner)
        service = await self._kept(services, owner, wanted)

        def told(known: WatchedOwner) -> Report:
            place = known.ref, wanted.name, known.key
            seen = Served(service, services.tunnel(*place), services.process(*place), services.quiet(*place))
            return serving.report(known, seen, self._work.world.now())

        await self._work.writer.tell(owner.ref.uid, told)

    async def _kept(self, services: Services, owner: WatchedOwner, wanted: WantedService) -> KeptService | NoService | None:
        uid, now = owner.ref.uid, self._work.world.clock.monotonic()
        until, refused, why = self._refused.get(uid, (0.0, None, None))
        if now < until and refused == wanted:
            return why
        try:
            found = await services.keep(owner.ref, owner.kind, wanted)
        except ApiFault as error:
            log.info("service_not_kept", owner=str(owner.ref), error=str(error))
            return None
        self._refused.pop(uid, None)
        if isinstance(found, NoService):
            self._refused[uid] = now + self._work.world.settings.pauses.service_seconds, wanted, found
        return found


def _has_service(owner: WatchedOwner) -> bool:
    return owner.is_begun and not (owner.ended or owner.deleting)
