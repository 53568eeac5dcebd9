"""What is owed on clusters is kept within bounds, by namespace: nobody's debts keep another's deletions waiting."""

from collections.abc import Callable

from bed.sshd import SshHost
from product.ledger import FOLDER, debts_of
from product.scene import Scene
from product.tenants import Tenant
from product.waiting import until

ENDLESS = "#!/bin/sh\nexec sleep 600\n"
SOON = {"deletionDeadlineSeconds": 1, "cancellationGracePeriodSeconds": 0}


def test_jobs_that_were_never_handed_in_owe_nothing(scene: Scene, tenant: Callable[..., Tenant]) -> None:
    """Else one person fills the ledger with debts that nobody can pay, and all others' deletions wait."""
    person = tenant(scene)
    jobs = [person.creates({"metadata": {"name": f"never-{number}", "finalizers": ["fairlead.dev/remote-run"]},
                            "spec": {"clusterRef": {"name": "nowhere"}, "command": ["true"], "deletionDeadlineSeconds": 0}})
            for number in range(50)]
    jobs[-1].wait("Submitted", "False", reason="ClusterNotFound")
    for job in jobs:
        job.delete(wait=False)
    for job in jobs:
        job.wait_gone()
    assert debts_of(scene) == {}


def test_a_namespace_that_owes_too_much_waits_alone(host: SshHost, scene: Scene, team: Scene) -> None:
    """Else a namespace that deletes thousands of Jobs while a cluster is away keeps everybody else's from going."""
    scene.bare_host(host, allowedNamespaces={"from": "All"})
    full = {"apiVersion": "v1", "kind": "ConfigMap", "data": {"somebody-1": "x" * 899_900}, "metadata": {
        "name": f"fairlead-ledger-{team.namespace}", "labels": {"fairlead.dev/ledger-of": team.namespace}}}
    status, answer = scene.api.request("POST", FOLDER, full)
    assert status == 201, answer
    owes = team.job("owes", ENDLESS, clusterRef={"name": "hpc", "namespace": scene.namespace}, **SOON)
    honest = scene.job("honest", ENDLESS, **SOON)
    for job in (owes, honest):
        job.wait("Running")
    host.link_down()
    for job in (owes, honest):
        job.delete(wait=False)
    honest.wait_gone()
    assert len(debts_of(scene)) == 1
    owes.wait("Ready", "False", says=f"namespace {team.namespace} owes as much as it may")
    scene.api.delete(f"{FOLDER}/fairlead-ledger-{team.namespace}")
    owes.wait_gone()
    host.link_up()
    until(lambda: not debts_of(scene) and not debts_of(team), "the debts to be paid", 60)
    until(lambda: scene.api.get(f"{FOLDER}/fairlead-ledger-{team.namespace}") is None, "the team's ledger to go, since it is empty")
