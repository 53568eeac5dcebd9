"""What all sites share."""

from collections.abc import Callable, Coroutine, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from fairlead.domain.cluster.cluster import Cluster
from fairlead.domain.gone.remains import Remains
from fairlead.domain.gone.sweep import Found
from fairlead.domain.objects import ClusterName, Location
from fairlead.domain.run.installation import Installation
from fairlead.domain.run.run import RunKey
from fairlead.domain.run.watched import WatchedOwner
from fairlead.engine.owed.debts import Debts
from fairlead.engine.ports import World
from fairlead.engine.registry import Registry
from fairlead.engine.trees import Trees
from fairlead.schedulers.seam import Driver, Removed


class Overseer(Protocol):
    """The site whose tree was swept."""

    @property
    def location(self) -> Location:
        """Where that is."""
        ...

    def is_under_way(self, uid: str) -> bool:
        """Whether what is left of this object is being cleaned up already."""
        ...

    def clean_up(self, remains: Remains) -> None:
        """See to it that nothing is left of an owner of Runs whose object is gone."""
        ...

    async def rule(self, found: Found) -> bool:
        """Whether so many may be cleaned up. What it rests on is in the Cluster's status before it answers."""
        ...

    async def tell_of_strays(self, strays: int, strange: int) -> None:
        """Tell people of directories that were never handed in, and of entries that are no Run's, if they are many."""
        ...


@dataclass(frozen=True, slots=True)
class SiteContext:
    """What all sites share. `beat` proves life of a site by name, `ended` hands over a finished Job, `swept` everything that a sweep found.

    `remembers` says whether directories of finished Jobs are kept at a site of a Cluster, `cluster_of` to which Cluster a Job belongs, by
    its uid, as far as it is known: several may lead to one login. `left` gives the Jobs that left the watch while they were active, each as
    it was last seen, until nothing of it is left: they keep their places.
    """

    world: World
    registry: Registry
    installation: Installation
    debts: Debts
    trees: Trees
    driver_of: Callable[[Cluster], Driver]
    beat: Callable[[str, float], None]
    remembers: Callable[[Cluster, str], bool]
    cluster_of: Callable[[str], ClusterName | None]
    left: Callable[[], Sequence[WatchedOwner]]
    ended: Callable[[WatchedOwner], None]
    swept: Callable[[Overseer, Removed], Coroutine[Any, Any, Sequence[RunKey]]]
