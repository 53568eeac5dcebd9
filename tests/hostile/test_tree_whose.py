"""A work folder is one installation's at one API server, and closed to everybody but its user: else nothing in it is touched, or run."""

import os
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from bed.controlplane import ControlPlane
from bed.slurm import SlurmCluster
from bed.state import Bed
from product.account import account
from product.api import Api
from product.controller import Controller
from product.resources import install
from product.scene import Scene
from product.waiting import until

LONG = "#!/bin/sh\nexec sleep 600\n"
COLLEAGUE = 59999
"""A user id of nobody else on the cluster."""


def api_server(api: Api) -> str:
    """What a work folder's mark names it by."""
    found = api.get("/api/v1/namespaces/kube-system")
    assert found is not None
    return str(found["metadata"]["uid"])


def only_tree(folder: Path) -> Path:
    """The work folder of the one installation that was here."""
    [found] = folder.iterdir()
    return found


@pytest.fixture
def other_plane(bed: Bed) -> Iterator[ControlPlane]:
    """Another Kubernetes cluster."""
    plane = ControlPlane.start(bed)
    install(plane)
    yield plane
    plane.stop()


def test_a_second_api_server_with_the_same_installation_name_touches_nothing(
        own: SlurmCluster, scene: Scene, controller: Controller, bed: Bed, other_plane: ControlPlane) -> None:
    """Its first sweep ended every Run of the first: to it they have no objects."""
    cluster = scene.cluster(own)
    job = scene.job("ours", LONG, cancellationGracePeriodSeconds=1)
    job.wait("Running")
    tree = only_tree(own.home / ".fairlead")
    mark = (tree / "marker").read_text()
    program = ("-m", "fairlead", "controller", "--installation", tree.name)
    second = Controller(bed, account(other_plane), "second-prod", program).start()
    api = Api(other_plane.kubeconfig)
    try:
        elsewhere = Scene(api).open()
        theirs = elsewhere.cluster(own, ready=False)
        said = theirs.wait("Ready", "False", reason="WorkDirNotOurs", says=f"installation {tree.name}")["message"]
        assert api_server(scene.api) in said
        assert api_server(api) in said
        waits = elsewhere.job("theirs")
        waits.wait("Submitted", "False", reason="ClusterNotReady")
        assert (tree / "marker").read_text() == mark
        assert len(own.jobs_active()) == 1
        waits.delete()
        theirs.delete()
    finally:
        second.stop()
        api.close()
    assert job.condition("Running")["status"] == "True"
    assert cluster.condition("Ready")["status"] == "True"


def test_a_folder_that_a_group_can_write_to_is_named_and_what_was_exchanged_in_it_does_not_run(own: SlurmCluster, scene: Scene) -> None:
    """A colleague could put a wrapper of his own in the place of ours: it ran as the user."""
    project = own.home / "project"
    project.mkdir()
    os.chown(project, own.enclosure.uid, own.enclosure.uid)
    project.chmod(0o2770)
    cluster = scene.cluster(own, ready=False, workDir="~/project/work")
    said = cluster.wait("Ready", "False", reason="WorkDirNotSafe", says="/project")["message"]
    assert "chmod go-w" in said
    assert cluster.condition("WorkDirReady")["status"] == "False"
    project.chmod(0o750)
    cluster.wait("Ready")
    job = scene.job("waits", "#!/bin/sh\n#SBATCH --begin=now+1hour\necho mine >~/ran\n")
    job.wait("Submitted")
    project.chmod(0o2770)
    exchange(project / "work")
    own.run("scontrol", "update", f"jobid={job.run_id}", "starttime=now", user=False)
    until(lambda: own.jobs_active() == [], "the exchanged job to end")
    assert not (own.home / "evil").exists(), "the colleague's script ran"
    cluster.wait("Ready", "False")
    shutil.rmtree(project / "work")
    (project / "aside").rename(project / "work")
    project.chmod(0o750)
    cluster.wait("Ready")
    until(lambda: job.status.get("run", {}).get("attempt", 1) > 1, "another attempt, since this one never began")
    own.run("scontrol", "update", f"jobid={job.run_id}", "starttime=now", user=False)
    job.wait("Complete")
    assert (own.home / "ran").read_text() == "mine\n"
    job.delete()
    cluster.delete()


def exchange(work: Path) -> None:
    """As a colleague in the group can: the whole folder by a copy of his own, which does what he likes."""
    shutil.copytree(work, work.parent / "copy", symlinks=True)
    work.rename(work.parent / "aside")
    (work.parent / "copy").rename(work)
    for entry in [work, *work.rglob("*")]:
        os.chown(entry, COLLEAGUE, -1, follow_symlinks=False)
        if not entry.is_symlink():
            entry.chmod(0o777)
    for script in [*work.rglob("enter.sh"), *work.rglob("script")]:
        script.write_text("#!/bin/sh\ntouch ~/evil\n")
