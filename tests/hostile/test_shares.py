"""One namespace does its worst: silent hosts, many logins, slow keys. Others do not notice, and the controller lives."""

from bed.slurm import SlurmCluster
from bed.sshdconf import KeyPair
from fairlead.ssh.key_cost import BCRYPT_ROUNDS
from product.api import GROUP
from product.controller import Controller
from product.mean import login, silent_hosts, slow_key, slow_logins
from product.scene import Scene
from product.waiting import until

SILENT, LOGINS, SLOW_KEYS = 30, 60, 6


def do_the_worst(mean: Scene, silent: list[int]) -> None:
    """All of it at once."""
    mean.secret("key", ssh_privatekey=KeyPair.generate().private)
    mean.secret("endless", ssh_privatekey=slow_key(2**31), passphrase="wrong")
    login(mean, "endless", silent[0], "endless")
    slow_logins(mean, silent[0], BCRYPT_ROUNDS, SLOW_KEYS)
    for number in range(LOGINS):
        login(mean, f"user-{number}", silent[number % SILENT], "key", user=f"user{number}", connection={"connectTimeoutSeconds": 60})


def test_a_namespace_that_does_its_worst_keeps_no_other_waiting(
    hpc: SlurmCluster, scene: Scene, team: Scene, controller: Controller,
) -> None:
    """Else whoever may make Clusters in one namespace could stop the work of all others."""
    clusters = f"{GROUP}/namespaces/{team.namespace}/clusters"
    with silent_hosts(SILENT) as silent:
        do_the_worst(team, silent)
        until(lambda: "asks for 2147483648 rounds" in str(team.api.get(f"{clusters}/endless")), "the key without end to be refused")
        scene.cluster(hpc)               # a login of its own, made beside all those that hang
        scene.job().wait("Complete")
        told = [each.get("status") or {} for each in (team.api.get(clusters) or {"items": []})["items"]]
        assert len(told) == SLOW_KEYS + 1 + LOGINS
        assert not any((each["type"], each["status"]) == ("Ready", "True") for status in told for each in status.get("conditions", []))
        assert controller.page("livez") == (200, "ok\n")
        team.close()
