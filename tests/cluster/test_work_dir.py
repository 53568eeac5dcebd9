"""The work folder: it must be there, writable, and the one that Fairlead knows."""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from bed.enclosure import HOME
from bed.login import LoginNode
from bed.slurm import SlurmCluster
from product.either import cluster_on
from product.scene import Scene, Thing
from product.waiting import until


def tree(node: SlurmCluster) -> Path:
    """The work folder of the one installation that was here."""
    [found] = (node.home / ".fairlead").iterdir()
    return found


@contextmanager
def home_not_mounted(node: SlurmCluster) -> Iterator[None]:
    """The home as it looks when the file server did not come up: an empty folder."""
    node.run("mount", "-t", "tmpfs", "-o", f"uid={node.enclosure.uid},mode=755", "tmpfs", HOME, user=False)
    try:
        yield
    finally:
        node.run("umount", "-l", HOME, user=False)


def sleeps(node: SlurmCluster, scene: Scene) -> Thing:
    """A Job whose script has started, which is later than its job: a wrapper that finds no tree starts no script."""
    job = scene.job("through", "#!/bin/sh\ntouch ~/through\nsleep 600\n", cancellationGracePeriodSeconds=1)
    job.wait("Running")
    until((node.home / "through").exists, "the script to have started")
    return job


def waits_for_its_tree(cluster: Thing, job: Thing, *, says: str) -> None:
    """The Cluster says which tree it misses, and the Job's status does not move."""
    before = job.status
    ready = cluster.wait("Ready", "False", reason="WorkDirNotOurs", says=says)
    assert cluster.condition("WorkDirReady")["status"] == "False"
    assert cluster.condition("Reachable")["status"] == "True"
    assert "/.fairlead/" in ready["message"]
    assert job.status == before


def test_a_folder_that_cannot_be_made_is_named_with_the_systems_words(hpc: SlurmCluster, scene: Scene) -> None:
    """Else a person would not learn which folder is closed to them."""
    cluster = scene.cluster(hpc, ready=False, workDir="/etc/fairlead")
    ready = cluster.wait("Ready", "False", reason="WorkDirNotWritable")
    assert "/etc/fairlead" in ready["message"]
    assert "Read-only file system" in ready["message"] or "Permission denied" in ready["message"]
    seen = [cluster.condition(kind)["status"] for kind in ("Reachable", "WorkDirReady", "SchedulerAvailable")]
    assert seen == ["True", "False", "Unknown"]


def test_a_full_disk_is_said_and_found_free_again(own: SlurmCluster, scene: Scene) -> None:
    """Else a full quota would look like a broken cluster, or stay so after it was cleared."""
    with own.full_disk(size="0"):
        cluster = scene.cluster(own, ready=False)
        ready = cluster.wait("Ready", "False", reason="WorkDirNotWritable")
        assert "space" in ready["message"].lower(), ready
    cluster.wait("Ready")
    with own.full_disk(size="0"):
        cluster.wait("Ready", "False", reason="WorkDirNotWritable")
    cluster.wait("Ready")


def test_a_full_disk_keeps_nobody_from_seeing_an_end_or_from_deleting(own: SlurmCluster, scene: Scene) -> None:
    """Else a Job that fills its user's quota could not be ended by deleting it, and nobody would see that another has ended."""
    cluster = scene.cluster(own)
    (own.home / "holds").touch()
    ends, stays = (scene.job(name, "#!/bin/sh\n: >~/$SLURM_JOB_ID.runs\nwhile [ -e ~/holds ]; do sleep 0.1; done\n")
                   for name in ("ends", "stays"))
    until(lambda: len(list(own.home.glob("*.runs"))) == 2, "both scripts to run, which is later than their jobs")
    for job in (ends, stays):
        job.wait("Running")
    with own.full_disk(size="0"):
        cluster.wait("Ready", "False", reason="WorkDirNotWritable")
        late = scene.job("late")
        late.wait("Ready", "False", reason="ClusterNotReady", says="takes nothing new")
        stays.delete()
        (own.home / "holds").unlink()
        ends.wait("Complete")
    late.wait("Complete")


@pytest.mark.parametrize("node", ["own", "host"], indirect=True)
def test_a_file_system_that_lets_nothing_be_executed_is_no_obstacle(node: LoginNode, scene: Scene) -> None:
    """Else no Job would run at a site whose home or scratch is mounted noexec, though sbatch runs them there."""
    node.enclosure.run("mount", "-o", "remount,noexec", HOME, user=False)
    cluster_on(node, scene)
    plain = scene.job("plain", "#! /bin/sh  -e \necho yes $0\n")
    strict = scene.job("strict", "#!/bin/sh -e\nfalse\necho no\n")
    found = scene.job("found", "#!/usr/bin/env sh\necho yes\n")
    words = scene.job("words", command=["echo"], args=["two words"])
    for job in (plain, found, words):
        job.wait("Complete")
    strict.wait("Failed", reason="NonZeroExitCode")
    assert re.fullmatch(r"yes /\S+/script\n", plain.status["logs"]["tail"])
    assert words.status["logs"]["tail"] == "two words\n"


def test_a_home_that_is_not_mounted_ends_no_job_and_is_not_written_to(own: SlurmCluster, scene: Scene) -> None:
    """Else a file server that comes up late would make every Job of the site look lost, and be started twice."""
    cluster = scene.cluster(own)
    job = sleeps(own, scene)
    with home_not_mounted(own):
        waits_for_its_tree(cluster, job, says="is gone")
        assert list((own.home / ".fairlead").glob("*")) == [], "the tree was made a second time"
    cluster.wait("Ready")
    assert job.condition("Running")["status"] == "True"


def test_a_tree_with_another_mark_is_not_worked_in(own: SlurmCluster, scene: Scene) -> None:
    """Else a copy restored from a backup would answer for Jobs that ran since."""
    cluster = scene.cluster(own)
    job = sleeps(own, scene)
    marker = tree(own) / "marker"
    text = marker.read_text()
    marker.write_text(f"{'0' * 32}\n{text.splitlines()[1]}\n")
    waits_for_its_tree(cluster, job, says="another marker, 00000000")
    marker.write_text("\x1b[31m\n\x1b[0m evil\n")
    ready = cluster.wait("Ready", "False", reason="WorkDirNotOurs", says="marked as installation")
    assert ready["message"].isprintable()
    marker.write_text(text)
    cluster.wait("Ready")
    assert job.condition("Running")["status"] == "True"


def test_a_tree_that_was_replaced_by_an_empty_one_is_not_made_again(own: SlurmCluster, scene: Scene) -> None:
    """Else somebody's clean-up would make Fairlead forget what runs."""
    cluster = scene.cluster(own)
    job = sleeps(own, scene)
    here = tree(own)
    aside = here.parent.parent / "aside"
    here.rename(aside)
    here.mkdir(mode=0o755)
    waits_for_its_tree(cluster, job, says="belongs to another user")
    own.run("chown", "-R", f"{own.enclosure.uid}:{own.enclosure.uid}", f"{HOME}/.fairlead", user=False)
    cluster.wait("Ready", "False", reason="WorkDirNotOurs", says="lost its marker")
    here.rmdir()
    aside.rename(here)
    cluster.wait("Ready")
    assert job.condition("Running")["status"] == "True"
