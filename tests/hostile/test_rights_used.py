"""The controller's rights at the API server: those of the table, used one and all, and enough for everything that it does."""


import pytest

from bed.controlplane import ControlPlane
from bed.sshd import SshHost
from fairlead.kube.rights import RIGHTS
from product.account import refused, until_used
from product.controller import Controller
from product.ledger import debts_of
from product.scene import Scene
from product.sessions import use_sessions
from product.waiting import until

LONG = "#!/bin/sh\nexec sleep 600\n"


def test_the_controller_uses_every_right_that_it_has_and_misses_none(
        host: SshHost, scene: Scene, controller: Controller, plane: ControlPlane) -> None:
    """Else whoever took the controller over could do what it never needed, or a site that grants what we list would see it fail."""
    if not isinstance(plane, ControlPlane):
        pytest.skip("somebody's cluster shows no audit log")
    cluster = scene.bare_host(host, allowedNamespaces={"from": "Selector", "selector": {"matchLabels": {"queue": "night"}}})
    team = Scene(scene.api).open()
    guest = team.job("guest", clusterRef={"name": "hpc", "namespace": scene.namespace})
    guest.wait("Submitted", "False", reason="NamespaceNotAllowed")
    guest.delete()
    scene.config_map("scripts", {"run.sh": "#!/bin/sh\ntrue\n"})
    scene.job("expires", scriptRef={"name": "scripts", "key": "run.sh"}, ttlSecondsAfterFinished=0).wait_gone()
    lost = [scene.job(name, LONG, deletionDeadlineSeconds=1, cancellationGracePeriodSeconds=1) for name in ("first", "second")]
    for job in lost:
        job.wait("Running")
    host.link_down()
    for job in lost:                 # one after the other: the second is written beside the first
        job.delete()
    until(lambda: len(debts_of(scene)) == 2, "the debts")
    host.link_up()
    until(lambda: not debts_of(scene), "the debts to be paid", 60)
    use_sessions(scene)
    cluster.delete_beside_another()
    team.api.delete(f"/api/v1/namespaces/{team.namespace}")
    until_used(plane, RIGHTS)
    assert refused(plane) == []
