"""What a newer release has written is still there after an older one, which is this one here, has worked beside it."""

import base64
import hmac
import io
import json
import tarfile
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from bed.controlplane import ControlPlane
from bed.login import LoginNode
from bed.slurm import SlurmCluster
from bed.sshd import SshHost
from bed.state import Bed
from e2e import earlier
from product.account import account
from product.api import Api
from product.controller import Controller
from product.ledger import FOLDER
from product.remains import running
from product.scene import Scene, Thing
from product.waiting import until

CRD = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions/jobs.fairlead.dev"
SECRET = "/api/v1/namespaces/default/secrets/fairlead-installation"
UNTIL_TOLD = "#!/bin/sh\nwhile [ ! -e ~/enough ]; do sleep 0.2; done\n"


@pytest.fixture
def controller(bed: Bed, quiet_plane: ControlPlane, quiet_api: Api) -> Iterator[Controller]:
    """A controller there."""
    quiet_api.delete("/apis/coordination.k8s.io/v1/namespaces/default/leases/fairlead-controller")
    controller = Controller(bed, account(quiet_plane), "skew")
    yield controller.start()
    controller.stop()


@pytest.fixture
def scene(quiet_api: Api, controller: Controller, own: SlurmCluster) -> Iterator[Scene]:
    """A namespace there."""
    scene = Scene(quiet_api).open()
    yield scene
    (own.home / "enough").touch()
    controller.ensure()
    scene.close()


@pytest.fixture
def newer(quiet_api: Api) -> Iterator[None]:
    """The Job's CRD of a release that has two more fields in its status, for as long as the test lasts."""
    old = quiet_api.get(CRD)
    assert old is not None
    new = json.loads(json.dumps(old))
    status = new["spec"]["versions"][0]["schema"]["openAPIV3Schema"]["properties"]["status"]["properties"]
    status["madeLater"] = status["run"]["properties"]["madeLater"] = {"type": "string"}
    quiet_api.merge(CRD, {"spec": {"versions": new["spec"]["versions"]}})
    yield
    quiet_api.merge(CRD, {"spec": {"versions": old["spec"]["versions"]}})


def test_fields_of_a_newer_release_in_a_status_outlive_what_this_one_writes(own: SlurmCluster, newer: None, scene: Scene) -> None:
    """Else a newer controller that leads again would have lost what it went by."""
    scene.cluster(own)
    job = scene.job("sim", UNTIL_TOLD)
    job.wait("Running")

    def written() -> bool:
        status, _ = scene.api.request("PATCH", f"{job.path}/status", {"status": {"madeLater": "one", "run": {"madeLater": "two"}}},
                                      "application/merge-patch+json")
        return status == 200 and (job.status.get("madeLater"), job.status["run"].get("madeLater")) == ("one", "two")

    until(written, "the API server to know the new fields")
    (own.home / "enough").touch()
    job.wait("Complete")
    assert (job.status["madeLater"], job.status["run"]["madeLater"]) == ("one", "two")


def of_a_kind_of_tomorrow(scene: Scene, node: LoginNode, job: Thing) -> tuple[Path, str]:
    """Mark a Run as a newer release would mark one of a kind that it alone knows; the file, and what stood there."""
    secret = scene.api.get(SECRET)
    assert secret is not None
    key, words = f"{job.uid}-1", f"{scene.namespace} {job.name} {job.uid} Later"
    proof = hmac.new(base64.b64decode(secret["data"]["proof-key"]), f"mark {words} {key}".encode(), "sha256").hexdigest()
    [mark] = node.home.glob(f".fairlead/*/runs/{key}/owner")
    before = mark.read_text()
    mark.write_text(f"{words} {proof}\n")
    return mark, before


def test_a_run_of_which_a_newer_release_has_written_is_left_to_it(
        own: SlurmCluster, host: SshHost, scene: Scene, controller: Controller) -> None:
    """Else an older controller, for which the object of the Run is just gone, would end what the newer one runs or has promised to keep."""
    scene.cluster(own)
    scene.bare_host(host, "bare")
    jobs = [scene.job(name, UNTIL_TOLD, cancellationGracePeriodSeconds=1) for name in ("kept", "later", "gone")]
    jobs += [scene.job(f"{name}-too", UNTIL_TOLD, cluster="bare", cancellationGracePeriodSeconds=1) for name in ("later", "gone")]
    for job in jobs:
        job.wait("Running")
    key = f"{jobs[0].uid}-1"
    controller.daemon.kill()
    entry = json.dumps({"kind": "Later", "reason": "Kept", "namespace": scene.namespace, "until": "2040-01-01T00:00:00Z"})
    name = f"fairlead-ledger-{scene.namespace}"
    labels = {"fairlead.dev/ledger-of": scene.namespace}
    status, answer = scene.api.request("POST", FOLDER, {"metadata": {"name": name, "labels": labels}, "data": {key: entry}})
    assert status == 201, answer
    marks = [of_a_kind_of_tomorrow(scene, node, job) for node, job in ((own, jobs[1]), (host, jobs[3]))]
    for job in jobs:
        scene.api.merge(job.path, {"metadata": {"finalizers": None}})
        job.delete()
    controller.ensure()
    until(lambda: len(own.jobs_active()) == 2, "the sweep to end the one of which nobody has written", 60)
    until(lambda: len(running(host, "keeper.sh")) == 1, "the sweep to do so on the bare host", 60)
    scene.job("more").wait("Complete")
    scene.job("more-too", cluster="bare").wait("Complete")
    assert len(own.jobs_active()) == 2
    assert len(running(host, "keeper.sh")) == 1
    assert (scene.api.get(f"{FOLDER}/{name}") or {})["data"] == {key: entry}
    said = controller.log.read_text()
    assert (said.count("ledger_entry_not_understood"), said.count("runs_not_understood")) == (1, 2), "once for each"
    scene.api.delete(f"{FOLDER}/{name}")
    for mark, before in marks:
        mark.write_text(before)
    controller.daemon.kill()             # the next one sweeps at its start
    controller.ensure()
    until(lambda: own.jobs_active() == [], "the next sweep to end them, now that nobody speaks for them", 60)
    until(lambda: not running(host, "keeper.sh"), "the next sweep to do so on the bare host", 60)


@pytest.mark.long(of=2)
@pytest.mark.parametrize("rewritten", [False, True], ids=["comments as written", "comments rewritten"])
def test_jobs_in_the_queue_are_known_after_an_upgrade_and_after_a_downgrade(
        bed: Bed, quiet_plane: ControlPlane, controller: Controller, scene: Scene, slurm: Callable[..., SlurmCluster], tmp_path: Path,
        rewritten: bool) -> None:
    """Else a job whose name is its user's own, or one that has the key in its name, would outlive its object, or run twice."""
    plugin = """
function slurm_job_submit(job, part, uid) job.comment = "site"; return slurm.SUCCESS end
function slurm_job_modify(job, record, part, uid) return slurm.SUCCESS end
return slurm.SUCCESS
"""
    cluster = slurm(submit_plugin=plugin) if rewritten else slurm()
    with tarfile.open(fileobj=io.BytesIO(earlier.program())) as kept:
        kept.extractall(tmp_path, filter="data")
    before = Controller(bed, account(quiet_plane), "before", env={"PYTHONPATH": str(tmp_path / "operator")})
    before.settings = earlier.known(controller.settings)   # type: ignore[misc]  # of this one alone
    script = "#!/bin/sh\necho $SLURM_JOB_ID >>~/ran-{}\nwhile [ ! -e ~/enough ]; do sleep 0.2; done\n"
    scene.cluster(cluster)
    controller.stop()
    for first, second, number in ((before, controller, 1), (controller, before, 2)):
        first.ensure()
        goes, stays, waits = (
            scene.job(name, script.format(name), cancellationGracePeriodSeconds=1, **more) for name, more in (
                (f"goes-{number}", {}), (f"stays-{number}", {}), (f"waits-{number}", {"extraOptions": {"begin": "now+1hour"}})))
        # What waits, with another comment than ours, the earlier release does not find in a listing: it is revoked, and its object waits.
        ends = (goes,) if rewritten and second is before else (goes, waits)
        for job in (goes, stays):
            job.wait("Running")
        waits.wait("Submitted")
        first.stop()
        second.ensure()
        for job in ends:
            job.delete(seconds=90)
        left = {job.status["run"]["id"] for job in (stays, waits) if job not in ends}
        assert set(cluster.jobs_active()) == left
        (cluster.home / "enough").touch()
        stays.wait("Complete", seconds=60)
        (cluster.home / "enough").unlink()
        for job in (goes, stays):
            assert len((cluster.home / f"ran-{job.name}").read_text().split()) == 1
        second.stop()
    controller.ensure()
    scene.job("after").wait("Complete", seconds=60)     # it has a connection: what is left is looked at next
