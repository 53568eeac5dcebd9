"""What a Cluster says of a bare host that cannot be worked with."""

from bed.sshd import SshHost
from product.scene import Scene


def test_a_host_without_what_we_need_says_what(host: SshHost, scene: Scene) -> None:
    """Else a Job's processes could not be found again, and nobody would know why."""
    host.shim("grep", 'case " $* " in *" -z "*) exit 2 ;; esac\nexec "$REAL" "$@"')
    cluster = scene.bare_host(host, ready=False)
    assert "grep knows no -z" in cluster.wait("Ready", "False", reason="ToolsMissing")["message"]
    host.unshim("grep")
    cluster.wait("Ready")


def test_a_bare_host_shows_its_kernel_and_no_accounting(host: SshHost, scene: Scene) -> None:
    """Else `kubectl get` would call a host a Slurm cluster, or ask for an accounting that it cannot have."""
    cluster = scene.bare_host(host)
    assert cluster.status["schedulerVersion"].startswith("Linux-")
    condition = cluster.condition("AccountingAvailable")
    assert (condition["status"], condition["reason"]) == ("False", "AccountingOff")
