"""What a Cluster's status says is for people: whoever may write it has nobody's Secret used, and nothing begun."""

from collections.abc import Callable

import pytest

from bed.people import Person, add_person
from bed.slurm import SlurmCluster
from product.controller import Controller
from product.scene import Scene
from product.tenants import Tenant, may
from product.waiting import until


@pytest.fixture
def victim(own: SlurmCluster) -> Person:
    """A user whose Secret lies in another namespace."""
    return add_person(own, "victim")


def test_a_login_in_a_status_uses_nobodys_secret(
        own: SlurmCluster, victim: Person, scene: Scene, team: Scene, tenant: Callable[..., Tenant], controller: Controller) -> None:
    """Else whoever may write a Cluster's status logs in as another namespace's user, at a host of his choice."""
    team.secret("hpc-key", ssh_privatekey=victim.private_key, username=victim.user)
    cluster = scene.cluster(own, allowedNamespaces={"from": "All"}, credentials="PerNamespace")
    person = tenant(scene, [may("clusters", "clusters/status")])
    forged = {"status": {"logins": [{"namespace": team.namespace, "user": "victim", "workDir": {"path": "/tmp", "marker": "a" * 32}}]}}
    assert person.tries("PATCH", f"{cluster.path}/status", forged, "application/merge-patch+json") == 200
    until(lambda: not cluster.status.get("logins"), "what was forged to be taken back")
    controller.daemon.kill()
    assert person.tries("PATCH", f"{cluster.path}/status", forged, "application/merge-patch+json") == 200
    controller.ensure()
    until(lambda: not cluster.status.get("logins"), "what was forged to be taken back by a controller that comes anew")
    scene.job("honest").wait("Complete")
    assert "for victim" not in own.sshd_log()
    assert list(victim.home.iterdir()) == []
    cluster.delete()
