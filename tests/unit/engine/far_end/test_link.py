"""The link of a site at the seam: what fails, what is said, when it is tried again. In virtual time."""

import asyncio
from dataclasses import replace
from typing import Any

import pytest
from structlog.testing import capture_logs

from fairlead.api.v1alpha1.reasons import ClusterReason
from fairlead.domain.cluster.cluster import Cluster
from fairlead.domain.cluster.residue import Use
from fairlead.domain.errors import FairleadError, Refused, Unanswered, Unavailable, Unreachable
from fairlead.domain.run.answers import AccountingState, ProbeProblem
from fairlead.engine.far_end.link import Link
from fairlead.schedulers.seam import Query, Removal
from product.objects import a_cluster
from unit.engine.virtual import GOOD_PROBE, NOTHING, ONE, SETTINGS, Virtual, driver_of

SQUEUE_FAILED = Unanswered("squeue did not answer", ClusterReason.SCHEDULER_DOWN)
CUT = Unreachable("login.example.org:22 did not answer", ClusterReason.CONNECT_TIMEOUT)


class Bench:
    """A link on fakes."""

    def __init__(self, **spec: Any) -> None:
        self.virtual = Virtual()
        self.cluster: Cluster = a_cluster(**spec)
        self.link = Link(self.virtual.world, ONE, driver_of)
        self.remote = self.virtual.remote

    async def ensured(self) -> bool:
        """Try now."""
        return await self.link.ensure(self.cluster)

    async def polled(self) -> bool:
        """Poll; whether it was answered."""
        tree = self.link.tree
        assert tree is not None
        try:
            await self.link.poll(driver_of(self.cluster).scheduler.observe("f" * 32, tree, Query({})))
        except FairleadError:
            return False
        return True

    async def swept(self) -> bool:
        """An exchange that is no poll; whether it was answered."""
        tree = self.link.tree or GOOD_PROBE.tree
        assert tree is not None
        try:
            await self.link.exchange(driver_of(self.cluster).scheduler.remove("f" * 32, tree, Removal(())))
        except FairleadError:
            return False
        return True

    def reason(self) -> ClusterReason | None:
        """What is said now."""
        return self.link.health.trouble.reason if self.link.health.trouble else None

    def accounting(self) -> AccountingState:
        """What is known of it."""
        return self.link.health.accounting

    def wait_for_retry(self) -> float:
        """Move time to the next try; how long that was."""
        pause = self.link.retry_at - self.virtual.clock.seconds
        self.virtual.clock.seconds = self.link.retry_at
        return pause


async def test_a_failed_poll_stands_until_a_poll_succeeds() -> None:
    """Else a broken squeue behind a healthy login node would make the Cluster flap, and each flap costs a status write."""
    bench = Bench()
    assert await bench.ensured()
    bench.remote.answers["observe"] = SQUEUE_FAILED
    pauses = []
    for _ in range(4):
        assert not await bench.polled()
        pauses.append(bench.wait_for_retry())
        assert await bench.ensured(), "the probe works"
        assert bench.reason() is ClusterReason.SCHEDULER_DOWN
    assert pauses == [1, 2, 4, 8], "and each poll that fails is waited for longer"
    bench.remote.answers["observe"] = NOTHING
    assert await bench.polled()
    assert bench.reason() is None
    assert bench.link.health.failures == 0


async def test_a_lost_connection_is_well_again_with_the_next_probe() -> None:
    """Else a Cluster that nobody polls would stay not ready after its network came back."""
    bench = Bench()
    bench.remote.answers["probe"] = CUT
    assert not await bench.ensured()
    assert bench.reason() is ClusterReason.CONNECT_TIMEOUT
    bench.remote.answers["probe"] = GOOD_PROBE
    assert not await bench.ensured(), "not before the breaker allows it"
    assert bench.remote.count("probe") == 1
    bench.wait_for_retry()
    assert await bench.ensured()
    assert bench.reason() is None


PROBLEMS = {
    ProbeProblem.NO_SCHEDULER: ClusterReason.NO_SBATCH,
    ProbeProblem.NO_TOOLS: ClusterReason.TOOLS_MISSING,
    ProbeProblem.ENDS_AT_LOGOUT: ClusterReason.ENDS_AT_LOGOUT,
    ProbeProblem.NOT_WRITABLE: ClusterReason.WORK_DIR_NOT_WRITABLE,
    ProbeProblem.NOT_OURS: ClusterReason.WORK_DIR_NOT_OURS,
    ProbeProblem.NOT_SAFE: ClusterReason.WORK_DIR_NOT_SAFE,
    ProbeProblem.SCHEDULER_DOWN: ClusterReason.SCHEDULER_DOWN,
}


@pytest.mark.parametrize(("problem", "reason"), PROBLEMS.items())
async def test_an_answer_that_names_a_problem_counts_as_a_failure(problem: ProbeProblem, reason: ClusterReason) -> None:
    """Else a login node without sbatch would be asked once a second for ever."""
    bench = Bench()
    bench.remote.answers["probe"] = replace(GOOD_PROBE, tree=None, problem=problem, text="in its words")
    pauses = []
    for _ in range(5):
        assert not await bench.ensured()
        assert bench.reason() is reason
        pauses.append(bench.wait_for_retry())
    assert pauses == [1, 2, 4, 8, 16]
    assert bench.link.health.trouble is not None
    assert bench.link.health.trouble.message == "in its words"


def test_every_problem_of_a_probe_has_a_reason() -> None:
    """Else a new problem would end the site's loop."""
    assert set(PROBLEMS) == set(ProbeProblem)


async def test_what_only_a_person_can_mend_is_tried_less_often() -> None:
    """Else each try would cost the login node an authentication, and its administrators might lock the account."""
    bench = Bench()
    bench.remote.answers["probe"] = Refused("refused", ClusterReason.AUTHENTICATION_FAILED)
    for _ in range(12):
        await bench.ensured()
        pause = bench.wait_for_retry()
    assert pause == SETTINGS.breaker_person_seconds


@pytest.mark.parametrize("problem", [ProbeProblem.NO_SCHEDULER, ProbeProblem.NOT_WRITABLE])
async def test_what_a_login_fixes_is_asked_again_over_a_new_one(problem: ProbeProblem) -> None:
    """Else a user who was added to a group, or whose PATH was mended, would go on being refused over the old connection."""
    bench = Bench()
    bench.remote.answers["probe"] = replace(GOOD_PROBE, tree=None, problem=problem, text="no")
    await bench.ensured()
    assert len(bench.remote.retired) == 1


async def test_a_full_disk_is_said_and_all_but_submissions_go_on() -> None:
    """Else a user whose quota is full could neither delete the Job that fills it nor see that it ended."""
    bench = Bench()
    bench.remote.answers["probe"] = replace(GOOD_PROBE, problem=ProbeProblem.NOT_WRITABLE, text="no space left")
    assert await bench.ensured()
    assert (bench.link.full, bench.reason()) == ("no space left", ClusterReason.WORK_DIR_NOT_WRITABLE)
    assert await bench.polled()
    assert bench.reason() is ClusterReason.WORK_DIR_NOT_WRITABLE, "a poll needs no room"
    bench.remote.answers["probe"] = GOOD_PROBE
    bench.virtual.clock.seconds = bench.link.looks_again_at
    assert await bench.ensured()
    assert (bench.link.full, bench.reason()) == ("", None)
    assert bench.link.looks_again_at - bench.virtual.clock.seconds == SETTINGS.secret_refresh_seconds


async def test_failures_of_calls_that_were_in_flight_together_count_once() -> None:
    """Else one cut would be waited for as long as three."""
    bench = Bench()
    await bench.ensured()
    bench.remote.answers["observe"] = bench.remote.answers["remove"] = CUT
    bench.remote.during = lambda verb: bench.link.failed(CUT) if verb == "observe" else None
    assert not await bench.polled()
    assert bench.link.health.failures == 1


async def test_the_next_mistake_replaces_the_one_before() -> None:
    """Else a person would correct one mistake and go on reading about it."""
    bench = Bench()
    bench.virtual.data.secrets = {"hpc-key": {"id_rsa": b"x"}}
    await bench.ensured()
    first = bench.link.health.trouble
    assert first is not None
    assert "it has id_rsa" in first.message
    bench.virtual.data.secrets = {"hpc-key": {}}
    bench.wait_for_retry()
    await bench.ensured()
    second = bench.link.health.trouble
    assert second is not None
    assert "no field at all" in second.message


async def test_a_rotated_secret_leads_to_a_new_connection_without_a_word_of_failure() -> None:
    """Else rotating keys would look like an outage."""
    bench = Bench()
    await bench.ensured()
    [(_, old, _)] = bench.remote.asked
    bench.virtual.data.secrets = {"hpc-key": {"ssh-privatekey": b"two"}}
    bench.virtual.clock.seconds += SETTINGS.secret_refresh_seconds
    bench.remote.answers["observe"] = CUT
    assert await bench.ensured()
    assert bench.remote.retired == [old]
    assert bench.remote.asked[-1][1].credentials.private_key == b"two"
    assert bench.reason() is None


async def test_credentials_outlive_their_secret_while_runs_need_them() -> None:
    """Else a namespace that is deleted would leave its jobs running: its Secret goes first."""
    bench = Bench()
    await bench.ensured()
    bench.virtual.data.secrets = {}
    bench.link.health = replace(bench.link.health, use=Use(active_runs=1))
    bench.virtual.clock.seconds += SETTINGS.secret_refresh_seconds
    assert await bench.ensured()
    bench.link.health = replace(bench.link.health, use=Use())
    bench.virtual.clock.seconds += SETTINGS.secret_refresh_seconds
    assert not await bench.ensured()
    assert bench.reason() is ClusterReason.SECRET_NOT_FOUND
    assert len(bench.remote.retired) == 1, "a withdrawn key is not used on"


async def test_an_api_server_that_does_not_answer_is_no_word_about_the_cluster() -> None:
    """Else a restart of the API server would make every Cluster look broken."""
    bench = Bench()
    await bench.ensured()
    bench.virtual.data.fault = Unavailable("no answer")
    bench.virtual.clock.seconds += SETTINGS.secret_refresh_seconds
    assert await bench.ensured()
    assert bench.reason() is None
    fresh = Bench()
    fresh.virtual.data.fault = Unavailable("no answer")
    assert not await fresh.ensured()
    assert fresh.reason() is None
    assert fresh.wait_for_retry() == 1


async def test_the_site_is_looked_at_again_now_and_then() -> None:
    """Else a database that came back, or a disk that filled up, would be noticed at the next break of the connection."""
    bench = Bench()
    bench.remote.answers["probe"] = replace(GOOD_PROBE, accounting=AccountingState.DOWN)
    await bench.ensured()
    bench.remote.answers["probe"] = replace(GOOD_PROBE, accounting=AccountingState.AVAILABLE)
    await bench.ensured()
    assert bench.accounting() is AccountingState.DOWN
    bench.virtual.clock.seconds += SETTINGS.secret_refresh_seconds
    await bench.ensured()
    assert bench.accounting() is AccountingState.AVAILABLE


@pytest.mark.parametrize("state", [AccountingState.DOWN, AccountingState.ABSENT])
async def test_required_accounting_that_is_missing_is_a_failure(state: AccountingState) -> None:
    """Else a site's policy of keeping records would be broken in silence."""
    bench = Bench(slurm={"accounting": "Required"})
    bench.remote.answers["probe"] = replace(GOOD_PROBE, accounting=state)
    assert not await bench.ensured()
    assert bench.reason() is ClusterReason.ACCOUNTING_DOWN


async def test_a_poll_is_given_up_after_the_clusters_own_time_out() -> None:
    """Else spec.polling.timeoutSeconds would be a field without effect."""
    bench = Bench(polling={"timeoutSeconds": 7})
    await bench.ensured()
    await bench.polled()
    verb, _, timeout_seconds = bench.remote.asked[-1]
    assert (verb, timeout_seconds) == ("observe", 7)


async def test_a_closed_link_begins_anew() -> None:
    """Else a Cluster that was suspended for a week would be said to be ready before anybody asked it."""
    bench = Bench()
    await bench.ensured()
    bench.link.close()
    assert bench.link.tree is None
    assert bench.link.health.probe is None
    assert len(bench.remote.retired) == 1
    assert await bench.ensured()
    assert bench.remote.count("probe") == 2


async def test_a_far_end_that_never_comes_to_an_end_is_a_failure_like_any_other() -> None:
    """Else its loop would wait for ever, and the controller be taken for dead, and ended, for a host that is."""
    virtual = Virtual()

    async def silence(*_: object) -> Any:
        await asyncio.Event().wait()

    virtual.remote.exchange = silence  # type: ignore[method-assign,assignment]
    link = Link(replace(virtual.world, settings=replace(SETTINGS, reach_seconds=0.01)), ONE, driver_of)
    assert not await link.ensure(a_cluster(connection={"connectTimeoutSeconds": 0.2}))
    assert link.health.trouble is not None
    assert link.health.trouble.message == "the check did not come to its end within 0.21 s"
    assert link.retry_at > virtual.clock.monotonic()


async def test_what_nobody_has_foreseen_in_a_check_is_told_and_waits() -> None:
    """Else a fault of ours would be tried again hundreds of times a second, and nobody would read of it."""
    virtual = Virtual()

    async def broken(*_: object) -> Any:
        raise PermissionError(13, "Permission denied")

    virtual.remote.exchange = broken  # type: ignore[method-assign,assignment]
    link = Link(virtual.world, ONE, driver_of)
    with capture_logs():
        assert not await link.ensure(a_cluster())
    assert link.health.trouble is not None
    assert link.health.trouble.reason is ClusterReason.INTERNAL_ERROR
    assert link.retry_at > virtual.clock.monotonic()


@pytest.mark.parametrize(("answer", "reason"), [
    (Refused("another key", ClusterReason.HOST_KEY_MISMATCH), None),
    (CUT, ClusterReason.CONNECT_TIMEOUT),
])
async def test_a_new_spec_is_not_said_to_need_a_person_before_it_was_tried(answer: FairleadError, reason: ClusterReason | None) -> None:
    """Flux and Argo CD would give up the change that mends a host key at once, by what was found with the key before."""
    bench = Bench()
    bench.remote.answers["probe"] = answer
    assert not await bench.ensured()
    bench.link.reset()
    assert bench.reason() is reason
    bench.remote.answers["probe"] = GOOD_PROBE
    assert await bench.ensured()
    assert bench.reason() is None


async def test_a_new_spec_does_not_make_a_failed_poll_good() -> None:
    """A Cluster whose squeue is broken would be ready for a moment after each change."""
    bench = Bench()
    assert await bench.ensured()
    bench.remote.answers["observe"] = SQUEUE_FAILED
    assert not await bench.polled()
    bench.link.failed(Refused("another key", ClusterReason.HOST_KEY_MISMATCH))
    bench.link.reset()
    assert await bench.ensured()
    assert bench.reason() is ClusterReason.HOST_KEY_MISMATCH
