"""A Cluster of several bare hosts: what its status says, from what each of them says."""

from dataclasses import replace
from typing import Any

import pytest

from fairlead.api.v1alpha1.cluster import ClusterStatus, HostStatus
from fairlead.api.v1alpha1.reasons import ClusterReason
from fairlead.domain.cluster import sites
from fairlead.domain.cluster.access import address_of
from fairlead.domain.cluster.cluster import Cluster, Health, Trouble, report
from fairlead.domain.cluster.residue import Sweep, Use
from fairlead.domain.cluster.sites import Account
from fairlead.domain.errors import Unreadable
from fairlead.domain.gone.sweep import Found, Ruling
from fairlead.domain.job.job_reading import read_job
from fairlead.domain.run.answers import Probe
from fairlead.domain.run.run import Tree
from product.objects import NOW, a_cluster, a_job, submitted

KEYS = {"fingerprints": ["SHA256:" + "B" * 43]}


def cluster_of(*hosts: str, **more: Any) -> Cluster:
    """A Cluster of these hosts."""
    whole = a_cluster(process={"hosts": [{"host": each, "slots": 2, **more} for each in hosts]})
    spec = whole.spec.model_copy(update={"type": "Process", "endpoints": ()})
    return replace(whole, spec=spec, status=ClusterStatus())


def probed(host: str) -> Health:
    """A host that can be worked with."""
    return Health(probe=Probe(tree=Tree(f"/home/{host}", host * 4), version="Linux-6.1"))


def told(cluster: Cluster, **healths: Health) -> ClusterStatus:
    """The Cluster's status once all these hosts have said how they are."""
    said = {}
    for host, health in healths.items():
        status = report(sites.seen_by(cluster, f"{host}:22"), health, NOW, 300)
        assert status is not None
        said[f"{host}:22"] = status
    return sites.with_hosts(cluster, said, Account((), NOW.wall))


DOWN = Health(trouble=Trouble(ClusterReason.CONNECTION_REFUSED, "nothing listens on port 22"), failures=1, retry_at_wall=NOW.wall + 5)
CHANGED = Health(trouble=Trouble(ClusterReason.HOST_KEY_MISMATCH, "another key"), failures=1, retry_at_wall=NOW.wall + 5)


def word(status: ClusterStatus, kind: str) -> str:
    """A condition's status and reason."""
    found = status.condition(kind)
    assert found is not None
    return f"{found.status} {found.reason}"


def test_a_cluster_is_ready_while_one_host_is_and_names_the_others() -> None:
    """Else one dead box would stop all work, or nobody would hear of it."""
    status = told(cluster_of("a", "b", "c"), a=DOWN, b=probed("b"), c=CHANGED)
    assert word(status, "Ready") == "True Ready"
    found = status.condition("Ready")
    assert found is not None
    assert found.message == "a:22: nothing listens on port 22; c:22: another key"
    assert [word(status, kind) for kind in ("Stalled", "Reconciling")] == ["False Ready", "False Ready"], "Argo CD would call it broken"
    assert status.phase == "Ready"
    assert [each.name for each in status.hosts] == ["a:22", "b:22", "c:22"]


def test_without_a_host_that_answers_it_is_not_ready_and_says_why() -> None:
    """Else nobody would know what to mend."""
    status = told(cluster_of("a", "b"), a=DOWN, b=CHANGED)
    assert word(status, "Ready") == "False ConnectionRefused"
    assert status.phase == "NotReady"


def test_one_host_speaks_for_its_cluster() -> None:
    """Else the message of the commonest Cluster would be more than what is wrong."""
    status = told(cluster_of("a"), a=DOWN)
    found = status.condition("Ready")
    assert found is not None
    assert found.message == "nothing listens on port 22"


def test_what_one_host_is_needed_for_the_cluster_is() -> None:
    """Else a Cluster would look unused, and be deleted under a running Job."""
    status = told(cluster_of("a", "b"), a=probed("a"), b=replace(probed("b"), use=Use(active_runs=2)))
    assert word(status, "InUse") == "True RunsActive"
    assert status.active_runs == 2
    assert [each.active_runs for each in status.hosts] == [0, 2]


def test_a_sweep_that_is_held_on_any_host_is_told_of_the_cluster() -> None:
    """Else nobody would hear that directories on a second host wait for a person."""
    held = Sweep(Found(20, 15), Ruling(passes=False, agreement=None))
    status = told(cluster_of("a", "b"), a=probed("a"), b=replace(probed("b"), sweep=held))
    assert word(status, "SweepHeld") == "True TooManyGone"


def test_each_host_remembers_its_own_folder() -> None:
    """Else one host's folder would be taken for another's that has lost its mark."""
    cluster = cluster_of("a", "b")
    status = told(cluster, a=probed("a"), b=probed("b"))
    after = replace(cluster, status=status)
    assert [sites.seen_by(after, f"{each}:22").marker for each in "ab"] == ["aaaa", "bbbb"]
    silent = sites.with_hosts(after, {"a:22": status}, Account((), NOW.wall))
    assert sites.seen_by(replace(after, status=silent), "b:22").marker == "bbbb", "a restart forgets the folder of whoever answers last"


def test_what_is_said_twice_changes_nothing() -> None:
    """Else each look at a host would be a write to the API server."""
    cluster = cluster_of("a", "b")
    status = told(cluster, a=DOWN, b=probed("b"))
    assert told(replace(cluster, status=status), a=DOWN, b=probed("b")) == status


def test_a_host_that_was_taken_out_is_not_logged_in_to() -> None:
    """Else another machine of that address would be taken for it; what is there waits until somebody writes it back."""
    with pytest.raises(Unreadable, match="b:22 is no longer in"):
        address_of(sites.seen_by(cluster_of("a"), "b:22"), {"ssh-privatekey": b"key"}, "")


def test_a_host_may_have_keys_of_its_own() -> None:
    """Else a lab would have to gather the keys of all its boxes in one place."""
    secret = {"ssh-privatekey": b"key"}
    own, common = (address_of(sites.seen_by(each, "a:22"), secret, "") for each in (cluster_of("a", hostKeys=KEYS), cluster_of("a")))
    assert [each.host_keys.fingerprints[0][7:10] for each in (own, common)] == ["BBB", "AAA"]


@pytest.mark.parametrize(("annotation", "has_finalizer", "status", "host"), [
    pytest.param("a:22", True, {}, ("", "a:22"), id="no intent yet: a wish, whoever has written it"),
    pytest.param("a:22", False, {}, ("", ""), id="copied from another Job"),
    pytest.param("a:22", True, {"host": "a:22", **submitted("")}, ("a:22", "a:22"), id="as it was decided"),
    pytest.param("a:22", True, {"host": "b:22", **submitted("")}, ("b:22", "a:22"), id="somebody has changed the annotation"),
    pytest.param(None, True, {"host": "b:22", **submitted("")}, ("b:22", ""), id="or taken it off"),
    pytest.param(None, False, {"host": "b:22", **submitted("")}, ("b:22", ""), id="or the finalizer"),
    pytest.param("a:22", True, {"host": "b:22"}, ("", "a:22"), id="a status without the intent"),
])
def test_the_host_of_a_job_is_what_was_written_before_it_was_submitted(
    annotation: str | None, has_finalizer: bool, status: dict[str, str], host: tuple[str, str],
) -> None:
    """Else a Job would be submitted to a second host, and run twice, since somebody has changed a mark that anybody may change."""
    meta: dict[str, object] = {"name": "job", "namespace": "lab", "uid": a_job().ref.uid, "resourceVersion": "1"}
    meta |= {"finalizers": ["fairlead.dev/remote-run"] if has_finalizer else []}
    meta |= {"annotations": {"fairlead.dev/host": annotation}} if annotation else {}
    read = read_job({"metadata": meta, "spec": {"clusterRef": {"name": "hpc"}, "command": ["true"]}, "status": status})
    assert (read.host, read.wished_host) == host


@pytest.mark.parametrize(("hosts", "known", "host", "site"), [
    pytest.param("a", "", "", "a:22", id="one host: no choice"),
    pytest.param("ab", "", "", None, id="several: not chosen yet"),
    pytest.param("ab", "", "b:22", "b:22", id="chosen"),
    pytest.param("a", "b", "b:22", "b:22", id="chosen, and taken out since"),
    pytest.param("ab", "", "c:22", None, id="a host that the Cluster never had"),
])
def test_a_job_belongs_to_its_host_and_to_no_other(hosts: str, known: str, host: str, site: str | None) -> None:
    """Else it would be looked for where it is not, and be called lost."""
    status = ClusterStatus(hosts=tuple(HostStatus(name=f"{each}:22") for each in known))
    assert replace(cluster_of(*hosts), status=status).site_for("lab", host) == site
