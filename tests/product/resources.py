"""Our resource definitions, brought to an API server until it serves them."""

from pathlib import Path
from typing import Final

from bed.controlplane import ControlPlane
from bed.existing import ExistingControlPlane
from product.waiting import until

CRDS: Final = Path(__file__).parents[2] / "crds"


def install(plane: ControlPlane | ExistingControlPlane) -> None:
    """Apply them and wait until they are established.

    `kubectl wait` gives up at once on a definition that the server has not looked at yet: it has no conditions then.
    """
    plane.kubectl("apply", "--server-side", "--force-conflicts", "--filename", str(CRDS))
    wait = ("wait", "--for=condition=Established", "--timeout=30s", "--filename", str(CRDS))
    until(lambda: plane.kubectl(*wait, check=False).returncode == 0, "our resources to be served", 60)
