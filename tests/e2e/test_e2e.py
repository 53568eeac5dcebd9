"""What a platform team does with an installation: installs it, runs Jobs by it, loses pods and a node, upgrades it, and takes it away."""

import json
import time
from collections import Counter

import pytest

from bed.slurm import SlurmCluster
from bed.sshd import SshHost
from e2e.installation import Installation
from e2e.place import OnNode, Place
from e2e.use import Cluster, Counted, applied, filled_in
from product.scene import Scene
from product.waiting import until, until_equal

pytestmark = pytest.mark.timeout(300)   # the first one waits for the installation

MEBIBYTE = 1024**2
REST_SECONDS = 10


def test_helm_test_says_that_the_installation_works(installed: Installation) -> None:
    """The first thing that a person tries after `helm install` would fail, or say nothing."""
    assert "Succeeded" in installed.test()


def test_the_first_example_ends_as_it_says(
    installed: Installation, place: Place, scene: Scene, logins: list[SlurmCluster], measured: dict[str, str],
) -> None:
    """Whoever follows the quickstart would not see their first Job's output."""
    began = time.monotonic()
    scene.secret("hpc-ssh", ssh_privatekey=logins[0].private_key)
    scene.nodes["hpc"] = (logins[0],)
    [job] = applied(scene, place, filled_in("01-hello", logins[0], place))
    status = job.wait_ended(60)
    assert job.condition("Complete").get("status") == "True", status
    assert status["logs"]["tail"].startswith(f"Hello from {logins[0].name}, job {status['run']['id']} of 1 node(s)\n")
    measured["kubectl apply of a Cluster and a Job of 3 s until it is Complete"] = f"{time.monotonic() - began:.1f} s"


def test_the_example_of_a_bare_host_ends_as_it_says(
    installed: Installation, place: Place, scene: Scene, box: SshHost,
) -> None:
    """A host without a scheduler could not be used from a pod."""
    scene.secret("box-ssh", ssh_privatekey=box.private_key)
    scene.nodes["box"] = (box,)
    [job] = applied(scene, place, filled_in("03-bare-host", box, place))
    status = job.wait_ended(60)
    assert job.condition("Complete").get("status") == "True", status
    assert "I am user, and I work in" in status["logs"]["tail"]


def test_two_clusters_are_used_side_by_side(scene: Scene, cluster: Cluster, logins: list[SlurmCluster]) -> None:
    """One installation would serve one cluster."""
    for host in logins:
        cluster(host, host.name)
    counted = [Counted(scene, host, f"on-{host.name}", host.name) for host in logins]
    for host, one in zip(logins, counted, strict=True):
        assert [row.job_id for row in host.squeue()] == [one.thing.status["run"]["id"]]
    for one in counted:
        one.ends_well()


def test_a_job_lives_through_the_loss_of_the_leader_s_pod(
    installed: Installation, scene: Scene, cluster: Cluster, logins: list[SlurmCluster], measured: dict[str, str],
) -> None:
    """A pod that is deleted by force would take Jobs with it, or they would be started twice."""
    cluster(logins[0])
    job = Counted(scene, logins[0], "through-loss")
    until(lambda: installed.leader() in installed.ready(), "a leader", 60)
    lost = installed.leader()
    began = time.monotonic()
    installed.kill(lost)
    until(lambda: installed.leader() not in {"", lost}, "another leader", 60)
    measured["leader's pod deleted by force until another leads"] = f"{time.monotonic() - began:.1f} s"
    job.ends_well()
    until(lambda: len(installed.ready()) == 2, "two replicas again", 60)


def test_a_drain_takes_one_replica_and_no_job(
    installed: Installation, place: Place, scene: Scene, cluster: Cluster, logins: list[SlurmCluster],
) -> None:
    """The upgrade of a node would stop the controller, or disturb what runs."""
    cluster(logins[0])
    job = Counted(scene, logins[0], "through-drain")
    until(lambda: len(installed.ready()) == 2 and installed.leader() in installed.ready(), "two replicas, one of which leads", 60)
    first = installed.leader()
    [second] = set(installed.ready()) - {first}
    nodes = place.kubectl("get", "nodes", "--output=name").stdout.split() if place.ours else []
    for node in nodes:
        place.kubectl("cordon", node)
    try:
        until_equal(lambda: installed.evict(first), "", "the one to be let go, once both are counted as ready", 60)
        assert "would violate the pod's disruption budget" in installed.evict(second)
        until(lambda: installed.leader() not in {"", first}, "another leader", 60)
        job.ends_well()
    finally:
        for node in nodes:
            place.kubectl("uncordon", node)
    until(lambda: len(installed.ready()) == 2, "two replicas again", 60)


@pytest.mark.long(of=0)
def test_a_job_lives_through_the_death_of_the_leader_s_process(
    installed: Installation, place: Place, scene: Scene, cluster: Cluster, logins: list[SlurmCluster], measured: dict[str, str],
) -> None:
    """A controller that the kernel ends, for memory for one, would take Jobs with it, or they would be started twice."""
    if not isinstance(place, OnNode):
        pytest.skip("nobody can kill process 1 of a container but its node")
    cluster(logins[0])
    job = Counted(scene, logins[0], "through-death")
    until(lambda: len(installed.ready()) == 2, "two replicas", 60)
    lost, pod = installed.holder(), installed.leader()
    restarts = installed.restarts(pod)
    began = time.monotonic()
    place.kill_process(pod, installed.namespace)
    until(lambda: installed.holder() not in {"", lost}, "another leader, in whichever pod", 60)
    measured["leader's process killed with -9 in its pod until another leads"] = f"{time.monotonic() - began:.1f} s"
    job.ends_well()
    until(lambda: installed.restarts(pod) > restarts and len(installed.ready()) == 2, "the same pod to be ready again", 60)


def test_an_uninstall_is_refused_while_a_job_runs_and_an_upgrade_disturbs_none(
    installed: Installation, scene: Scene, cluster: Cluster, logins: list[SlurmCluster], measured: dict[str, str],
) -> None:
    """What runs on the clusters would be left to nobody, and its object would hang in Terminating for ever.

    Or who was refused could not change the policy; or each upgrade would cost what ran, or run it twice.
    """
    cluster(logins[0])
    job = Counted(scene, logins[0], "through-refusal")
    assert f"{scene.namespace}/through-refusal" in installed.refused()
    until(lambda: len(installed.ready()) == 2, "two replicas, as before", 60)
    before = set(installed.ready())
    installed.put_back()
    until_equal(lambda: set(installed.ready()), before, "the pods to be the same, and ready", 60)
    began = time.monotonic()
    installed.upgrade("log.level=debug")
    measured["helm upgrade until both new replicas are ready"] = f"{time.monotonic() - began:.1f} s"
    until(lambda: installed.leader() in installed.ready() and before.isdisjoint(installed.ready()), "none but the new ones", 60)
    job.ends_well()
    after = Counted(scene, logins[0], "after-upgrade")
    after.ends_well()


def test_both_pods_get_ready(installed: Installation, measured: dict[str, str]) -> None:
    """A leader that is lost would have nobody to take its place. How soon is measured, by `make bench ARGS=pod` on a quiet machine."""
    took = until(lambda: len(found := installed.seconds_to_ready()) == 2 and found, "two replicas to be ready", 60)
    measured["start of a controller's container until its pod is ready"] = f"{max(took.values()):.0f} s (aim: at most 3 s)"


def test_an_installation_at_rest_leaves_the_api_server_alone(
    installed: Installation, place: Place, measured: dict[str, str],
) -> None:
    """Every installation would cost its cluster requests for nothing, all day."""
    if not isinstance(place, OnNode):
        pytest.skip("the audit log is the bed's node's own")
    until(lambda: len(installed.ready()) == 2, "two replicas", 60)
    time.sleep(REST_SECONDS)
    before = len(place.audit())
    time.sleep(REST_SECONDS)
    asked = [each for each in place.audit()[before:] if f":{installed.namespace}:" in each["user"]["username"] and each["verb"] != "watch"]
    kinds = Counter(str(each.get("objectRef", {}).get("resource")) for each in asked)
    rate = 60 * len(asked) / REST_SECONDS
    measured["API requests of an installation without a Cluster, at the tests' short intervals"] = f"{rate:.0f} a minute ({dict(kinds)})"
    assert set(kinds) <= {"leases", "configmaps", "jobs", "sessions", "clusters", "services", "endpointslices", "namespaces"}
    # a second's looks, at these intervals: three at Jobs, two at Sessions, one each at Services and slices; and the Lease by two replicas;
    # two gateways, each of which renews its Lease, and lists those of all, each 1.5 s
    assert len(asked) < 15 * REST_SECONDS, kinds


def test_the_controller_stays_within_what_the_chart_gives_it(installed: Installation, measured: dict[str, str]) -> None:
    """Kubernetes would end it for its memory, again and again."""
    until(lambda: len(installed.ready()) == 2, "two replicas", 60)
    held = until(installed.resident_bytes, "the kubelet's measure of memory", 60)
    [container] = installed.pods()[0]["spec"]["containers"]
    limit = container["resources"]["limits"]["memory"]
    assert limit.endswith("Mi")
    measured["memory that a controller holds"] = f"{max(held.values()) / MEBIBYTE:.0f} MiB of {limit}"
    assert max(held.values()) < int(limit.removesuffix("Mi")) * MEBIBYTE / 2, json.dumps(held)
