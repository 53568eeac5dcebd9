"""Which logins of a Cluster with credentials for each namespace are anybody's wish.

A Secret is used because a Job of its namespace names the Cluster, or a debt does, and for no other reason. What a Cluster's status says of
logins need not be ours: it only says for which namespaces to ask. The one case in which it is needed are Jobs that have ended, which are
not watched: after a start their directories wait under a login of which nothing else speaks.
"""

import asyncio
from collections.abc import Collection, Iterable

import structlog

from fairlead.domain.cluster.cluster import Cluster
from fairlead.domain.errors import ApiFault
from fairlead.engine.ports import World

log = structlog.get_logger()

_Login = tuple[str, str]
"""A Cluster's uid, and a namespace."""


class Logins:
    """Asks the API server for each login that a status names."""

    def __init__(self, world: World) -> None:
        self._world = world
        self._wished: set[_Login] = set()
        self._asked_at: dict[_Login, float] = {}

    def of(self, cluster: Cluster) -> frozenset[str]:
        """The namespaces that the status names and that have Jobs on the Cluster."""
        return frozenset(each.namespace for each in cluster.status.logins if (cluster.ref.uid, each.namespace) in self._wished)

    async def look(self, clusters: Iterable[Cluster]) -> None:
        """Ask for those that are not known yet."""
        now = self._world.clock.monotonic()
        named = {(cluster.ref.uid, each.namespace): cluster for cluster in clusters for each in cluster.status.logins
                 if self._world.scope.covers(each.namespace)}
        self._wished &= named.keys()
        kept_seconds = self._world.settings.logins_seconds
        self._asked_at = {login: at for login, at in self._asked_at.items() if login in named and now - at < kept_seconds}
        places = asyncio.Semaphore(self._world.settings.api_questions)
        open_questions = [login for login in named if login not in self._wished and login not in self._asked_at]
        await asyncio.gather(*(self._ask(login, named[login], places) for login in open_questions))

    def nobodys(self, cluster: Cluster, at_work: Collection[str]) -> frozenset[str]:
        """The namespaces that the status names and that surely have no Job on the Cluster, but for those whose login is `at_work`."""
        return frozenset(each.namespace for each in cluster.status.logins
                         if (cluster.ref.uid, each.namespace) in self._asked_at and each.namespace not in at_work)

    async def _ask(self, login: _Login, cluster: Cluster, places: asyncio.Semaphore) -> None:
        uid, namespace = login
        async with places:
            try:
                wished = await self._world.data.has_jobs(namespace, cluster.name)
            except ApiFault as error:
                log.info("login_unknown", namespace=namespace, error=str(error))
                return
        if wished:
            self._wished.add(login)
        else:
            log.info("login_of_nobody", cluster=str(cluster.ref), namespace=namespace)
            self._asked_at[uid, namespace] = self._world.clock.monotonic()
