"""Our resource definitions, brought to an API server until it serves them; and what is of them taken away."""

from pathlib import Path
from typing import Final

from bed.controlplane import ControlPlane
from bed.existing import ExistingControlPlane
from product.api import GROUP, Api
from product.waiting import until

CRDS: Final = Path(__file__).parents[2] / "crds"


def install(plane: ControlPlane | ExistingControlPlane) -> None:
    """Apply them and wait until they are established.

    `kubectl wait` gives up at once on a definition that the server has not looked at yet: it has no conditions then.
    """
    plane.kubectl("apply", "--server-side", "--force-conflicts", "--filename", str(CRDS))
    wait = ("wait", "--for=condition=Established", "--timeout=30s", "--filename", str(CRDS))
    until(lambda: plane.kubectl(*wait, check=False).returncode == 0, "our resources to be served", 60)


def take_away(api: Api, namespace: str = "") -> None:
    """All Jobs and Clusters go (of one namespace), with what a controller would have to do first."""
    for plural in ("jobs", "clusters"):
        listed = api.get(f"{GROUP}/namespaces/{namespace}/{plural}" if namespace else f"{GROUP}/{plural}") or {"items": []}
        for each in listed["items"]:
            path = f"{GROUP}/namespaces/{each['metadata']['namespace']}/{plural}/{each['metadata']['name']}"
            api.delete(path)
            api.request("PATCH", path, {"metadata": {"finalizers": None}}, "application/merge-patch+json")
