"""The objects as they are known in this process: fed by watch events and by our own writes, read by the sites' loops."""

from collections import Counter
from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import replace

from fairlead.api.v1alpha1.meta import OwnerStatus
from fairlead.domain.cluster.admission import refusal
from fairlead.domain.cluster.cluster import Cluster
from fairlead.domain.objects import ClusterName
from fairlead.domain.run.owner import RunOwner
from fairlead.domain.run.watched import WatchedOwner
from fairlead.engine.failures.mishaps import contained


class Registry:
    """Clusters and Jobs by uid. An event that is older than what is known changes nothing.

    Resource versions are compared as numbers, as Kubernetes allows since 1.35 and etcd has always made them.
    """

    def __init__(self) -> None:
        self._clusters: dict[str, Cluster] = {}
        self._named: dict[ClusterName, set[str]] = {}            # uids of Clusters by name
        self._jobs: dict[str, WatchedOwner] = {}
        self._jobs_of: dict[ClusterName, dict[str, None]] = {}   # in the order in which they came
        self._in_namespace: Counter[str] = Counter()
        self._labels: dict[str, Mapping[str, str]] = {}
        self._left: set[str] = set()     # uids that were dropped since the last list was begun
        self.on_cluster: Callable[[Cluster, bool], None] = lambda _cluster, _gone: None
        self.on_labels: Callable[[], None] = lambda: None
        self.on_job: Callable[[WatchedOwner], None] = lambda _job: None
        self.on_job_lost: Callable[[WatchedOwner], None] = lambda _job: None

    @property
    def clusters(self) -> Iterable[Cluster]:
        """All Clusters."""
        return tuple(self._clusters.values())

    @property
    def jobs(self) -> Iterable[WatchedOwner]:
        """All Jobs that have not left the watch."""
        return tuple(self._jobs.values())

    def cluster_named(self, name: ClusterName) -> Cluster | None:
        """The Cluster that lives under this name now: of several uids the one that is not being deleted."""
        uids = self._named.get(name)
        if uids is None:
            return None
        if len(uids) == 1:               # as good as always; asked for each Job at each look
            return self._clusters[next(iter(uids))]
        found = [self._clusters[uid] for uid in uids]
        return min(found, key=lambda each: (each.deleting, -each.resource_version), default=None)

    def job(self, uid: str) -> WatchedOwner | None:
        """The Job with this uid."""
        return self._jobs.get(uid)

    def jobs_of(self, name: ClusterName) -> tuple[WatchedOwner, ...]:
        """The Jobs that refer to the Cluster of this name."""
        return tuple(self._jobs[uid] for uid in self._jobs_of.get(name, {}))

    def count_in(self, namespace: str) -> int:
        """How many Jobs of a namespace are known."""
        return self._in_namespace[namespace]

    def refusal(self, job: RunOwner, cluster: Cluster) -> str | None:
        """Why a Cluster does not let this Job begin, also after a suspension; None if it does."""
        return refusal(cluster, job.ref.namespace, self._labels.get(job.ref.namespace))

    def is_refused(self, job: RunOwner, cluster: Cluster) -> bool:
        """Whether a Job is kept out of a Cluster: it is not admitted, and nothing of it is to be seen to there.

        Of one that was begun there may be something, until that was looked for, and when it is deleted.
        """
        is_there = job.is_begun and (job.deleting or job.ended or not job.is_kept_out)
        return not is_there and self.refusal(job, cluster) is not None

    def know_labels(self, labels: Mapping[str, Mapping[str, str]]) -> None:
        """The labels of the namespaces that Clusters ask for, as they were read just now; of no other are they known any more."""
        if labels != self._labels:
            self._labels = dict(labels)
            self.on_labels()

    def put_cluster(self, cluster: Cluster) -> None:
        """A Cluster as an event or our own write shows it."""
        old = self._clusters.get(cluster.ref.uid)
        if old and (old.resource_version > cluster.resource_version or old == cluster):
            return
        self._clusters[cluster.ref.uid] = cluster
        self._named.setdefault(cluster.name, set()).add(cluster.ref.uid)
        self.on_cluster(cluster, False)

    def cluster_written(self, cluster: Cluster, resource_version: int) -> None:
        """Our own write to `cluster` succeeded: know it before the watch tells.

        Somebody may have changed the rest just before: the event of this very version shows all of it, and counts.
        """
        known = self._clusters.get(cluster.ref.uid)
        if known and known.resource_version < resource_version:
            self._clusters[cluster.ref.uid] = replace(known, resource_version=resource_version, status=cluster.status)

    def drop_cluster(self, uid: str) -> None:
        """The Cluster is gone."""
        self._left.add(uid)
        if old := self._clusters.pop(uid, None):
            self._named[old.name].discard(uid)
            if not self._named[old.name]:
                del self._named[old.name]
            self.on_cluster(old, True)

    def put_job(self, job: WatchedOwner) -> None:
        """A Job as an event or our own write shows it."""
        old = self._jobs.get(job.ref.uid)
        if old and (old.resource_version > job.resource_version or old == job):
            return
        self._in_namespace[job.ref.namespace] += job.ref.uid not in self._jobs
        self._jobs[job.ref.uid] = job
        self._jobs_of.setdefault(job.cluster, {})[job.ref.uid] = None
        self.on_job(job)

    def drop_job(self, uid: str, *, released: bool = False) -> None:
        """The Job left the watch. If we had not `released` it, somebody took our finalizer off: it may have left something.

        That they did may have been an event of its own, after which the Job no longer had our finalizer; a Run in its status speaks for it.
        """
        self._left.add(uid)
        old = self._jobs.pop(uid, None)
        if old is None:
            return
        self._in_namespace[old.ref.namespace] -= 1
        self._jobs_of[old.cluster].pop(uid, None)
        if not self._jobs_of[old.cluster]:
            del self._jobs_of[old.cluster]       # a name of which nobody speaks any more
        if old.is_begun and not released:
            self.on_job_lost(old)
        self.on_job(old)

    def job_written(
        self, job: WatchedOwner, resource_version: int, *, status: OwnerStatus | None = None, has_finalizer: bool | None = None,
    ) -> None:
        """Our own write to `job` succeeded: know it before the watch tells, as `cluster_written`. A Job that left meanwhile stays out."""
        known = self._jobs.get(job.ref.uid)
        if known is None or known.resource_version >= resource_version:
            return
        self._jobs[job.ref.uid] = known.written(resource_version, status=status, has_finalizer=has_finalizer)

    def touched(self, uid: str) -> None:
        """Something that belongs to a Job has changed: its site looks at it."""
        if job := self._jobs.get(uid):
            self.on_job(job)

    def uids_in(self, namespaces: Collection[str]) -> frozenset[str]:
        """Everything that is known of these namespaces."""
        if not namespaces:
            return frozenset()
        refs = [*(cluster.ref for cluster in self.clusters), *(job.ref for job in self.jobs)]
        return frozenset(ref.uid for ref in refs if ref.namespace in namespaces)

    def version(self, uid: str) -> int:
        """The newest version known of an object, 0 if none is."""
        known = self._clusters.get(uid) or self._jobs.get(uid)
        return known.resource_version if known else 0

    def begin_list(self) -> frozenset[str]:
        """Everything that is known now, for `replace`: asked before a complete list is read."""
        self._left = set()
        return frozenset(self._clusters.keys() | self._jobs.keys())

    def has_left(self, uid: str) -> bool:
        """Whether this object has gone since the list was begun: what the list says of it is older than its end."""
        return uid in self._left

    def replace(
        self, clusters: Iterable[Cluster], jobs: Iterable[WatchedOwner], present: Collection[str], known_before: Collection[str],
    ) -> None:
        """A complete list: what was known before it was asked for and is not `present` is gone. A cut watch tells of no deletions.

        What has left since the list was begun stays out.
        """
        left = frozenset(self._left)
        for uid in set(known_before) - set(present):
            with contained("list", gone=uid):
                self.drop_cluster(uid)
                self.drop_job(uid)
        for cluster in clusters:
            if cluster.ref.uid not in left:
                with contained("list", cluster=str(cluster.ref)):
                    self.put_cluster(cluster)
        for job in jobs:
            if job.ref.uid not in left:
                with contained("list", job=str(job.ref)):
                    self.put_job(job)
