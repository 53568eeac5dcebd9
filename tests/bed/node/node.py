"""One node: its start, what can be done with it, and its end."""

import subprocess
import time
from dataclasses import dataclass
from pathlib import Path

from bed import helm
from bed.controlplane import auditlog, kubectl, pki
from bed.controlplane.readiness import Probe
from bed.controlplane.server import ADMIN_GROUP
from bed.daemon import Daemon
from bed.errors import BedError
from bed.login import LoginNode, claim
from bed.netns import Network
from bed.node import commands, images, programs, requirements, settings, space
from bed.node.programs import Programs
from bed.node.space import Addresses, Space
from bed.state import Bed, require_root

_LOAD = ("ctr", "--namespace", "k8s.io", "images", "import", "-")
_CTR_SECONDS = 60
_PAUSE_SECONDS = 0.05


@dataclass(slots=True)
class Node:
    """A running cluster of one node. `url` and the addresses of pods and Services can be reached from this machine, as from pods."""

    bed: Bed
    folder: Path
    url: str
    programs: Programs
    space: Space
    daemons: dict[str, Daemon]
    """Each part by its program's name, to be killed, stopped and started again."""
    _authority: pki.Authority
    _probe: Probe

    @classmethod
    def start(cls, bed: Bed) -> "Node":
        """Starts one, in about ten seconds, and waits until pods can run on it.

        Raises:
            BedError: the caller is not root, the machine lacks what a node needs, or a part does not start; with its last words.
        """
        require_root()
        programs.ensure_packages()
        found = programs.ensure(bed)
        number, folder = claim(bed, "node")
        subnet = bed.allocate_subnet(24)
        addresses = Addresses.of(subnet)
        network = Network.create(f"flb{bed.id}-{number}", addresses.cable, bed.env)
        control = found.control_plane
        inside = Space.make(network, folder, addresses, [control.etcd, control.kube_apiserver, control.kube_controller_manager,
                                                         found.kube_scheduler, found.kubelet, found.kube_proxy, found.coredns])
        url = f"https://{network.inner}:{commands.API_PORT}"
        authority = _write_identities(folder, url, network.inner, str(addresses.api_service))
        for name, text in settings.files(network, addresses).items():
            (folder / name).parent.mkdir(exist_ok=True)
            (folder / name).write_text(text)
        probe = Probe(commands.API_PORT, folder / "etc/pki", network.inner)
        node = cls(bed, folder, url, found, inside, {}, authority, probe)
        try:
            requirements.check(inside)
            node._start(network.inner, addresses)
        except BaseException:
            node.stop()
            raise
        return node

    @property
    def kubeconfig(self) -> Path:
        """The administrator's."""
        return self.folder / "kubeconfig"

    @property
    def kubectl_path(self) -> Path:
        """The kubectl of the same version."""
        return self.programs.control_plane.kubectl

    @property
    def address(self) -> str:
        """The node's own, at which its API server and its DNS listen."""
        return self.space.network.inner

    def kubectl(  # `input` is the word of subprocess
        self, *args: str, input: str | None = None, check: bool = True,  # noqa: A002
    ) -> "subprocess.CompletedProcess[str]":
        """Runs kubectl as administrator; see `kubectl.call`."""
        return kubectl.call(self.kubectl_path, self.kubeconfig, args, mark=self.bed.env, text=input, check=check)

    def kubeconfig_for(self, user: str, *groups: str) -> Path:
        """A kubeconfig of an ordinary user, who may do what RBAC grants and nothing else."""
        return pki.user_kubeconfig(self.folder, self.url, self._authority, user, *groups)

    def helm(self, *args: str, check: bool = True, timeout_seconds: float = 180) -> "subprocess.CompletedProcess[str]":
        """Runs Helm as administrator; see `helm.call`."""
        return helm.call(helm.ensure(self.bed), self.kubeconfig, args, mark=self.bed.env, check=check, timeout_seconds=timeout_seconds)

    def audit(self) -> list[auditlog.AuditEvent]:
        """All audited requests so far, health checks apart."""
        return auditlog.read(self.folder / "log" / "audit.log")

    def restart_apiserver(self) -> None:
        """Kills the API server with -9 and starts it again; returns when it serves."""
        server = self.daemons["kube-apiserver"]
        server.kill()
        server.start()
        self._probe.await_ready([server])

    def load(self, archive: Path) -> None:
        """Imports the images of an archive, as `docker save` or an OCI tool wrote it, under their names in it.

        Pods use them with `imagePullPolicy` IfNotPresent or Never and a tag that is not `latest`.

        Raises:
            BedError: containerd refuses it.
        """
        self.space.run(*_LOAD, stdin=archive, timeout_seconds=_CTR_SECONDS)

    @property
    def load_argv(self) -> list[str]:
        """The command that does what `load` does, for a person: it takes the archive from its standard input."""
        return self.space.argv(*_LOAD)

    def images(self) -> list[str]:
        """The names of all images that the node has."""
        return self.space.run("ctr", "--namespace", "k8s.io", "images", "list", "--quiet").split()

    def link(self, host: LoginNode) -> None:
        """Lets pods reach a host of the bed at its address, and by its name (`host.name`) within two seconds; it sees them as the node.

        The cable is one of its own: `host.link_down` does not cut it.
        """
        space.link(self.space.network, host.enclosure.network, self.bed.allocate_subnet(), f"to-{host.name}")
        with (self.folder / "etc/hosts").open("a") as names:
            names.write(f"{host.host} {host.name}\n")

    def stop(self) -> None:
        """Ends all parts and all pods at once, and removes what they made. A second call does nothing."""
        self.space.kill()
        for daemon in self.daemons.values():
            daemon.kill()   # that is, take its exit code
        self.space.remove()

    def _start(self, address: str, addresses: Addresses) -> None:
        """containerd takes the image of pods while the API server starts, which takes longest."""
        control, run = self.programs.control_plane, self._run
        run("containerd", "/usr/bin/containerd", commands.containerd)
        run("etcd", control.etcd, commands.etcd)
        run("kube-apiserver", control.kube_apiserver, commands.apiserver(address, addresses))
        self._load_pause()
        self._probe.await_ready([*self.daemons.values()])
        run("kube-controller-manager", control.kube_controller_manager, commands.controller_manager())
        run("kubelet", self.programs.kubelet, commands.kubelet(address))
        run("kube-scheduler", self.programs.kube_scheduler, commands.scheduler)
        run("kube-proxy", self.programs.kube_proxy, commands.proxy)
        run("coredns", self.programs.coredns, commands.coredns)
        parts = [*self.daemons.values()]
        self._probe.await_ready(parts, f"/api/v1/nodes/{settings.NODE}", holds='"reason":"KubeletReady"')
        self._probe.await_ready(parts, "/api/v1/namespaces/default/serviceaccounts/default")
        self._probe.await_ready(parts, "/api/v1/namespaces/default/configmaps/kube-root-ca.crt")

    def _run(self, name: str, program: str | Path, args: tuple[str, ...]) -> None:
        self.daemons[name] = self.space.daemon(name, program, *args)

    def _load_pause(self) -> None:
        archive = self.folder / "pause.tar"
        images.archive(archive, images.PAUSE, {"pause": self.programs.pause}, ["/pause"])
        deadline = time.monotonic() + _CTR_SECONDS
        while True:   # containerd listens a moment after its start
            try:
                return self.load(archive)
            except BedError as error:
                containerd = self.daemons["containerd"]
                if not containerd.alive or time.monotonic() > deadline:
                    raise BedError(f"containerd does not serve: {error}; {containerd.tail()}") from error
            time.sleep(_PAUSE_SECONDS)


def _write_identities(folder: Path, url: str, *addresses: str) -> pki.Authority:
    authority = pki.Authority()
    place = folder / "etc/pki"
    place.mkdir(mode=0o700)
    (place / "ca.crt").write_bytes(authority.certificate)
    (folder / "etc/audit-policy.yaml").write_text(auditlog.POLICY)
    authority.server(*addresses).write(place, "server")
    admin = authority.client("admin", ADMIN_GROUP)
    admin.write(place, "admin")
    pki.write_private(place / "sa.key", pki.signing_key())
    pki.write_private(folder / "kubeconfig", pki.kubeconfig(url, authority.certificate, admin))
    kubelet = authority.client(f"system:node:{settings.NODE}", "system:nodes")
    pki.write_private(place / "kubelet.kubeconfig", pki.kubeconfig(url, authority.certificate, kubelet))
    return authority
