"""The set-up of demo and playground: a bed with a control plane, a Slurm cluster and the controller, and the example filled in for them."""

import shutil
from dataclasses import dataclass
from pathlib import Path

from bed.controlplane import ControlPlane
from bed.slurm import SlurmCluster
from bed.state import Bed
from bed.together import together
from product.controller import Controller

from demo.teller import Teller

PROJECT = Path(__file__).parents[2]
EXAMPLE = PROJECT / "examples/01-hello"


@dataclass(frozen=True, slots=True)
class Stage:
    """Everything that was started."""

    bed: Bed
    plane: ControlPlane
    cluster: SlurmCluster
    controller: Controller
    example: Path


def set_up(bed: Bed, teller: Teller) -> Stage:
    """Start all parts."""
    teller.step("Test bed: a real Kubernetes control plane and a real Slurm cluster with its login node, without containers")
    planes: list[ControlPlane] = []
    clusters: list[SlurmCluster] = []
    together(bed, lambda: planes.append(ControlPlane.start(bed)), lambda: clusters.append(SlurmCluster.start(bed)))
    [plane], [cluster] = planes, clusters
    teller.note(f"Kubernetes at {plane.url}; Slurm {cluster.release.version} behind ssh {cluster.user}@{cluster.host}")
    teller.step("Fairlead: resources and controller")
    plane.kubectl("apply", "--server-side", "--filename", str(PROJECT / "crds"))
    plane.kubectl("wait", "--for=condition=Established", "--timeout=30s", "--filename", str(PROJECT / "crds"))
    controller = Controller(bed, plane.kubeconfig).start()
    teller.note("the controller leads")
    return Stage(bed, plane, cluster, controller, _filled_in(bed, cluster))


def make_secret(stage: Stage) -> str:
    """The Secret that the example asks for; the command a person would type."""
    key = stage.bed.folder / "id_ed25519"
    key.touch(0o600)
    key.write_text(stage.cluster.private_key, encoding="utf-8")
    stage.plane.kubectl("create", "secret", "generic", "hpc-ssh", f"--from-file=ssh-privatekey={key}")
    return "kubectl create secret generic hpc-ssh --from-file=ssh-privatekey=id_ed25519"


def _filled_in(bed: Bed, cluster: SlurmCluster) -> Path:
    """The example with what stands in capitals in it replaced, as its first line asks."""
    folder = bed.folder / "01-hello"
    shutil.copytree(EXAMPLE, folder)
    manifest = folder / "cluster.yaml"
    keys = cluster.known_hosts.strip().splitlines()[0].split(None, 1)[1]
    text = manifest.read_text(encoding="utf-8").replace("HOST ssh-ed25519 KEY", f"{cluster.host} {keys}")
    text = text.replace("host: HOST ", f"host: {cluster.host} ").replace("user: USER ", f"user: {cluster.user} ")
    manifest.write_text(text, encoding="utf-8")
    return folder
