"""Which Clusters use a work folder: several may lead to one, and the last that goes takes it along.

Clusters that this process does not see, since they are another installation's or of a namespace that is not watched, are told by the
far end: what they have there keeps the tree.
"""

from collections.abc import Iterator

from fairlead.domain.cluster.cluster import Cluster
from fairlead.domain.cluster.sites import SiteKey
from fairlead.engine.registry import Registry


class Trees:
    """Which trees were taken away, by their markers, and which sites have done with theirs."""

    def __init__(self, registry: Registry) -> None:
        self._registry = registry
        self._taken: set[str] = set()
        self._done: set[SiteKey] = set()

    def is_last(self, cluster: Cluster, site: str, marker: str) -> bool:
        """Whether no other site has the tree of this `marker`. This one has done with it from now on: of two that ask, one is the last."""
        known = {uid for uid, _ in self._done} & {each.ref.uid for each in self._registry.clusters}
        self._done = {each for each in self._done if each[0] in known} | {(cluster.ref.uid, site)}
        return not any(theirs == marker and key not in self._done for key, theirs in self._all())

    def took(self, marker: str) -> None:
        """It may be gone from now on."""
        self._taken.add(marker)

    def keeps(self, marker: str) -> None:
        """It has stayed."""
        self._taken.discard(marker)

    def remembered(self, cluster: Cluster) -> str:
        """The marker that a site has to find, empty for none: nobody finds a tree again that we took away while he came to it."""
        return "" if cluster.marker in self._taken and not cluster.deleting else cluster.marker

    def _all(self) -> Iterator[tuple[SiteKey, str | None]]:
        for cluster in self._registry.clusters:
            uid, status = cluster.ref.uid, cluster.status
            yield (uid, ""), status.work_dir.marker if status.work_dir and not cluster.spec.process else None
            for login in status.logins:
                yield (uid, login.namespace), login.work_dir.marker if login.work_dir else None
            for host in status.hosts:
                yield (uid, host.name), host.work_dir.marker if host.work_dir else None
