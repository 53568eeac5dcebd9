"""The set-up of demo and playground: a bed with a control plane, a Slurm cluster and the controller, and the example filled in for them."""

import shlex
import shutil
from dataclasses import dataclass
from pathlib import Path

from bed import progress, roots
from bed.controlplane import ControlPlane, binaries, versions
from bed.controlplane.pki import write_private
from bed.slurm import SlurmCluster
from bed.state import Bed
from bed.together import together
from demo.teller import Teller
from product.controller import Controller
from product.resources import install

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
    teller.step("Test bed: a real Kubernetes and a real Slurm, without containers")
    planes: list[ControlPlane] = []
    clusters: list[SlurmCluster] = []
    together(bed, lambda: planes.append(_plane(bed)), lambda: clusters.append(_cluster(bed)))
    [plane], [cluster] = planes, clusters
    teller.note(f"  Kubernetes {versions.kubernetes()} at {plane.url}")
    teller.note(f"  Slurm {cluster.release.version} behind ssh {cluster.user}@{cluster.host}")
    teller.step("Fairlead: its resources and its controller")
    install(plane)
    with progress.step("starting the controller"):
        controller = Controller(bed, plane.kubeconfig).start()
    teller.note("  the controller leads")
    return Stage(bed, plane, cluster, controller, _filled_in(bed, cluster))


def make_secret(stage: Stage) -> str:
    """The Secret that the example asks for; the command a person would type."""
    key = stage.bed.folder / "id_ed25519"
    write_private(key, stage.cluster.private_key.encode())
    stage.plane.kubectl("create", "secret", "generic", "hpc-ssh", f"--from-file=ssh-privatekey={key}")
    return "kubectl create secret generic hpc-ssh --from-file=ssh-privatekey=id_ed25519"


def write_restart(stage: Stage) -> Path:
    """A script that starts the controller as it runs now, for a person who killed it; with the mark, so that the bed's end ends it."""
    script = stage.bed.folder / "restart-controller"
    daemon = stage.controller.daemon
    script.write_text(f"#!/bin/sh\nexec env -i {shlex.join(f'{name}={value}' for name, value in daemon.env.items())} \\\n"
                      f"  setsid {shlex.join(daemon.argv)} >>{shlex.quote(str(daemon.log))} 2>&1 </dev/null &\n", encoding="utf-8")
    script.chmod(0o755)
    return script


def _plane(bed: Bed) -> ControlPlane:
    binaries.ensure(bed)
    with progress.step("starting the Kubernetes control plane"):
        return ControlPlane.start(bed)


def _cluster(bed: Bed) -> SlurmCluster:
    roots.root()
    with progress.step("starting the Slurm cluster"):
        return SlurmCluster.start(bed)


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
