"""What both scenes stand on: a control plane with an audit log, one Slurm cluster, a controller, a namespace with a Cluster in it."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from bed.controlplane import ControlPlane
from bed.slurm import SlurmCluster, SlurmConfig
from bed.state import Bed
from product.api import Api
from product.controller import Controller
from product.scene import Scene
from product.waiting import until

LEDGER = "starts"
CLEANED_SECONDS = 300.0              # a thousand run directories come down in batches
WROTE = {"create", "update", "patch", "delete"}


@dataclass(frozen=True, slots=True)
class Grounds:
    """All parts of one scene."""

    plane: ControlPlane
    cluster: SlurmCluster
    controller: Controller
    scene: Scene

    def starts(self) -> list[str]:
        """The lines that the Jobs' scripts have written, one for each start: `NAME ID`."""
        ledger = self.cluster.home / LEDGER
        return ledger.read_text(encoding="utf-8").splitlines() if ledger.exists() else []

    def phases(self) -> dict[str, str]:
        """The Jobs' phases by name."""
        return {job["metadata"]["name"]: str(job.get("status", {}).get("phase")) for job in self.scene.jobs()}

    def await_sweep(self) -> None:
        """Until a controller that has just started knows what is on the cluster.

        What goes in that moment looks to it as if the API server had lost it, and waits for a person: see the sweep's guard.
        """
        until(lambda: 'exchange_finished_seconds_count{kind="sweep",outcome="ok"}' in self.controller.metrics(), "the first sweep", 60)

    def writes(self) -> tuple[int, int]:
        """The controller's writes so far to Jobs, and its Events, as the API server has counted them. Refused ones count too."""
        ours = [each for each in self.plane.audit() if each.get("userAgent") == "fairlead" and each["verb"] in WROTE]
        resources = [each.get("objectRef", {}).get("resource") for each in ours]
        return resources.count("jobs"), resources.count("events")


@contextmanager
def grounds(bed: Bed, plane: ControlPlane, controller: Controller) -> Iterator[Grounds]:
    """Everything for one scene; afterwards its cluster is gone. Nothing may be left on it: see `Scene.close`."""
    cluster = SlurmCluster.start(bed, config=SlurmConfig(nodes=4, cpus=32, memory_mib=64000))
    api = Api(plane.kubeconfig)
    try:
        scene = Scene(api).open()
        scene.cluster(cluster)
        yield Grounds(plane, cluster, controller, scene)
        controller.ensure()
        scene.close(CLEANED_SECONDS)
    finally:
        api.close()
        cluster.stop()
