"""credentials: PerNamespace. Jobs of another namespace use its own Secret and remote user, and never the Cluster's."""

import re
from pathlib import Path
from typing import Any

import asyncssh
import pytest

from bed.controlplane import ControlPlane
from bed.login import LoginNode
from bed.people import Person, add_person
from bed.slurm import SlurmCluster
from cluster.teams import job_of
from product.command import fairlead
from product.controller import Controller
from product.ledger import debts_of
from product.remains import files_in
from product.scene import Scene, Thing
from product.waiting import until, until_equal

OPEN = {"allowedNamespaces": {"from": "All"}, "credentials": "PerNamespace"}
WHO = "#!/bin/sh\nid -un >~/who; echo ran\n"
ENDLESS = "#!/bin/sh\nid -un >~/who\nexec sleep 600\n"


@pytest.fixture
def guest(own: SlurmCluster) -> Person:
    """The second user."""
    return add_person(own, "guest")


def give_login(team: Scene, guest: Person) -> None:
    """The namespace's own Secret, of the same name as the Cluster's."""
    team.secret("hpc-key", ssh_privatekey=guest.private_key, username=guest.user)


def login_of(cluster: Thing, team: Scene) -> dict[str, Any]:
    """What the Cluster's status says of the team's login, empty if nothing."""
    return next((each for each in cluster.status.get("logins", []) if each["namespace"] == team.namespace), {})


def logged_in(node: LoginNode) -> set[tuple[str, str]]:
    """Who has logged in, with which key, by sshd's log."""
    return set(re.findall(r"Accepted publickey for (\S+) from .* (SHA256:\S+)", node.sshd_log()))


def key_of(private: str) -> str:
    """A key as sshd's log names it."""
    return asyncssh.import_private_key(private).get_fingerprint()


def who(home: Path) -> str:
    """As whom the script has run that wrote this into its home."""
    return (home / "who").read_text().strip()


def test_each_namespace_logs_in_with_its_own_secret_and_no_other(
        own: SlurmCluster, guest: Person, scene: Scene, team: Scene, plane: ControlPlane) -> None:
    """Else a team would run Jobs, read files and use up limits as another user, or with a key that is not theirs."""
    cluster = scene.cluster(own, **OPEN)
    job = job_of(team, scene, "guests", WHO)
    waiting = job.wait("Submitted", "False", reason="ClusterNotReady")
    until(lambda: f"Secret {team.namespace}/hpc-key does not exist" in job.condition("Submitted")["message"], f"the reason, not {waiting}")
    team.secret("hpc-key", ssh_privatekey=guest.private_key)
    until(lambda: "no login name in its field username" in job.condition("Submitted")["message"], "the reason in the condition")
    mine = scene.job("mine", WHO)
    mine.wait("Complete")
    assert logged_in(own) == {(own.user, key_of(own.private_key))}, "nobody has logged in for the team yet"
    assert list(own.home.glob(f".fairlead/*/runs/{job.uid}-*")) == [], "nothing of the team's lies in the home of the Cluster's user"
    give_login(team, guest)
    job.wait("Complete")
    assert (who(own.home), who(guest.home)) == (own.user, guest.user)
    assert logged_in(own) == {(own.user, key_of(own.private_key)), (guest.user, key_of(guest.private_key))}
    shown = fairlead("logs", f"{team.namespace}/guests", kubeconfig=plane.kubeconfig)
    assert (shown.stdout, shown.stderr) == (b"ran\n", b"")
    login = until(lambda: login_of(cluster, team), "the team's login in the status")
    ready = {each["type"]: each["status"] for each in login["conditions"]}["Ready"]
    assert (login["user"], ready, len(login["workDir"]["marker"])) == (guest.user, "True", 32)
    assert login["workDir"]["marker"] != cluster.status["workDir"]["marker"]
    job.delete()
    until(lambda: login_of(cluster, team) == {}, "the login to go when nobody needs it")
    until_equal(own.connections, 1, "its connection to be closed")
    assert files_in(guest.home) == []


def test_a_controller_that_comes_anew_goes_on_under_each_login(
        own: SlurmCluster, guest: Person, scene: Scene, team: Scene, controller: Controller) -> None:
    """Else a restart would lose sight of what a team runs."""
    cluster = scene.cluster(own, **OPEN)
    give_login(team, guest)
    job = job_of(team, scene, "endless", ENDLESS)
    job.wait("Running")
    before = login_of(cluster, team)
    controller.daemon.kill()
    controller.ensure()
    job_of(team, scene, "late", WHO).wait("Complete")
    after = login_of(cluster, team)
    assert (after["user"], after["workDir"]) == (before["user"], before["workDir"])
    assert job.condition("Running")["status"] == "True"
    job.delete()
    assert own.jobs_active() == []


def test_a_home_that_is_not_there_is_not_taken_for_an_empty_one(
        own: SlurmCluster, guest: Person, scene: Scene, team: Scene, controller: Controller) -> None:
    """Else everything of a team would run again when its home comes back, or its Jobs would start without a record."""
    scene.cluster(own, **OPEN)
    give_login(team, guest)
    job_of(team, scene, "before", WHO).wait("Complete")
    [tree] = guest.home.glob(".fairlead/*")
    away = tree.rename(guest.home / "away")
    controller.daemon.kill()
    controller.ensure()
    job = job_of(team, scene, "meanwhile", WHO)
    until(lambda: "is gone" in job.condition("Submitted").get("message", ""), "the missing folder to be seen")
    scene.job("mine").wait("Complete")
    assert not tree.exists(), "no other was made in its place"
    away.rename(tree)
    job.wait("Complete")


def test_what_is_owed_is_paid_under_the_login_that_owes_it(own: SlurmCluster, guest: Person, scene: Scene, team: Scene) -> None:
    """Else a Job that was deleted while its cluster was away would run on, since the Cluster's user may not end it."""
    cluster = scene.cluster(own, **OPEN)
    give_login(team, guest)
    job = job_of(team, scene, "endless", ENDLESS, deletionDeadlineSeconds=1)
    job.wait("Running")
    own.link_down()
    job.delete()
    assert len(debts_of(team)) == 1
    own.link_up()
    until(lambda: not debts_of(team), "the debt to be paid", 60)
    assert own.jobs_active() == []
    until(lambda: login_of(cluster, team) == {}, "the login to go", 60)
    assert files_in(guest.home) == []


def test_a_deleted_cluster_goes_when_no_login_has_anything_there(own: SlurmCluster, guest: Person, scene: Scene, team: Scene) -> None:
    """Else the way to a team's jobs and files would go with the Cluster, or the Cluster would never go."""
    cluster = scene.cluster(own, **OPEN)
    give_login(team, guest)
    job, done = job_of(team, scene, "endless", ENDLESS), job_of(team, scene, "done", WHO)
    job.wait("Running")
    done.wait("Complete")
    cluster.delete(wait=False)
    cluster.wait("InUse", reason="RunsActive")
    job_of(team, scene, "late", WHO)
    job.delete()
    cluster.wait_gone()
    assert own.jobs_active() == []
    assert files_in(guest.home) == []
    until_equal(own.connections, 0, "both connections to be closed")


def test_a_namespace_goes_with_its_secret_and_all_that_ran_under_it(own: SlurmCluster, guest: Person, scene: Scene, team: Scene) -> None:
    """Else a namespace would wait for its Jobs, and these for a Secret that went first; or its login would be in the status for ever."""
    cluster = scene.cluster(own, **OPEN)
    give_login(team, guest)
    job_of(team, scene, "done", WHO).wait("Complete")
    job_of(team, scene, "endless", ENDLESS).wait("Running")
    path = f"/api/v1/namespaces/{team.namespace}"
    team.api.delete(path)
    until(lambda: team.api.get(path) is None, "the namespace to be gone", 60)
    assert own.jobs_active() == []
    until(lambda: login_of(cluster, team) == {}, "its login to go")
    until_equal(own.connections, 1, "its connection to be closed, and the Cluster's to stay")
