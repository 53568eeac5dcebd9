"""The command lines of the control plane's programs: what differs from their defaults, and why."""

from dataclasses import dataclass
from pathlib import Path

from bed.controlplane.binaries import Binaries

CONTROLLERS = (
    "namespace-controller", "garbage-collector-controller",  # deletion of a namespace's content; owner references
    "serviceaccount-controller", "serviceaccount-token-controller", "root-ca-certificate-publisher-controller",  # identities of pods
    "clusterrole-aggregation-controller",  # the roles admin, edit and view are empty without it
)
"""All that is needed here: the other controllers serve pods and nodes, which this control plane has none of."""

SPARING = {"GOGC": "off", "GOMEMLIMIT": "256MiB"}
"""Go collects garbage once a program has so much memory, and not before: a quarter of what an API server's start takes."""
SPARING_LARGE = SPARING | {"GOMEMLIMIT": "768MiB"}


@dataclass(frozen=True, slots=True)
class Ports:
    """The loopback ports of one start."""

    etcd: int
    etcd_peer: int
    apiserver: int


def etcd(binaries: Binaries, folder: Path, ports: Ports) -> list[str | Path]:
    """etcd without fsync: what it holds ends with the bed, and survives a kill -9 in the page cache."""
    clients, peers = f"http://127.0.0.1:{ports.etcd}", f"http://127.0.0.1:{ports.etcd_peer}"
    return [
        binaries.etcd, "--unsafe-no-fsync", f"--data-dir={folder / 'etcd'}",
        f"--listen-client-urls={clients}", f"--advertise-client-urls={clients}",
        f"--listen-peer-urls={peers}", f"--initial-advertise-peer-urls={peers}", f"--initial-cluster=default={peers}",
        "--logger=zap", "--log-level=warn",
    ]


def apiserver(binaries: Binaries, folder: Path, ports: Ports, *, audit: bool) -> list[str | Path]:
    """The API server with RBAC, on loopback. It publishes no endpoint of itself: that may not be a loopback address."""
    recorded = (
        f"--audit-policy-file={folder / 'audit-policy.yaml'}", f"--audit-log-path={folder / 'audit.log'}", "--audit-log-maxsize=10000",
    )
    return [
        binaries.kube_apiserver, f"--etcd-servers=http://127.0.0.1:{ports.etcd}",
        "--bind-address=127.0.0.1", "--advertise-address=127.0.0.1", f"--secure-port={ports.apiserver}", "--endpoint-reconciler-type=none",
        f"--cert-dir={folder}", f"--tls-cert-file={folder / 'server.crt'}", f"--tls-private-key-file={folder / 'server.key'}",
        f"--client-ca-file={folder / 'ca.crt'}", "--authorization-mode=RBAC",
        "--service-account-issuer=https://kubernetes.default.svc",
        f"--service-account-signing-key-file={folder / 'sa.key'}", f"--service-account-key-file={folder / 'sa.key'}",
        "--service-cluster-ip-range=10.0.0.0/24", "--allow-privileged=true",
        *(recorded if audit else ()),
    ]


def controller_manager(binaries: Binaries, folder: Path) -> list[str | Path]:
    """The controller manager without a port of its own; each controller acts as its own service account, as in a real cluster."""
    return [
        binaries.kube_controller_manager, f"--kubeconfig={folder / 'controller-manager.kubeconfig'}",
        "--leader-elect=false", "--secure-port=0",
        "--use-service-account-credentials=true", f"--controllers={','.join(CONTROLLERS)}",
        f"--service-account-private-key-file={folder / 'sa.key'}", f"--root-ca-file={folder / 'ca.crt'}",
    ]
