"""One site's way to its cluster: credentials, address, the tree at the far end, its breaker and its health."""

from collections.abc import Callable
from dataclasses import replace

import structlog

from fairlead.api.v1alpha1.reasons import ClusterReason
from fairlead.domain.address import Address
from fairlead.domain.cluster import NEEDS_A_PERSON, Cluster, Health, Trouble, address_of, known_hosts_of
from fairlead.domain.errors import ApiFault, FairleadError, Refused, RemoteFault, Unreadable
from fairlead.domain.run import AccountingState, Probe, ProbeProblem, Tree
from fairlead.engine.breaker import CLOSED, Breaker
from fairlead.engine.ports import T, World
from fairlead.engine.settings import EngineSettings
from fairlead.schedulers.seam import Driver, Exchange, Place
from fairlead.telemetry import metrics

log = structlog.get_logger()

REASON_OF_PROBLEM: dict[ProbeProblem, ClusterReason] = {
    ProbeProblem.NO_SCHEDULER: ClusterReason.NO_SBATCH,
    ProbeProblem.NOT_WRITABLE: ClusterReason.WORK_DIR_NOT_WRITABLE,
    ProbeProblem.NOT_OURS: ClusterReason.WORK_DIR_NOT_OURS,
    ProbeProblem.SCHEDULER_DOWN: ClusterReason.SCHEDULER_DOWN,
}


class Link:
    """Connects, probes, and knows whether the site can be worked with. `tree` is set while it can."""

    def __init__(self, world: World, settings: EngineSettings, installation: str, driver_of: Callable[[Cluster], Driver]) -> None:
        self._world = world
        self._settings = settings
        self._installation = installation
        self._driver_of = driver_of
        self._address: Address | None = None
        self._secret_read_at = float("-inf")
        self._breaker: Breaker = CLOSED
        self.tree: Tree | None = None
        self.health = Health()

    @property
    def retry_at(self) -> float:
        """When the next try may be made (monotonic)."""
        return self._breaker.retry_at

    def reset(self) -> None:
        """The Cluster's spec changed: try at once."""
        self._breaker = CLOSED
        self._secret_read_at = float("-inf")
        self.tree = None

    async def ensure(self, cluster: Cluster) -> bool:
        """Have a connection and a tree, or say in `health` why not. Never raises."""
        monotonic = self._world.clock.monotonic()
        if not self._breaker.allows(monotonic):
            return False
        if self.tree is not None and monotonic - self._secret_read_at < self._settings.secret_refresh_seconds:
            return True
        try:
            await self._refresh_address(cluster)
            if self.tree is None:
                await self._probe(cluster)
        except FairleadError as error:
            self.failed(error)
            return False
        return self.tree is not None

    async def exchange(self, exchange: Exchange[T]) -> T:
        """One exchange with the site; a failure is recorded in `health` and raised again."""
        if self._address is None:
            msg = "no address yet: ensure() comes first"
            raise RuntimeError(msg)
        began, outcome = self._world.clock.monotonic(), "failed"
        try:
            answer = await self._world.remote.exchange(self._address, exchange)
            outcome = "ok"
        except FairleadError as error:
            self.failed(error)
            raise
        finally:
            metrics.exchange_finished.labels(exchange.verb, outcome).observe(self._world.clock.monotonic() - began)
        if self._breaker.failures or self.health.trouble:
            self._breaker = CLOSED
            self.health = replace(self.health, trouble=None, failures=0, retry_at_wall=None)
        return answer

    def failed(self, error: FairleadError) -> None:
        """Something went wrong with the site: remember why, and wait."""
        if isinstance(error, ApiFault):   # the API server's fault, not the site's: no word about the cluster
            self._breaker = Breaker(self._breaker.failures, self._world.clock.monotonic() + 1)
            return
        reason = error.reason if isinstance(error, RemoteFault | Unreadable) else ClusterReason.CONNECTION_FAILED
        limit = self._settings.breaker_person_seconds if reason in NEEDS_A_PERSON else self._settings.breaker_limit_seconds
        clock = self._world.clock
        self._breaker = self._breaker.failed(clock.monotonic(), limit, self._world.jitter())
        self.tree = None
        metrics.breaker_opened.inc()
        wait = self._breaker.retry_at - clock.monotonic()
        if self.health.trouble is None or self.health.trouble.reason is not reason:
            log.warning("cluster_not_ready", reason=str(reason), message=str(error))
            self.health = replace(self.health, trouble=Trouble(reason, str(error)))
        self.health = replace(self.health, failures=self._breaker.failures, retry_at_wall=clock.wall() + wait)
        if isinstance(error, Refused):
            self._secret_read_at = float("-inf")

    async def close(self) -> None:
        """Close what is open; bounded."""
        if self._address is not None:
            await self._world.remote.forget(self._address)

    async def _refresh_address(self, cluster: Cluster) -> None:
        """Read the Secrets again. Credentials that worked are kept when a Secret is gone: a namespace's deletion may take it first."""
        try:
            data, namespace, keys = self._world.data, cluster.ref.namespace, cluster.spec.host_keys.known_hosts_secret_ref
            secret = await data.read_secret(namespace, cluster.spec.auth_secret_ref.name)
            known_hosts = known_hosts_of(cluster, await data.read_secret(namespace, keys.name) if keys else None)
            address = address_of(cluster, secret, known_hosts)
        except (Unreadable, ApiFault):
            if self._address is None or not cluster.deleting and self.health.active_runs == 0:
                raise
            self._secret_read_at = self._world.clock.monotonic()
            return
        self._secret_read_at = self._world.clock.monotonic()
        if address != self._address:
            old, self._address = self._address, address
            self.tree = None
            if old is not None:
                await self._world.remote.forget(old)

    async def _probe(self, cluster: Cluster) -> None:
        place = Place(cluster.spec.work_dir, self._installation, cluster.marker, self._world.token())
        answer: Probe = await self.exchange(self._driver_of(cluster).scheduler.probe(self._world.token(), place))
        if answer.problem is not None:
            raise RemoteFault(answer.text or str(answer.problem), REASON_OF_PROBLEM[answer.problem])
        if cluster.spec.slurm.accounting == "Required" and answer.accounting is not AccountingState.AVAILABLE:
            msg = "sacct does not answer, and spec.slurm.accounting is Required"
            raise RemoteFault(msg, ClusterReason.ACCOUNTING_DOWN)
        self.tree = answer.tree
        self.health = replace(self.health, probe=answer, accounting=answer.accounting)
