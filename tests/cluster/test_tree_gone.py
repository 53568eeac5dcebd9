"""The work folder goes with its Cluster, whole, when nothing in it is needed any more."""

from collections.abc import Callable

from bed.login import LoginNode
from bed.slurm import SlurmCluster
from product.controller import Controller
from product.either import cluster_on
from product.scene import Scene
from product.waiting import until

PLANTS = """#!/bin/sh
tree=${0%/*/*/*}
mkdir -p "$tree/tmp/deep/shut" ~/kept
ln -s ~/kept "$tree/tmp/kept"
ln -s ~/kept "$tree/bin/kept"
true >"$tree/tmp/deep/shut/file"
chmod 0 "$tree/tmp/deep/shut"
echo all of it >~/kept/thesis
"""


def test_a_deleted_cluster_takes_its_tree_along(node: LoginNode, scene: Scene) -> None:
    """Else its tombstones and its tree stay for good; or a script's links lead the removal to the user's own files."""
    cluster = cluster_on(node, scene)
    gone, stays = scene.job("gone"), scene.job("stays", PLANTS)
    for job in (gone, stays):
        job.wait("Complete")
    gone.delete()
    cluster.delete()
    assert not (node.home / ".fairlead").exists()
    assert (node.home / "kept" / "thesis").read_text() == "all of it\n"
    cluster_on(node, scene)
    scene.job("anew").wait("Complete")


def test_a_controller_that_dies_meanwhile_leaves_no_half_of_it(
    node: LoginNode, scene: Scene, controller: Controller, faulty: Callable[[str], Controller],
) -> None:
    """Else the next one takes the tree for another's, and waits for a person."""
    cluster = cluster_on(node, scene)
    scene.job("done").wait("Complete")
    broken = faulty("remote.remove-tree:after:1:kill")
    cluster.delete(wait=False)
    until(lambda: not broken.daemon.alive, "the controller to die")
    controller.ensure()
    cluster.wait_gone()
    assert not (node.home / ".fairlead").exists()


def test_what_a_person_keeps_there_stays_and_is_told(own: SlurmCluster, scene: Scene) -> None:
    """Else what somebody has put there is gone with a Cluster that he has not made."""
    cluster = scene.cluster(own)
    scene.job("done").wait("Complete")
    [tree] = (own.home / ".fairlead").iterdir()
    (tree / "notes").write_text("mine\n")
    cluster.delete()
    assert "it holds notes" in cluster.wait_event("WorkDirKept")["message"]
    assert (tree / "notes").read_text() == "mine\n"
    (tree / "notes").unlink()
    scene.cluster(own)
    scene.job("once-more").wait("Complete")
    cluster.delete()
    until(lambda: not (own.home / ".fairlead").exists(), "it to go with the next one")
