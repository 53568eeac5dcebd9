"""Our resource definitions, brought to an API server until it serves them; and what is of them taken away."""

from pathlib import Path
from typing import Any, Final

from bed.controlplane import ControlPlane
from bed.existing import ExistingControlPlane
from product.api import GROUP, Api
from product.waiting import until

CRDS: Final = Path(__file__).parents[2] / "crds"


def install(plane: ControlPlane | ExistingControlPlane) -> None:
    """Apply them and wait until they can be listed.

    That is a moment later than the condition Established: the server has to make its store of them first, and answers 429 until then.
    """
    plane.kubectl("apply", "--server-side", "--force-conflicts", "--filename", str(CRDS))
    ask = ("get", "clusters.fairlead.dev,jobs.fairlead.dev,sessions.fairlead.dev", "--all-namespaces")
    until(lambda: plane.kubectl(*ask, check=False).returncode == 0, "our resources to be served", 60)


def take_away(api: Api, namespace: str = "") -> None:
    """All Jobs, Sessions and Clusters go (of one namespace), with what a controller would have to do first."""
    for plural in ("jobs", "sessions", "clusters"):
        where = f"{GROUP}/namespaces/{namespace}/{plural}" if namespace else f"{GROUP}/{plural}"

        def answered(where: str = where) -> list[dict[str, Any]] | None:
            status, answer = api.request("GET", where)
            return {200: [answer], 404: [{"items": []}]}.get(status)   # 429: the definition has just been changed

        [listed] = until(answered, f"{plural} to be served", 60)
        for each in listed["items"]:
            path = f"{GROUP}/namespaces/{each['metadata']['namespace']}/{plural}/{each['metadata']['name']}"
            api.delete(path)
            api.request("PATCH", path, {"metadata": {"finalizers": None}}, "application/merge-patch+json")
