"""What all sites share."""

from collections.abc import Callable, Coroutine
from dataclasses import dataclass
from typing import Any, Protocol

from fairlead.domain.cluster import Cluster
from fairlead.domain.job import Job
from fairlead.domain.sweep import Found
from fairlead.engine.debts import Debts
from fairlead.engine.ports import World
from fairlead.engine.registry import Registry
from fairlead.engine.settings import EngineSettings
from fairlead.schedulers.seam import Driver, Removed


class Overseer(Protocol):
    """The site whose tree was swept."""

    @property
    def cluster(self) -> Cluster:
        """Its Cluster as it is known now."""
        ...

    def is_under_way(self, uid: str) -> bool:
        """Whether what is left of this object is being cleaned up already."""
        ...

    async def rule(self, found: Found) -> bool:
        """Whether so many may be cleaned up. What it rests on is in the Cluster's status before it answers."""
        ...


@dataclass(frozen=True, slots=True)
class SiteContext:
    """What all sites share. `beat` proves life, `ended` hands over a finished Job, `swept` everything that a sweep found."""

    world: World
    registry: Registry
    settings: EngineSettings
    installation: str
    debts: Debts
    driver_of: Callable[[Cluster], Driver]
    beat: Callable[[Cluster, float], None]
    ended: Callable[[Cluster, Job], None]
    swept: Callable[[Overseer, Removed], Coroutine[Any, Any, None]]
