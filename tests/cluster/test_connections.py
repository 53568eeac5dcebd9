"""Connections as a person meets them who changes keys, hosts and ways."""

import time

import pytest

from bed.controlplane.ports import free
from bed.login import LoginNode
from bed.proxy import TcpProxy
from bed.slurm import SlurmCluster
from bed.sshd import SshHost
from bed.sshdconf import KeyPair
from bed.state import Bed
from product.either import cluster_on
from product.scene import Scene
from product.waiting import until


def test_a_key_that_the_site_withdraws_is_told_although_the_connection_stands(own: SlurmCluster, scene: Scene) -> None:
    """Else a withdrawn key would be used for as long as the controller runs, and nobody would be told that it has to be replaced."""
    cluster = scene.cluster(own)
    job = scene.job("through", "#!/bin/sh\nsleep 600\n", cancellationGracePeriodSeconds=1)
    job.wait("Running")
    key = (own.folder / "ssh/authorized_keys").read_text()
    own.write("ssh/authorized_keys", "")
    cluster.wait("Ready", "False", reason="AuthenticationFailed", seconds=40)
    assert job.condition("Running")["status"] == "True"
    own.write("ssh/authorized_keys", key)
    cluster.wait("Ready")


def test_a_connection_that_is_made_anew_is_no_news(own: SlurmCluster, scene: Scene) -> None:
    """Else each quarter of an hour a Cluster would seem to be away for a moment."""
    cluster = scene.cluster(own)
    since = cluster.condition("Ready")["lastTransitionTime"]
    logins = own.sshd_log().count("Accepted publickey")
    until(lambda: own.sshd_log().count("Accepted publickey") > logins, "another login", 40)
    assert cluster.condition("Ready")["lastTransitionTime"] == since
    assert cluster.status["circuit"]["state"] == "Closed"


def test_a_second_login_node_takes_over_when_the_first_is_away(own: SlurmCluster, scene: Scene) -> None:
    """Else maintenance of one login node would stop the work on a cluster that has two."""
    away = {"host": own.host, "port": free(1)[0]}
    cluster = scene.cluster(own, endpoints=[away, {"host": own.host, "port": own.port}])
    assert cluster.condition("Reachable")["status"] == "True"
    assert scene.job("hello").wait_ended()["phase"] == "Complete"


def test_a_cluster_behind_a_jump_host_runs_jobs_and_says_when_that_one_fails(own: SlurmCluster, host: SshHost, scene: Scene) -> None:
    """Else a site with a bastion could not be used, or its bastion's fault would be looked for at the login node."""
    scene.secret("bastion", ssh_privatekey=host.private_key)
    with TcpProxy(own.host, own.port, host.enclosure.network.outer) as cable:
        cluster = scene.cluster(
            own, endpoints=[{"host": cable.host, "port": cable.port}],
            hostKeys={"knownHosts": f"[{cable.host}]:{cable.port} {own.known_hosts.split(' ', 1)[1]}"},
            proxyJump=[{"host": host.host, "user": host.user, "authSecretRef": {"name": "bastion"},
                        "hostKeys": {"knownHosts": host.known_hosts}}],
        )
        assert scene.job("hello").wait_ended()["phase"] == "Complete"
        host.sshd.kill()
        host.end_sessions()
        ready = cluster.wait("Ready", "False", reason="ConnectionRefused")
        assert "(spec.proxyJump[0])" in ready["message"]
        host.sshd.start()
        cluster.wait("Ready")
        scene.secret("bastion", ssh_privatekey=KeyPair.generate().private)
        cluster.wait("Ready", "False", reason="AuthenticationFailed", says="spec.proxyJump[0].user")
        scene.secret("bastion", ssh_privatekey=host.private_key)
        cluster.wait("Ready")
        scene.close()
        until(lambda: host.connections() == 0, "the jump host to be left")


def test_a_login_that_gives_us_a_menu_or_another_shell_is_told_with_where_to_look(bed: Bed, host: SshHost, scene: Scene) -> None:
    """Else a person would read that an answer was incomplete, and look for the fault in the network."""
    (host.home / ".bashrc").write_text("exec sh\n")
    cluster = scene.cluster(host, ready=False)
    cluster.wait("Ready", "False", reason="LoginShellFailed", says="`exec` in a dotfile")
    (host.home / ".bashrc").unlink()
    cluster.wait("Ready", "False", reason="SchedulerDown")
    menu = SshHost.start(bed, sshd_extra=("ForceCommand echo Welcome to the menu",))
    try:
        cluster = scene.cluster(menu, "menu", ready=False)
        ready = cluster.wait("Ready", "False", reason="LoginShellFailed")
        assert "ForceCommand" in ready["message"]
        assert "Welcome to the menu" in ready["message"]
        cluster.delete()
    finally:
        menu.stop()
        del scene.nodes["menu"]


@pytest.mark.long(of=2)
@pytest.mark.parametrize("hours", [1, -1], ids=["an hour ahead", "an hour behind"])
def test_a_login_node_whose_clock_is_off_runs_jobs_and_cleans_up(node: LoginNode, scene: Scene, hours: int) -> None:
    """Else a job would look hours old when it is submitted, or be given up before it has begun."""
    node.shim("date", f'[ "$1" = +%s ] && exec "$REAL" -d "{hours} hour" +%s\nexec "$REAL" "$@"')
    cluster = cluster_on(node, scene)
    shown = int(node.ssh("date", "+%s").stdout)
    assert abs(shown - time.time() - hours * 3600) < 60, "the clock is off"
    job = scene.job("hello", "#!/bin/sh\necho hello\n")
    assert job.wait_ended()["phase"] == "Complete"
    assert cluster.condition("Ready")["status"] == "True"
    job.delete()
