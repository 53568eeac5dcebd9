"""Where the product is installed for these tests, and how pods there reach a login node of the bed."""

import json
import os
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

from bed import helm, progress
from bed.controlplane import auditlog, binaries, kubectl
from bed.errors import BedError
from bed.image import Image, ensure
from bed.login import LoginNode
from bed.node import Node
from bed.state import Bed

KIND_CONFIG = Path(__file__).parents[2] / "kind-config.yaml"
KIND_IMAGE = "KIND_IMAGE"
"""Variable: the node image of the kind cluster, as in `kindest/node:v1.34.0`. Without it: kind's own choice."""
IMAGE = "FAIRLEAD_IMAGE"
"""Variable: the image, with its tag, that nodes of somebody's cluster can pull."""


@dataclass(frozen=True, slots=True)
class Endpoint:
    """A login node as pods reach it, with the line for its host key."""

    host: str
    port: int
    known_hosts: str


class Place(Protocol):
    """A cluster where pods run."""

    bed: Bed
    kubeconfig: Path

    @property
    def image(self) -> str:
        """The product's image, with its tag; nodes have it or can pull it."""

    @property
    def built(self) -> Image | None:
        """The same as an archive, where it was built for the test."""

    @property
    def ours(self) -> bool:
        """Whether the cluster is the test's own, so that its nodes may be drained."""

    def kubectl(self, *args: str, input: str | None = None, check: bool = True) -> "subprocess.CompletedProcess[str]":  # noqa: A002
        """Runs kubectl as administrator."""

    def reach(self, host: LoginNode) -> Endpoint:
        """Lets pods reach a login node."""

    def load(self, archive: Path) -> None:
        """Gives the nodes, if they are the test's own, a further image."""


@dataclass
class OnNode:
    """The bed's own node."""

    node: Node
    built: Image
    ours = True
    linked: set[str] = field(default_factory=set)

    def __post_init__(self) -> None:
        self.bed, self.kubeconfig, self.kubectl, self.image = self.node.bed, self.node.kubeconfig, self.node.kubectl, self.built.name
        self.load = self.node.load

    def kill_process(self, pod: str, namespace: str) -> None:
        """Kills process 1 of a pod's only container with -9; the kubelet starts another in its place."""
        found = json.loads(self.kubectl(f"--namespace={namespace}", "get", "pod", pod, "--output=json").stdout)
        [status] = found["status"]["containerStatuses"]
        self.node.space.run("ctr", "--namespace", "k8s.io", "tasks", "kill", "--signal", "SIGKILL",
                            status["containerID"].removeprefix("containerd://"))

    def audit(self) -> list[auditlog.AuditEvent]:
        """What the API server was asked for."""
        return self.node.audit()

    def reach(self, host: LoginNode) -> Endpoint:
        """By a cable of its own; once."""
        if host.name not in self.linked:
            self.node.link(host)
            self.linked.add(host.name)
        return Endpoint(host.host, host.port, host.known_hosts)


@dataclass
class Elsewhere:
    """A kind cluster, or somebody's. Its pods have to find a way to this machine's addresses, as those of kind do."""

    bed: Bed
    kubeconfig: Path
    image: str
    built: Image | None = None

    @property
    def ours(self) -> bool:
        """A cluster for which an image was built was made for the test, too."""
        return self.built is not None

    def kubectl(self, *args: str, input: str | None = None, check: bool = True) -> "subprocess.CompletedProcess[str]":  # noqa: A002
        """See `bed.controlplane.kubectl`."""
        program = shutil.which("kubectl") or binaries.provide(["kubectl"], self.bed)["kubectl"]
        return kubectl.call(Path(program), self.kubeconfig, args, mark=self.bed.env, text=input, check=check)

    def reach(self, host: LoginNode) -> Endpoint:
        """At its own address: this machine hands packets on to it."""
        return Endpoint(host.host, host.port, host.known_hosts)

    def load(self, archive: Path) -> None:
        """By kind."""
        kind = ["kind", "load", "image-archive", str(archive), "--name", f"fairlead-{self.bed.id}"]
        progress.run("loading an image", kind, env={**os.environ, **self.bed.env, "HOME": str(self.bed.folder)})


@contextmanager
def on_node(bed: Bed) -> Iterator[OnNode]:
    """The bed's own node with the image of this checkout."""
    image = ensure(bed)
    node = Node.start(bed)
    node.load(image.archive)
    try:
        yield OnNode(node, image)
    finally:
        node.stop()


@contextmanager
def in_kind(bed: Bed) -> Iterator[Elsewhere]:
    """A kind cluster of its own, with the image of this checkout; it needs Docker and kind. After kill -9: `kind delete clusters --all`."""
    if not (shutil.which("docker") and shutil.which("kind")):
        raise BedError("--kind needs docker and kind in PATH")
    image = ensure(bed)
    name, kubeconfig = f"fairlead-{bed.id}", bed.folder / "kind.kubeconfig"
    chosen = ("--image", os.environ[KIND_IMAGE]) if KIND_IMAGE in os.environ else ()
    env = {**os.environ, **bed.env, "HOME": str(bed.folder)}
    create: list[str | Path] = ["kind", "create", "cluster", "--name", name, "--config", KIND_CONFIG, "--kubeconfig", kubeconfig]
    try:
        progress.run("making a kind cluster", [*create, "--wait", "2m", *chosen], env=env)
        progress.run("loading the image", ["kind", "load", "image-archive", str(image.archive), "--name", name], env=env)
        yield Elsewhere(bed, kubeconfig, image.name, image)
    finally:
        progress.run("removing the kind cluster", ["kind", "delete", "cluster", "--name", name, "--kubeconfig", str(kubeconfig)], env=env)


@contextmanager
def existing(bed: Bed) -> Iterator[Elsewhere]:
    """The cluster that KUBECONFIG names, with an image that its nodes can pull."""
    named = os.environ.get("KUBECONFIG", "")
    if not Path(named).is_file() or not os.environ.get(IMAGE):
        raise BedError(f"--use-existing needs KUBECONFIG, a kubeconfig's file, and {IMAGE}, an image that the cluster's nodes can pull")
    yield Elsewhere(bed, Path(named).resolve(), os.environ[IMAGE])


def run_helm(place: Place, *args: str, check: bool = True) -> "subprocess.CompletedProcess[str]":
    """Runs Helm as administrator."""
    return helm.call(helm.ensure(place.bed), place.kubeconfig, args, mark=place.bed.env, check=check)
