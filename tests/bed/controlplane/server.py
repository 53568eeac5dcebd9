"""One control plane: etcd, kube-apiserver and kube-controller-manager as children of a bed."""

import shutil
import subprocess
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from bed.controlplane import auditlog, binaries, commands, kubectl, pki, ports
from bed.controlplane.binaries import Binaries
from bed.controlplane.readiness import PortTakenError, Probe
from bed.daemon import Daemon
from bed.state import Bed

STARTS = 4
"""How often a start is tried when somebody else took a port between our choice and the server's."""

ADMIN_GROUP = "system:masters"

ChoosePorts = Callable[[int], list[int]]
"""Names so many free loopback ports, for each start anew."""


@dataclass(slots=True)
class ControlPlane:
    """A running control plane. Everything of it lives in `folder` and carries the bed's mark."""

    bed: Bed
    folder: Path
    url: str
    binaries: Binaries
    etcd: Daemon
    apiserver: Daemon
    controller_manager: Daemon
    _authority: pki.Authority
    _probe: Probe

    @classmethod
    def start(cls, bed: Bed, *, audit: bool = True, choose_ports: ChoosePorts = ports.free) -> "ControlPlane":
        """Starts one and waits until it serves: /readyz, and the first service account is there, which the controller manager made.

        Raises:
            BedError: a program cannot be had, ends early or is not ready in time; the message has its last words.
        """
        programs = binaries.ensure(bed)
        for attempt in range(1, STARTS + 1):
            folder = _fresh_folder(bed)
            try:
                return _start(bed, folder, programs, choose_ports(3), audit=audit)
            except PortTakenError:
                shutil.rmtree(folder, ignore_errors=True)
                if attempt == STARTS:
                    raise
        raise AssertionError("the loop above returns or raises")

    @property
    def kubeconfig(self) -> Path:
        """The administrator's."""
        return self.folder / "kubeconfig"

    @property
    def kubectl_path(self) -> Path:
        """The kubectl of the same version."""
        return self.binaries.kubectl

    def kubectl(  # `input` is the word of subprocess
        self, *args: str, input: str | None = None, check: bool = True,  # noqa: A002
    ) -> "subprocess.CompletedProcess[str]":
        """Runs kubectl as administrator; see `kubectl.call`."""
        return kubectl.call(self.kubectl_path, self.kubeconfig, args, mark=self.bed.env, text=input, check=check)

    def kubeconfig_for(self, user: str, *groups: str) -> Path:
        """A kubeconfig of an ordinary user, who may do what RBAC grants and nothing else."""
        return pki.user_kubeconfig(self.folder, self.url, self._authority, user, *groups)

    def audit(self) -> list[auditlog.AuditEvent]:
        """All audited requests so far, health checks apart; empty without an audit log."""
        return auditlog.read(self.folder / "audit.log")

    def restart_apiserver(self) -> None:
        """Kills the API server with -9 and starts it on the same port; returns when it serves again.

        Raises:
            BedError: it does not come back.
        """
        self.apiserver.kill()
        self.apiserver.start()
        self._probe.await_ready([self.etcd, self.apiserver])

    def stop(self) -> None:
        """Ends the three servers and removes their folder."""
        for server in (self.controller_manager, self.apiserver, self.etcd):
            server.kill()
        shutil.rmtree(self.folder, ignore_errors=True)


def _fresh_folder(bed: Bed) -> Path:
    number = 1
    while True:
        folder = bed.folder / f"controlplane-{number}"
        try:
            folder.mkdir(mode=0o700)
        except FileExistsError:
            number += 1
        else:
            return folder


def _start(bed: Bed, folder: Path, programs: Binaries, free: list[int], *, audit: bool) -> ControlPlane:
    etcd_port, peer_port, api_port = free
    taken = commands.Ports(etcd_port, peer_port, api_port)
    url = f"https://127.0.0.1:{api_port}"
    authority = _write_identities(folder, url)
    env, large = {**bed.env, **commands.SPARING}, {**bed.env, **commands.SPARING_LARGE}
    etcd = Daemon(commands.etcd(programs, folder, taken), env, folder / "etcd.log", cwd=folder)
    apiserver = Daemon(commands.apiserver(programs, folder, taken, audit=audit), large, folder / "apiserver.log", cwd=folder)
    servers = [etcd, apiserver]
    try:
        probe = Probe(api_port, folder)
        probe.await_ready(servers)
        manager = Daemon(commands.controller_manager(programs, folder), env, folder / "controller-manager.log", cwd=folder)
        servers.append(manager)
        probe.await_ready(servers, "/api/v1/namespaces/default/serviceaccounts/default")
    except BaseException:
        for server in servers:
            server.kill()
        raise
    return ControlPlane(bed, folder, url, programs, etcd, apiserver, manager, authority, probe)


def _write_identities(folder: Path, url: str) -> pki.Authority:
    authority = pki.Authority()
    admin = authority.client("admin", ADMIN_GROUP)
    (folder / "ca.crt").write_bytes(authority.certificate)
    (folder / "audit-policy.yaml").write_text(auditlog.POLICY)
    authority.server().write(folder, "server")
    admin.write(folder, "admin")
    pki.write_private(folder / "sa.key", pki.signing_key())
    pki.write_private(folder / "kubeconfig", pki.kubeconfig(url, authority.certificate, admin))
    manager = authority.client("system:kube-controller-manager")
    pki.write_private(folder / "controller-manager.kubeconfig", pki.kubeconfig(url, authority.certificate, manager))
    return authority
