"""The sites of all Clusters, and the loop of each: made when there is something to do, taken out when it has ended."""

import asyncio
from collections.abc import Callable, Iterable

from fairlead.domain.cluster.cluster import Cluster
from fairlead.domain.cluster.sites import SiteKey
from fairlead.domain.objects import Location
from fairlead.engine.cluster.cluster_record import ClusterRecord
from fairlead.engine.ports import Pulse, World
from fairlead.engine.registry import Registry
from fairlead.engine.site.site import Site


class SiteTable:
    """`make` makes one of a Cluster's sites, by its name; `records` are the Clusters by uid, each as all its sites know it."""

    def __init__(self, world: World, registry: Registry, pulse: Pulse, make: Callable[[ClusterRecord, str], Site]) -> None:
        self._world = world
        self._registry = registry
        self._pulse = pulse
        self._make = make
        self._sites: dict[SiteKey, Site] = {}
        self._tasks: dict[SiteKey, asyncio.Task[None]] = {}
        self.records: dict[str, ClusterRecord] = {}

    def values(self) -> Iterable[Site]:
        """All of them."""
        return self._sites.values()

    def changed(self, cluster: Cluster) -> None:
        """A Cluster is new, or was changed: its sites know it from now on."""
        record = self.records.setdefault(cluster.ref.uid, ClusterRecord(cluster, self._world, self._registry))
        record.cluster = cluster
        for site in self._of(cluster.ref.uid):
            site.changed()

    def gone(self, cluster: Cluster) -> None:
        """A Cluster is gone: its sites end."""
        for site in self._of(cluster.ref.uid):
            site.leave()
        self.records.pop(cluster.ref.uid, None)

    def open(self, cluster: Cluster, name: str) -> Site:
        """One of the Cluster's sites, made if there is none."""
        key = cluster.ref.uid, name
        site = self._sites.get(key)
        if site is None:
            record = self.records[cluster.ref.uid]
            record.sites.add(name)
            site = self._sites[key] = self._make(record, name)
            task = self._tasks[key] = asyncio.create_task(site.run(), name=site.name)
            task.add_done_callback(lambda _task: self._ended(key, site))
        return site

    def get(self, cluster: Cluster, name: str) -> Site | None:
        """One of the Cluster's sites, if it works."""
        return self._sites.get((cluster.ref.uid, name))

    def at(self, location: Location, namespace: str) -> Site | None:
        """The site that does the work for Jobs of a namespace there."""
        cluster = self._registry.cluster_named(location.cluster)
        name = cluster.site_for(namespace, location.host) if cluster else None
        return self.get(cluster, name) if cluster and name is not None else None

    async def close(self) -> None:
        """End all loops, and wait until they have ended."""
        for task in self._tasks.values():
            task.cancel()
        await asyncio.gather(*self._tasks.values(), return_exceptions=True)

    def _of(self, uid: str) -> list[Site]:
        return [site for key, site in self._sites.items() if key[0] == uid]

    def _ended(self, key: SiteKey, site: Site) -> None:
        self._tasks.pop(key, None)
        self._sites.pop(key, None)
        self._pulse.forget(site.name)
        if record := self.records.get(key[0]):
            record.sites.discard(key[1])
        for each in self._of(key[0]):
            each.wake()                  # a deleted Cluster's own site waits for the others
