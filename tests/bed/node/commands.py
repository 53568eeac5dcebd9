"""The command lines of a node's programs, each without the program itself: what differs from their defaults."""

from bed.node.settings import NODE
from bed.node.space import INSIDE, Addresses

API_PORT = 6443
_PKI = f"{INSIDE}/etc/pki"
_ALONE = ("--leader-elect=false", "--bind-address=127.0.0.1")

containerd = ("--config", f"{INSIDE}/etc/containerd.toml")
etcd = ("--data-dir=/var/lib/etcd", "--unsafe-no-fsync", "--log-level=warn")
scheduler = (f"--kubeconfig={INSIDE}/kubeconfig", *_ALONE)
proxy = (f"--config={INSIDE}/etc/kube-proxy.json",)
coredns = ("-conf", f"{INSIDE}/etc/Corefile")


def apiserver(address: str, addresses: Addresses) -> tuple[str, ...]:
    """The API server, as in a real cluster: RBAC, the nodes' own rights, and the default checks of what is applied."""
    return (
        "--etcd-servers=http://127.0.0.1:2379", f"--cert-dir={_PKI}", f"--advertise-address={address}", f"--secure-port={API_PORT}",
        f"--service-cluster-ip-range={addresses.services}",
        f"--tls-cert-file={_PKI}/server.crt", f"--tls-private-key-file={_PKI}/server.key",
        f"--client-ca-file={_PKI}/ca.crt", f"--kubelet-client-certificate={_PKI}/admin.crt", f"--kubelet-client-key={_PKI}/admin.key",
        "--kubelet-preferred-address-types=InternalIP", "--authorization-mode=Node,RBAC", "--enable-admission-plugins=NodeRestriction",
        "--allow-privileged=true", "--service-account-issuer=https://kubernetes.default.svc.cluster.local",
        f"--service-account-signing-key-file={_PKI}/sa.key", f"--service-account-key-file={_PKI}/sa.key",
        f"--audit-policy-file={INSIDE}/etc/audit-policy.yaml", f"--audit-log-path={INSIDE}/log/audit.log", "--audit-log-maxsize=10000",
    )


def controller_manager() -> tuple[str, ...]:
    """All controllers, each as its own service account, as in a real cluster."""
    return (
        f"--kubeconfig={INSIDE}/kubeconfig", *_ALONE, "--use-service-account-credentials=true", f"--root-ca-file={_PKI}/ca.crt",
        f"--service-account-private-key-file={_PKI}/sa.key", "--flex-volume-plugin-dir=/var/lib/flexvolume",
    )


def kubelet(address: str) -> tuple[str, ...]:
    """The kubelet, as the one node of its cluster."""
    return (f"--config={INSIDE}/etc/kubelet.json", f"--kubeconfig={INSIDE}/etc/pki/kubelet.kubeconfig", f"--hostname-override={NODE}",
            f"--node-ip={address}")
