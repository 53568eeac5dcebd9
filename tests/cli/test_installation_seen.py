"""`fairlead installation`, as `helm test` and a person call it, against the real API server."""

from bed.controlplane import ControlPlane
from product.api import Api
from product.command import fairlead
from product.controller import Controller


def test_one_that_works_is_seen_to(plane: ControlPlane, controller: Controller) -> None:
    """`helm test` would fail on an installation that works, and nobody would believe it again."""
    done = fairlead("installation", "--namespace", "default", kubeconfig=plane.kubeconfig)
    assert done.returncode == 0, done.stderr
    served, leader, name = done.stdout.decode().splitlines()
    assert served == "Served: clusters, jobs, sessions of fairlead.dev/v1alpha1"
    assert leader.startswith("Leader: ")
    assert name.startswith("Installation: f")
    assert name.endswith(" in namespace default")


def test_a_lease_that_nobody_renews_is_no_leader(plane: ControlPlane, controller: Controller) -> None:
    """`helm test` would pass while the controller hangs: a Lease looks the same for ever after a crash."""
    controller.daemon.stop()
    try:
        done = fairlead("installation", "--namespace", "default", "--wait", "2", kubeconfig=plane.kubeconfig)
    finally:
        controller.daemon.cont()
    assert done.returncode == 1
    assert b"No controller leads in namespace default" in done.stderr
    assert b"has not renewed it" in done.stderr


def test_a_namespace_without_one_says_so(plane: ControlPlane, api: Api) -> None:
    """Who looks in the wrong namespace would be told that all is well."""
    api.request("POST", "/api/v1/namespaces", {"metadata": {"name": "nobody-leads-here"}})
    done = fairlead("installation", "--namespace", "nobody-leads-here", "--wait", "1", kubeconfig=plane.kubeconfig)
    assert done.returncode == 1
    assert b"nobody holds it" in done.stderr
