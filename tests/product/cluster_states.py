"""Every state of a Cluster: each finding about it, of a new one and of one that was ready before; with one site, and with two hosts."""

from collections.abc import Iterator
from dataclasses import replace
from itertools import product

from fairlead.api.v1alpha1.cluster import ClusterStatus
from fairlead.domain.cluster import sites
from fairlead.domain.cluster.cluster import NEEDS_A_PERSON, STAGE_OF, Cluster, Health, Trouble, report
from fairlead.domain.cluster.residue import NOT_USED, Sweep, Use
from fairlead.domain.cluster.sites import Account
from fairlead.domain.gone.debt import Debt
from fairlead.domain.gone.sweep import Found, Ruling
from fairlead.domain.run.answers import AccountingState, Probe
from fairlead.domain.run.run import Tree
from product.objects import NOW, a_cluster
from product.states import LATER, Meant, State, body

HEARTBEAT_SECONDS = 300.0
WELL = Health(Probe(Tree("/home/ann/.fairlead/one", "mark"), "slurm 24.11.5", accounting=AccountingState.AVAILABLE),
              accounting=AccountingState.AVAILABLE)
HOSTS = ("a:22", "b:22")


def of_clusters() -> list[State]:
    """All of them."""
    found = [state for suspend, deleting in product((False, True), repeat=2) for state in _of_one_site(suspend, deleting)]
    return [*found, *_of_two_hosts()]


def _of_one_site(suspend: bool, deleting: bool) -> Iterator[State]:
    new = a_cluster(suspend=suspend, deleting=deleting)
    yield State(body(new, None), Meant.GOING if deleting else Meant.GOES_ON, "")
    was_ready = report(a_cluster(), WELL, NOW, HEARTBEAT_SECONDS)
    assert was_ready is not None
    for cluster, health in product((new, replace(new, status=was_ready)), _healths()):
        yield _state(cluster, report(cluster, health, LATER, HEARTBEAT_SECONDS) or cluster.status, _meant(cluster, health))


def _healths() -> Iterator[Health]:
    """Each trouble, and without one each use, accounting and sweep."""
    yield Health()
    for reason in STAGE_OF:
        yield Health(trouble=Trouble(reason, "x"), failures=1, retry_at_wall=LATER.wall + 5)
    debt = Debt("k", "lab", "hpc", "Job", "lab", "sim", "2026-01-01T00:00:00Z", "CancelFailed")
    uses = (NOT_USED, Use(active_runs=1), Use(cleaning=1), Use(debts=(debt,)))
    sweeps = (None, Sweep(Found(20, 1), Ruling(True, None)), Sweep(Found(20, 15), Ruling(False, None)))
    for use, sweep, accounting in product(uses, sweeps, AccountingState):
        yield replace(WELL, use=use, sweep=sweep, accounting=accounting)


def _meant(cluster: Cluster, health: Health) -> Meant:
    if cluster.deleting:
        return Meant.GOING
    if cluster.spec.suspend:
        return Meant.SET_ASIDE
    if health.trouble is None:
        return Meant.DONE if health.probe else Meant.GOES_ON
    if health.trouble.reason in NEEDS_A_PERSON:
        return Meant.FAILED
    return Meant.LAPSED if cluster.status.last_heartbeat_time else Meant.GOES_ON


def _of_two_hosts() -> Iterator[State]:
    """Each finding about the first beside each about the second: one that is ready is enough, else the first speaks for both."""
    slurm = a_cluster(process={"hosts": [{"host": each.split(":")[0], "slots": 2} for each in HOSTS]})
    new = replace(slurm, spec=slurm.spec.model_copy(update={"type": "Process", "endpoints": ()}))
    findings = [Health(), WELL, *(Health(trouble=Trouble(reason, "x"), failures=1) for reason in STAGE_OF)]
    for pair in product(findings, repeat=2):
        said = {}
        for host, health in zip(HOSTS, pair, strict=True):
            status = report(sites.seen_by(new, host), health, LATER, HEARTBEAT_SECONDS)
            assert status is not None
            said[host] = status
        speaker = next((each for each in pair if each is WELL), pair[0])
        yield _state(new, sites.with_hosts(new, said, Account((), LATER.wall)), _meant(new, speaker))


def _state(cluster: Cluster, status: ClusterStatus, meant: Meant) -> State:
    ready = status.condition("Ready")
    assert ready is not None
    return State(body(cluster, status), meant, ready.reason)
