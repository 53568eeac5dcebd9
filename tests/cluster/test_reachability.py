"""Networks and servers that fail: what is said, and that everything is found again without anybody's help."""

from bed.controlplane.ports import free
from bed.slurm import SlurmCluster
from product.scene import Scene


def test_a_name_without_an_address_is_named(hpc: SlurmCluster, scene: Scene) -> None:
    """Else a typo in the host's name would look like a dead cluster."""
    cluster = scene.cluster(hpc, ready=False, endpoints=[{"host": "login.fairlead.invalid"}])
    ready = cluster.wait("Ready", "False", reason="NameNotResolved")
    assert "login.fairlead.invalid" in ready["message"]
    assert cluster.condition("Reachable")["reason"] == "NameNotResolved"
    assert cluster.condition("HostKeyVerified")["status"] == "Unknown"


def test_a_port_on_which_nobody_listens_is_named(hpc: SlurmCluster, scene: Scene) -> None:
    """Else a wrong port would look like a dead cluster."""
    port = free(1)[0]
    cluster = scene.cluster(hpc, ready=False, endpoints=[{"host": hpc.host, "port": port}])
    ready = cluster.wait("Ready", "False", reason="ConnectionRefused")
    assert f"{hpc.host}:{port}" in ready["message"]


def test_a_lost_link_is_noticed_and_the_running_job_is_found_again(own: SlurmCluster, scene: Scene) -> None:
    """Else a cable pulled for a minute would end Jobs, or leave them unwatched."""
    cluster = scene.cluster(own)
    job = scene.job("through", "#!/bin/sh\nsleep 600\n", cancellationGracePeriodSeconds=1)
    job.wait("Running")
    before = job.status
    for cut, mend in ((own.link_down, own.link_up), (lambda: own.drop(True), lambda: own.drop(False))):
        cut()
        ready = cluster.wait("Ready", "False", seconds=40)
        assert ready["reason"] in {"ConnectionLost", "ConnectTimeout", "PollTimedOut", "ConnectionFailed"}
        assert cluster.condition("Stalled")["status"] == "False", "no person can mend this by changing the Cluster"
        assert job.status == before
        mend()
        cluster.wait("Ready")
        assert job.status == before


def test_a_login_node_that_stops_and_goes_on_is_found_again(own: SlurmCluster, scene: Scene) -> None:
    """Else a login node that swaps for a minute would need a person here as well."""
    cluster = scene.cluster(own)
    own.sshd.stop()
    own.end_sessions()
    ready = cluster.wait("Ready", "False", reason="ConnectTimeout")
    assert f"{own.host}:22" in ready["message"]
    own.sshd.cont()
    cluster.wait("Ready")


def test_a_login_node_that_restarts_is_found_again(own: SlurmCluster, scene: Scene) -> None:
    """Else each maintenance of a login node would end in a call to whoever runs this controller."""
    cluster = scene.cluster(own)
    own.sshd.stop()
    own.end_sessions()
    own.sshd.kill()
    cluster.wait("Ready", "False", reason="ConnectionRefused")
    own.sshd.start()
    cluster.wait("Ready")
    assert cluster.status["circuit"]["state"] == "Closed"
