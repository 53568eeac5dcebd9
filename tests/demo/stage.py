"""The set-up of demo and playground: a bed with a control plane, a cluster or host, the controller, and an example for them."""

import shlex
import shutil
from dataclasses import dataclass
from pathlib import Path

from bed import progress, roots
from bed.controlplane import ControlPlane, binaries, versions
from bed.controlplane.pki import write_private
from bed.ownhost import OwnHost
from bed.slurm import SlurmCluster
from bed.sshd import SshHost
from bed.state import Bed
from bed.together import together
from demo.kinds import PROCESS, SLURM, Choice, Kind, slurm_lacks
from demo.teller import Teller
from product.account import account
from product.controller import Controller
from product.resources import install

PROJECT = Path(__file__).parents[2]
Host = SlurmCluster | SshHost | OwnHost


@dataclass(frozen=True, slots=True)
class Stage:
    """Everything that was started."""

    bed: Bed
    kind: Kind
    plane: ControlPlane
    host: Host
    controller: Controller
    example: Path


def set_up(bed: Bed, choice: Choice, teller: Teller) -> Stage:
    """Start all parts."""
    if choice.why:
        teller.note(choice.why)
    teller.step(f"Test bed: a real Kubernetes and {choice.kind.words}, without containers")
    planes: list[ControlPlane] = []
    hosts: list[Host] = []
    together(bed, lambda: planes.append(_plane(bed)), lambda: hosts.append(_STARTS[choice.kind](bed)))
    [plane], [host] = planes, hosts
    teller.note(f"  Kubernetes {versions.kubernetes()} at {plane.url}")
    teller.note(f"  {_described(host)}")
    teller.step("Fairlead: its resources and its controller")
    install(plane)
    with progress.step("starting the controller"):
        controller = Controller(bed, account(plane)).start()
    teller.note("  the controller leads")
    return Stage(bed, choice.kind, plane, host, controller, _filled_in(bed, choice.kind, host))


def make_secret(stage: Stage) -> str:
    """The Secret that the example asks for; the command a person would type."""
    key = stage.bed.folder / "id_ed25519"
    write_private(key, stage.host.private_key.encode())
    command = ("create", "secret", "generic", stage.kind.secret)
    stage.plane.kubectl(*command, f"--from-file=ssh-privatekey={key}")
    return f"kubectl {' '.join(command)} --from-file=ssh-privatekey=id_ed25519"


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


def _cluster(bed: Bed) -> Host:
    roots.root()
    with progress.step("starting the Slurm cluster"):
        return SlurmCluster.start(bed)


def _bare_host(bed: Bed) -> Host:
    """One of its own where that can be had, else this machine, as the person who calls."""
    if slurm_lacks():
        return OwnHost(bed)
    roots.root()
    return SshHost.start(bed)


_STARTS = {SLURM: _cluster, PROCESS: _bare_host}


def _described(host: Host) -> str:
    match host:
        case SlurmCluster():
            return f"Slurm {host.release.version} behind ssh {host.user}@{host.host}"
        case SshHost():
            return f"sshd and nothing else behind ssh {host.user}@{host.host}"
        case OwnHost():
            return f"an sshd of yours behind ssh -p {host.port} {host.user}@{host.host}; its home is {host.home}"


def _filled_in(bed: Bed, kind: Kind, host: Host) -> Path:
    """The example with what stands in capitals in it replaced, as its first line asks."""
    folder = bed.folder / kind.example
    shutil.copytree(PROJECT / "examples" / kind.example, folder)
    manifest = folder / "cluster.yaml"
    known = host.known_hosts.strip().splitlines()[0]
    text = manifest.read_text(encoding="utf-8").replace("HOST ssh-ed25519 KEY", known)
    text = text.replace("host: HOST ", f"host: {host.host} ").replace("user: USER ", f"user: {host.user} ")
    manifest.write_text(text.replace("port: 22 ", f"port: {host.port} "), encoding="utf-8")
    return folder
