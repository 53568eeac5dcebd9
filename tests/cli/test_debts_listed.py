"""`fairlead debts`, as a person calls it, against the real API server."""

import json
from pathlib import Path

import pytest

from bed.controlplane import ControlPlane
from fairlead.app.kinds import KINDS
from fairlead.domain.gone.debt import Debt
from fairlead.kube.client import KubeClient
from fairlead.kube.ledger import Ledger
from product.api import Api
from product.command import fairlead

OLDER = Debt("00000000-0000-4000-8000-000000000001-2", "lab", "hpc", "Job", "lab", "sim", "2026-01-01T00:00:00Z", "Unreachable")
YOUNGER = Debt("00000000-0000-4000-8000-000000000002-1", "lab", "hpc-east", "Job", "lab", "much-longer", "2026-02-01T00:00:00Z", "NotEnded",
               host="box:22")


@pytest.fixture
def namespace(api: Api) -> str:
    """A namespace that nobody's controller works in."""
    name = "ledger-of-nobody"
    api.request("POST", "/api/v1/namespaces", {"metadata": {"name": name}})
    api.delete(f"/api/v1/namespaces/{name}/configmaps/fairlead-ledger-lab")
    return name


def debts(namespace: str, *options: str, kubeconfig: Path) -> tuple[int, str, str]:
    """Exit code of the command, and what it says on its two outputs."""
    done = fairlead("debts", "--namespace", namespace, *options, kubeconfig=kubeconfig)
    return done.returncode, done.stdout.decode(), done.stderr.decode()


async def owe(plane: ControlPlane, namespace: str) -> None:
    """Two debts, and a line that a person broke."""
    async with KubeClient.load(str(plane.kubeconfig)) as client:
        await Ledger(client, namespace, KINDS).add([YOUNGER, OLDER])
    patch = '{"data":{"broken":"what?"}}'
    plane.kubectl("-n", namespace, "patch", "configmap", "fairlead-ledger-lab", "--type=merge", "-p", patch)


async def test_what_is_owed_is_a_table_for_people_and_json_for_programs(plane: ControlPlane, namespace: str) -> None:
    """Else who wants to know what still runs where would have to read a ConfigMap of JSON texts."""
    assert debts(namespace, kubeconfig=plane.kubeconfig)[1] == "Nothing is owed.\n"
    assert json.loads(debts(namespace, "--output", "json", kubeconfig=plane.kubeconfig)[1]) == []
    await owe(plane, namespace)
    _, shown, said = debts(namespace, kubeconfig=plane.kubeconfig)
    assert shown == (
        "JOB               CLUSTER             REASON        SINCE                  KEY\n"
        f"lab/sim           hpc                 Unreachable   2026-01-01T00:00:00Z   {OLDER.key}\n"
        f"lab/much-longer   hpc-east (box:22)   NotEnded      2026-02-01T00:00:00Z   {YOUNGER.key}\n"
    )
    assert "ledger_entry_not_understood" in said
    first, second = json.loads(debts(namespace, "--output", "json", kubeconfig=plane.kubeconfig)[1])
    assert (first["key"], second["key"]) == (OLDER.key, YOUNGER.key)
    assert second == {"key": YOUNGER.key, "kind": "Job", "namespace": "lab", "name": "much-longer", "cluster": "hpc-east",
                      "host": "box:22", "since": "2026-02-01T00:00:00Z", "reason": "NotEnded"}


def test_who_may_not_read_the_ledger_is_told_whom_to_ask(plane: ControlPlane, namespace: str, tmp_path: Path) -> None:
    """Else they would see a stack of an HTTP library."""
    plane.kubectl("-n", namespace, "create", "serviceaccount", "reader", check=False)
    token = plane.kubectl("-n", namespace, "create", "token", "reader").stdout.strip()
    view = json.loads(plane.kubectl("config", "view", "--raw", "--output", "json").stdout)
    view["users"] = [{"name": each["name"], "user": {"token": token}} for each in view["users"]]
    config = tmp_path / "kubeconfig"
    config.write_text(json.dumps(view), encoding="utf-8")
    code, _, said = debts(namespace, kubeconfig=config)
    assert code == 2
    assert said.startswith(f"fairlead: You may not read the ledger, the ConfigMaps {namespace}/fairlead-ledger-*")
