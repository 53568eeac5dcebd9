"""What is watched is counted as it is, and in few series, whatever stands in statuses."""

from dataclasses import replace

from fairlead.api.v1alpha1.job import JobPhase
from fairlead.api.v1alpha1.reasons import ClusterCondition, ClusterReason, JobCondition, JobReason
from fairlead.domain.cluster.cluster import Cluster
from fairlead.domain.conditions import Says, told
from fairlead.domain.gone.debt import UNREACHABLE, Debt
from fairlead.domain.job.job import Job
from fairlead.engine.gauges import Gauges
from fairlead.engine.owed.debts import Debts
from fairlead.engine.registry import Registry
from fairlead.engine.site.site import Site
from fairlead.telemetry import metrics
from product.objects import UID, a_cluster, a_job
from unit.engine.virtual import Virtual


def shown(metric) -> dict[tuple[str, ...], float]:
    """Its series by their labels' values, without those at 0."""
    return {tuple(sample.labels.values()): sample.value for sample in metric.collect()[0].samples if sample.value}


class Stage:
    """A registry, a ledger, and sites that were polled at some time."""

    def __init__(self) -> None:
        self.virtual, self.registry = Virtual(), Registry()
        self.sites: list[Site] = []
        self.debts = Debts(self.virtual.world)
        self.gauges = Gauges(self.virtual.world, self.registry, self.debts, lambda: self.sites)

    def job(self, number: int, phase: JobPhase | None, reason: str = "", status: str = "False") -> None:
        """One Job, with what its condition Submitted says."""
        made: Job = a_job()
        conditions = told((), [Says(JobCondition.SUBMITTED, status == "True", JobReason.QUEUED)], 0.0, 1) if reason else ()
        conditions = tuple(each.model_copy(update={"reason": reason}) for each in conditions)
        ref = replace(made.ref, name=f"job-{number}", uid=f"{number:08}-2222-4333-8444-555555555555")
        self.registry.put_job(replace(made, ref=ref, status=made.status.having(phase=phase, conditions=conditions)))

    def cluster(self, number: int, *says: Says, reason: str = "") -> None:
        """One Cluster, with what its conditions say."""
        made: Cluster = a_cluster()
        conditions = tuple(each.model_copy(update={"reason": reason or each.reason}) for each in told((), says, 0.0, 1))
        ref = replace(made.ref, name=f"hpc-{number}", uid=f"cluster-{number}")
        self.registry.put_cluster(replace(made, ref=ref, status=made.status.having(conditions=conditions)))


class Polled:
    """A site as the gauges see one."""

    def __init__(self, polled_at: float | None, *, is_reached: bool = True) -> None:
        self.cluster, self.polled_at, self.is_reached = a_cluster(), polled_at, is_reached


async def test_jobs_are_counted_by_phase_and_by_what_they_wait_for() -> None:
    """A person at night would not see that everybody waits, or for what."""
    stage = Stage()
    stage.job(1, JobPhase.RUNNING, JobReason.QUEUED, "True")
    stage.job(2, JobPhase.PENDING, JobReason.CLUSTER_NOT_READY)
    stage.job(3, JobPhase.PENDING, JobReason.CLUSTER_NOT_READY)
    stage.job(4, None)
    await stage.gauges.look()
    assert shown(metrics.jobs.in_phase) == {("Running",): 1, ("Pending",): 3}
    assert shown(metrics.jobs.waiting) == {("ClusterNotReady",): 2}
    assert metrics.jobs.watched._value.get() == 4
    stage.registry.drop_job("00000002-2222-4333-8444-555555555555")
    stage.registry.drop_job("00000003-2222-4333-8444-555555555555")
    await stage.gauges.look()
    assert shown(metrics.jobs.waiting) == {}, "what nobody waits for any more goes"


async def test_clusters_are_counted_by_their_conditions() -> None:
    """An alert on Clusters that cannot be reached, or on sweeps that are held, would never come."""
    stage = Stage()
    stage.cluster(1, Says(ClusterCondition.READY, True, ClusterReason.READY),
                  Says(ClusterCondition.REACHABLE, True, ClusterReason.CONNECTED))
    stage.cluster(2, Says(ClusterCondition.READY, False, ClusterReason.CONNECT_TIMEOUT),
                  Says(ClusterCondition.REACHABLE, False, ClusterReason.CONNECT_TIMEOUT))
    await stage.gauges.look()
    assert shown(metrics.clusters_in_condition) == {
        ("Ready", "True"): 1, ("Ready", "False"): 1, ("Reachable", "True"): 1, ("Reachable", "False"): 1}
    assert shown(metrics.clusters_not_ready) == {("ConnectTimeout",): 1}


async def test_words_of_others_make_no_series_of_their_own() -> None:
    """Whoever may write a status could fill Prometheus, and the controller's memory, with one series for each word."""
    stage = Stage()
    for number in range(3000):
        stage.job(number, JobPhase.PENDING, f"Made-up-{number}")
    for number in range(500):
        stage.cluster(number, Says(ClusterCondition.READY, False, ClusterReason.READY), reason=f"Made-up-{number}")
    await stage.gauges.look()
    assert shown(metrics.jobs.waiting) == {("Other",): 3000}
    assert shown(metrics.clusters_not_ready) == {("Other",): 500}
    assert len(metrics.exposition()[0].splitlines()) < 2000
    assert b"Made-up" not in metrics.exposition()[0]


async def test_a_poll_is_late_after_two_intervals_and_a_time_out() -> None:
    """A login whose squeue hangs would look healthy, or a slow one would wake somebody."""
    stage = Stage()
    now = stage.virtual.clock.monotonic()
    polling = a_cluster().spec.polling
    limit = 2 * polling.max_interval_seconds + polling.timeout_seconds
    stage.sites = [Polled(now - limit + 1), Polled(None, is_reached=False), Polled(now - limit - 1, is_reached=False)]
    await stage.gauges.look()
    assert metrics.polls_late._value.get() == 1
    assert metrics.oldest_poll_age._value.get() == limit + 1
    assert shown(metrics.sites_watched) == {("yes",): 1, ("no",): 2}


async def test_the_oldest_debt_is_the_one_that_can_be_paid() -> None:
    """What only waits for its tombstone to go would be reported for a week as if somebody had to act."""
    stage = Stage()
    wall = stage.virtual.clock.wall()
    old, older = "2023-11-14T21:00:00Z", "2023-11-14T10:00:00Z"
    stage.virtual.ledger.debts = {
        "a": Debt(f"{UID}-1", "lab", "hpc", "Job", "lab", "sim", old, UNREACHABLE),
        "b": Debt(f"{UID}-2", "lab", "hpc", "Job", "lab", "sim", older, "Unaccounted"),
    }
    await stage.debts.refresh()
    await stage.gauges.look()
    [of_the_first] = [each.written_at for each in stage.virtual.ledger.debts.values() if each.reason == UNREACHABLE]
    assert metrics.debts_oldest_age._value.get() == wall - of_the_first.timestamp()
