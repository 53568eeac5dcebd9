"""How the Sessions of a namespace log in to a Cluster, looked up now and then: for all of them together, not for each."""

from dataclasses import dataclass

from fairlead.api.v1alpha1.reasons import ClusterReason
from fairlead.domain.cluster.access import login_of, secrets_of
from fairlead.domain.cluster.address import Address
from fairlead.domain.cluster.admission import asks_for_labels, refusal
from fairlead.domain.cluster.cluster import Cluster
from fairlead.domain.cluster.sites import seen_by
from fairlead.domain.errors import ApiFault, Unreachable
from fairlead.domain.objects import ClusterName
from fairlead.gateway.ports import Outside
from fairlead.gateway.wanted import Wanted

_Login = tuple[ClusterName, str, str]
"""Of which Cluster, of which of its sites, for whose Sessions."""


@dataclass(frozen=True, slots=True)
class _Known:
    address: Address
    generation: int
    at: float


class Addresses:
    """The logins of all Clusters."""

    def __init__(self, outside: Outside) -> None:
        self._outside = outside
        self._clusters: dict[ClusterName, Cluster] = {}
        self._known: dict[_Login, _Known] = {}

    def put(self, cluster: Cluster) -> None:
        """A Cluster came or changed."""
        self._clusters[cluster.name] = cluster

    def drop(self, name: ClusterName) -> None:
        """It is gone."""
        self._clusters.pop(name, None)

    async def address(self, session: Wanted) -> Address:
        """How to log in for it. Raises `Unreachable` and `Unreadable` with what is missing, `Unavailable` while nothing is known."""
        cluster, namespace, now = self._clusters.get(session.cluster), session.ref.namespace, self._outside.monotonic()
        if cluster is None:
            raise Unreachable(f"there is no Cluster {'/'.join(session.cluster)}", ClusterReason.CONNECTION_FAILED)
        site = cluster.site_for(namespace, session.host)
        if site is None:
            raise Unreachable(f"Cluster {'/'.join(session.cluster)} has no host {session.host or 'for it yet'}", ClusterReason.HOST_REMOVED)
        login = (session.cluster, site, namespace)
        known = self._known.get(login)
        if known and known.generation == cluster.generation and now < known.at + self._outside.settings.secret_refresh_seconds:
            return known.address
        try:
            address = await self._look(seen_by(cluster, site), namespace)
        except ApiFault:
            if known is None or known.generation != cluster.generation:
                raise
            return known.address             # what worked is kept while the API server does not answer
        if known and known.address != address:
            self._outside.streams.retire(known.address)
        self._known[login] = _Known(address, cluster.generation, now)
        return address

    async def _look(self, cluster: Cluster, namespace: str) -> Address:
        labels = await self._outside.secrets.read_labels(namespace) if asks_for_labels(cluster, namespace) else None
        if why := refusal(cluster, namespace, labels):
            raise Unreachable(why, ClusterReason.CONNECTION_FAILED)
        return login_of(cluster, {each: await self._outside.secrets.read_secret(*each) for each in secrets_of(cluster)})
