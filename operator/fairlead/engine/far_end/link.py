"""One site's way to its cluster: credentials, address, the tree at the far end, its breaker and its health.

A failure stands in `health` until what failed works again. For most that is any answer; for a poll it is a poll: the probe that follows a
failed poll says that the login node is there, not that squeue answers.
"""

import asyncio
from collections.abc import Callable
from dataclasses import replace
from operator import attrgetter

import structlog

from fairlead.api.v1alpha1.reasons import ClusterReason
from fairlead.domain.cluster.access import login_of, secrets_of
from fairlead.domain.cluster.address import Address
from fairlead.domain.cluster.cluster import NEEDS_A_PERSON, Cluster, Health, Trouble, accounting_fault
from fairlead.domain.errors import ApiFault, FairleadError, Forbidden, RemoteFault, Unanswered, Unreadable
from fairlead.domain.run.answers import ProbeProblem
from fairlead.domain.run.evidence import hidden
from fairlead.domain.run.installation import Installation
from fairlead.domain.run.observation import Observation
from fairlead.domain.run.run import Tree
from fairlead.engine.failures.breaker import CLOSED, Breaker
from fairlead.engine.far_end.lookout import Lookout
from fairlead.engine.ports import T, World
from fairlead.schedulers.seam import Driver, Exchange, Place
from fairlead.telemetry import metrics

log = structlog.get_logger()

REASON_OF_PROBLEM: dict[ProbeProblem, ClusterReason] = {
    ProbeProblem.NO_SCHEDULER: ClusterReason.NO_SBATCH,
    ProbeProblem.NO_TOOLS: ClusterReason.TOOLS_MISSING,
    ProbeProblem.ENDS_AT_LOGOUT: ClusterReason.ENDS_AT_LOGOUT,
    ProbeProblem.NOT_WRITABLE: ClusterReason.WORK_DIR_NOT_WRITABLE,
    ProbeProblem.NOT_OURS: ClusterReason.WORK_DIR_NOT_OURS,
    ProbeProblem.NOT_SAFE: ClusterReason.WORK_DIR_NOT_SAFE,
    ProbeProblem.SCHEDULER_DOWN: ClusterReason.SCHEDULER_DOWN,
}
FIXED_AT_LOGIN = frozenset({
    ClusterReason.LOGIN_SHELL_FAILED, ClusterReason.NO_SBATCH, ClusterReason.TOOLS_MISSING, ClusterReason.WORK_DIR_NOT_WRITABLE,
    ClusterReason.WORK_DIR_NOT_OURS, ClusterReason.WORK_DIR_NOT_SAFE,
})
"""What depends on shell, groups, environment or mounts, which a connection keeps as they were at its login: the next try needs another."""


class Link:
    """Connects, probes, and knows whether the site can be worked with. `tree` is set while it can.

    `full` says why nothing new can be stored there, though what is there can be looked at, ended and removed; empty while it can.
    """

    def __init__(
        self, world: World, installation: Installation, driver_of: Callable[[Cluster], Driver],
        marker_of: Callable[[Cluster], str] = attrgetter("marker"),
    ) -> None:
        self._world = world
        self._settings = world.settings
        self._installation = installation
        self._driver_of = driver_of
        self._marker_of = marker_of
        self._address: Address | None = None
        self._checked_at = float("-inf")
        self._breaker: Breaker = CLOSED
        self._poll_seconds = float("inf")
        self._poll_owed = False
        self._given_up = 0
        self._lookout = Lookout(world, self._port_speaks)
        self._hastened_at = float("-inf")
        self.on_port: Callable[[], None] = lambda: None    # called when a try may be made sooner than was said
        self.tree: Tree | None = None
        self.full = ""
        self.lacks_secret = False                # one that the spec names does not exist; what was read before may be used all the same
        self.polled_at: float | None = None      # monotonic: the last poll that was answered, or the check before the first
        self.health = Health()

    @property
    def retry_at(self) -> float:
        """When the next try may be made (monotonic)."""
        return self._breaker.retry_at

    @property
    def looks_again_at(self) -> float:
        """When a site that can be worked with is looked at anew (monotonic)."""
        seconds = self._settings.secret_refresh_seconds
        return self._checked_at + (min(seconds, self._settings.breaker_limit_seconds) if self.full else seconds)

    @property
    def is_beyond_reach(self) -> bool:
        """Whether the last try failed, and the next has to wait. Without a tree alone it is only not known whether the cluster answers."""
        return self.tree is None and self.health.trouble is not None and not self._breaker.allows(self._world.clock.monotonic())

    @property
    def look_seconds(self) -> int:
        """How long one poll may look at Runs. Half of its time-out: what it has asked until then it has to bring home, too."""
        return max(1, int(min(self._poll_seconds, self._settings.poll_limit_seconds) / 2))

    @property
    def has_address(self) -> bool:
        """Whether it is known where and with which key to log in, as it was read last."""
        return self._address is not None

    @property
    def user(self) -> str:
        """The login name, empty while it is not known."""
        return self._address.user if self._address else ""

    def reset(self) -> None:
        """The Cluster's spec changed: try at once. What needed a person may be mended by that, so it is not said of the new spec."""
        self._breaker = CLOSED
        self._lookout.end()
        self._give_up()
        trouble = self.health.trouble
        if trouble is not None and trouble.reason in NEEDS_A_PERSON and not self._poll_owed:
            self.health = Health(use=self.health.use, sweep=self.health.sweep)

    async def ensure(self, cluster: Cluster) -> bool:
        """Have a connection and a tree, or say in `health` why not; credentials and site are looked at again now and then. Never raises."""
        monotonic = self._world.clock.monotonic()
        if not self._breaker.allows(monotonic):
            return False
        if self.tree is not None and monotonic < self.looks_again_at:
            return True
        self._checked_at = monotonic
        self._lookout.end()
        self._poll_seconds = cluster.spec.polling.timeout_seconds
        seconds = self._settings.reach_seconds + cluster.spec.connection.connect_timeout_seconds
        try:
            async with asyncio.timeout(seconds):
                await self._refresh_address(cluster)
                await self._probe(cluster)
        except TimeoutError:
            self.failed(Unanswered(f"the check did not come to its end within {seconds:g} s", ClusterReason.CONNECT_TIMEOUT))
            return False
        except FairleadError as error:
            self.failed(error)
            if self._address is not None and isinstance(error, RemoteFault) and error.reason in FIXED_AT_LOGIN:
                self._world.remote.retire(self._address)
            return False
        except Exception as error:
            log.exception("check_failed")
            self.failed(RemoteFault(f"the check met an error of Fairlead's own ({type(error).__name__}): the controller's log says more",
                                    ClusterReason.INTERNAL_ERROR))
            return False
        return self.tree is not None

    async def exchange(self, exchange: Exchange[T]) -> T:
        """One exchange with the site.

        A failure is raised again, and recorded unless the site was given up meanwhile: then why is known, and this may be our own doing.
        """
        given_up = self._given_up
        try:
            return await self._counted(exchange)
        except FairleadError as error:
            if given_up == self._given_up:
                self.failed(error)
            raise

    async def aside(self, exchange: Exchange[T]) -> T:
        """An exchange whose failure says nothing of the site: nobody needs its answer."""
        if self._address is None:
            msg = "no address yet: ensure() comes first"
            raise RuntimeError(msg)
        return await self._world.remote.exchange(self._address, exchange)

    async def poll(self, exchange: Exchange[Observation]) -> Observation:
        """The exchange that is a poll, bounded by the Cluster's own time-out. What is said of a failed one stands until a poll succeeds."""
        try:
            observation = await self.exchange(replace(exchange, timeout_seconds=min(exchange.timeout_seconds, self._poll_seconds)))
        except Unanswered:
            self._poll_owed = True
            raise
        self.polled_at = self._world.clock.monotonic()
        ids = hidden(observation)
        self._poll_owed = bool(ids)
        if ids:
            message = f"squeue does not list {', '.join(ids[:3])}, which scontrol shows as alive: look at squeue on the login node"
            self.failed(Unanswered(message, ClusterReason.POLL_FAILED))
        self._works()
        return observation

    def failed(self, error: FairleadError) -> None:
        """Something went wrong with the site: remember why, and wait."""
        clock = self._world.clock
        if isinstance(error, ApiFault) and not isinstance(error, Forbidden):   # the API server's fault: no word about the cluster
            self._breaker = Breaker(self._breaker.failures, clock.monotonic() + self._settings.pauses.api_seconds)
            return
        reason = error.reason if isinstance(error, RemoteFault | Unreadable) else ClusterReason.SECRET_INVALID
        limit = self._settings.breaker_person_seconds if reason in NEEDS_A_PERSON else self._settings.breaker_limit_seconds
        self._breaker = self._breaker.failed(clock.monotonic(), self._settings.pauses.first_seconds, limit, self._world.jitter())
        self._give_up()
        if self._address is not None:
            self._lookout.begin(self._address, error)
        metrics.breaker_opened.inc()
        trouble = Trouble(reason, str(error))
        if self.health.trouble != trouble:
            log.warning("cluster_not_ready", reason=str(reason), message=str(error))
        retry_at_wall = clock.wall() + self._breaker.retry_at - clock.monotonic()
        self.health = replace(self.health, trouble=trouble, failures=self._breaker.failures, retry_at_wall=retry_at_wall)

    def _port_speaks(self) -> None:
        """The port, which was silent, speaks again: try at once. Should that fail, the next try waits as long as it would have."""
        now = self._world.clock.monotonic()
        if now - self._hastened_at >= self._settings.breaker_limit_seconds:
            self._hastened_at = now
            self._breaker = replace(self._breaker, retry_at=min(self._breaker.retry_at, now))
            self.on_port()

    def close(self) -> None:
        """Let the connections go, and forget what is known: the next `ensure` begins anew.

        What is in flight ends in peace: it may be another Cluster's, which logs in the same way.
        """
        address, self._address = self._address, None
        self.reset()
        if address is not None:
            self._poll_owed = False
            self.polled_at = None
            self.health = Health(use=self.health.use, sweep=self.health.sweep)
            self._world.remote.retire(address)

    def _give_up(self) -> None:
        """What is in flight now was begun on a site that is to be looked at anew."""
        self.tree = None
        self.full = ""
        self._given_up += 1

    def _works(self) -> None:
        if not self._poll_owed and (self._breaker.failures or self.health.trouble or self.full):
            self._breaker, self._hastened_at = CLOSED, float("-inf")
            trouble = Trouble(ClusterReason.WORK_DIR_NOT_WRITABLE, self.full) if self.full else None
            self.health = replace(self.health, trouble=trouble, failures=0, retry_at_wall=None)

    async def _counted(self, exchange: Exchange[T]) -> T:
        if self._address is None:
            msg = "no address yet: ensure() comes first"
            raise RuntimeError(msg)
        began, outcome = self._world.clock.monotonic(), "failed"
        try:
            answer = await self._world.remote.exchange(self._address, exchange)
            outcome = "ok"
        finally:
            metrics.exchange_finished.labels(exchange.verb, outcome).observe(self._world.clock.monotonic() - began)
        return answer

    async def _refresh_address(self, cluster: Cluster) -> None:
        """Read the Secrets again.

        Credentials that worked are kept while the API server does not answer, and while Runs or debts need them: a namespace's deletion may
        take the Secret first. Those of an idle Cluster go with their Secret, and the connection with them.
        """
        try:
            address = login_of(cluster, {each: await self._world.data.read_secret(*each) for each in secrets_of(cluster)})
            self.lacks_secret = False
        except ApiFault:
            if self._address is None:
                raise
            return
        except Unreadable as error:
            self.lacks_secret = error.reason is ClusterReason.SECRET_NOT_FOUND
            is_needed = (cluster.deleting or bool(self.health.use)) and error.reason is not ClusterReason.HOST_REMOVED
            if self._address is None or not is_needed:
                self.close()
                raise
            return
        if address != self._address:
            old, self._address = self._address, address
            self._give_up()
            if old is not None:
                self._world.remote.retire(old)

    async def _probe(self, cluster: Cluster) -> None:
        """Find or make the tree. An answer that names a problem is a failure like any other: the breaker counts it."""
        place = Place(cluster.spec.work_dir, self._installation, self._marker_of(cluster), self._world.token())
        answer = await self._counted(self._driver_of(cluster).scheduler.probe(self._world.token(), place))
        is_full = answer.problem is ProbeProblem.NOT_WRITABLE and answer.tree is not None
        if answer.problem is not None and not is_full:
            raise RemoteFault(answer.text or str(answer.problem), REASON_OF_PROBLEM[answer.problem])
        if fault := accounting_fault(cluster, answer.accounting):
            raise RemoteFault(fault, ClusterReason.ACCOUNTING_DOWN)
        self.tree = answer.tree
        self._fill(answer.text or str(answer.problem) if is_full else "")
        if self.polled_at is None:
            self.polled_at = self._world.clock.monotonic()
        self.health = replace(self.health, probe=answer, accounting=answer.accounting)
        self._works()

    def _fill(self, words: str) -> None:
        """Know that nothing can be stored there, or that it can again."""
        if words and words != self.full:
            log.warning("work_folder_full", message=words)
        self.full = words
