"""What a site tells of its Sessions' ways and of their end: when it looks again by itself, and that it writes no more than it must."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from fairlead.domain.objects import ObjectRef
from fairlead.domain.run.quiet import Quiet
from fairlead.domain.run.run import RunKey
from fairlead.domain.run.service import KeptService, NoService, ProcessState, TunnelState, WantedService
from fairlead.domain.session.session import Session
from fairlead.engine.far_end.exchanges import Work
from fairlead.engine.far_end.link import Link
from fairlead.engine.registry import Registry
from fairlead.engine.site.service_steps import ServiceSteps
from fairlead.engine.writer import Writer
from product.objects import NOW, UID, a_cluster
from product.session_states import REACHED, RUNS, SERVICE, a_session, after
from unit.engine.virtual import ONE, Virtual, driver_of

NEVER = float("inf")


@dataclass
class FakeServices:
    """Each Session has its Service, and a way that is open."""

    said: Quiet | None = None

    async def keep(self, owner: ObjectRef, kind: str, wanted: WantedService) -> KeptService | NoService:
        return SERVICE

    def tunnel(self, owner: ObjectRef, service: str, key: RunKey) -> TunnelState | None:
        return TunnelState.OPEN

    def process(self, owner: ObjectRef, service: str, key: RunKey) -> ProcessState | None:
        return None

    def quiet(self, owner: ObjectRef, service: str, key: RunKey) -> Quiet | None:
        return self.said

    def take(self, plural: str, event: str | None, body: Mapping[str, Any]) -> str:
        raise AssertionError("nothing is watched here")

    async def refresh(self) -> None:
        raise AssertionError("nothing is listed here")


class Stage:
    """The steps of one site, with one Session that runs since NOW."""

    def __init__(self, **spec: Any) -> None:
        self.virtual, self.services, self.registry = Virtual(), FakeServices(), Registry()
        world = replace(self.virtual.world, services=self.services)
        work = Work(world, Link(world, ONE, driver_of), Writer(world, self.registry), self.registry.job, lambda: driver_of(a_cluster()))
        self.steps = ServiceSteps(work, lambda: self.registry.jobs)
        self.registry.put_job(after(a_session(**spec), RUNS, REACHED))

    @property
    def session(self) -> Session:
        found = self.registry.job(UID)
        assert isinstance(found, Session)
        return found

    async def looks(self, seconds: float) -> float:
        """A look so long after NOW; in how many seconds the next is due."""
        self.virtual.clock.seconds = seconds         # its day begins at NOW
        return await self.steps.run() - self.virtual.clock.seconds


async def test_a_site_looks_again_by_itself_when_a_session_ends_soon():
    """Else the warning would come when something else happens, or looks that see nothing would cost writes."""
    stage = Stage(maxLifetimeSeconds=3600)
    assert await stage.looks(0) == 3300
    assert await stage.looks(3299) == 1
    assert stage.virtual.store.statuses == []
    assert await stage.looks(3300) == NEVER
    assert stage.virtual.store.told == ["EndsSoon"]
    assert await stage.looks(3400) == NEVER
    assert len(stage.virtual.store.statuses) == 1


async def test_one_that_is_idle_for_good_costs_one_write():
    """Else a thousand idle Sessions would keep the API server busy."""
    stage = Stage()
    assert await stage.looks(100) == NEVER
    stage.services.said = Quiet(50, 170)
    for seconds in range(200, 20_000, 1000):
        assert await stage.looks(seconds) == NEVER
    assert len(stage.virtual.store.statuses) == 1
    assert stage.session.deadline() is None


async def test_it_is_told_to_end_by_the_time_at_which_it_was_told_to_be_idle():
    """Else it would be ended by a gateway's clock, or when nothing else happens to it never."""
    stage = Stage(idleTimeoutSeconds=3600)
    assert await stage.looks(100) == NEVER
    stage.services.said = Quiet(50, 170)
    assert await stage.looks(200) == 80 + 3600 - 300 - 200
    assert stage.session.deadline() == NOW.wall + 80 + 3600
    stage.services.said = None
    assert await stage.looks(3670) == NEVER
    assert stage.session.deadline() is None
