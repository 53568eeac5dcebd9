"""The files that set a node's programs, and why they differ from the defaults."""

import json
import resource

from bed.netns import Network
from bed.node.images import PAUSE
from bed.node.space import INSIDE, Addresses

NODE = "node"
"""The node's name in Kubernetes."""

_CONTAINERD = f"""\
version = 2
root = "/var/lib/containerd"
state = "/run/containerd"
disabled_plugins = ["io.containerd.internal.v1.opt"]
[plugins."io.containerd.grpc.v1.cri"]
  sandbox_image = "{PAUSE}"
  restrict_oom_score_adj = true  # a lower score needs a capability that root may lack
  disable_hugetlb_controller = true
  tolerate_missing_hugetlb_controller = true
  [plugins."io.containerd.grpc.v1.cri".containerd.runtimes.runc]
    runtime_type = "io.containerd.runc.v2"
    [plugins."io.containerd.grpc.v1.cri".containerd.runtimes.runc.options]
      SystemdCgroup = false
  [plugins."io.containerd.grpc.v1.cri".cni]
    bin_dir = "/usr/lib/cni"
    conf_dir = "{INSIDE}/etc/cni"
"""


def files(network: Network, addresses: Addresses) -> dict[str, str]:
    """All of them, by their names in the node's folder."""
    return {
        "etc/containerd.toml": _CONTAINERD,
        "etc/cni/10-bed.conflist": json.dumps(_cni(addresses)),
        "etc/kubelet.json": json.dumps(_kubelet(network)),
        "etc/kube-proxy.json": json.dumps(_proxy(addresses)),
        "etc/resolv.conf": f"nameserver {network.inner}\n",
        "etc/hosts": "",
        "etc/Corefile": _corefile(network.inner),
    }


def _cni(addresses: Addresses) -> dict[str, object]:
    ranges = {"type": "host-local", "ranges": [[{"subnet": str(addresses.pods)}]], "routes": [{"dst": "0.0.0.0/0"}]}
    bridge = {"type": "bridge", "bridge": "cni0", "isGateway": True, "ipMasq": True, "hairpinMode": True, "ipam": ranges}
    return {"cniVersion": "0.4.0", "name": "bed", "plugins": [bridge, {"type": "portmap", "capabilities": {"portMappings": True}}]}


def _kubelet(network: Network) -> dict[str, object]:
    _, files_open = resource.getrlimit(resource.RLIMIT_NOFILE)
    return {
        "apiVersion": "kubelet.config.k8s.io/v1beta1", "kind": "KubeletConfiguration",
        "containerRuntimeEndpoint": "unix:///run/containerd/containerd.sock",
        "authentication": {"anonymous": {"enabled": False}, "x509": {"clientCAFile": f"{INSIDE}/etc/pki/ca.crt"}},
        "clusterDomain": "cluster.local", "clusterDNS": [network.inner], "resolvConf": f"{INSIDE}/etc/resolv.conf",
        "cgroupDriver": "cgroupfs", "cgroupRoot": f"/{network.name}", "failCgroupV1": False, "failSwapOn": False,
        "enforceNodeAllocatable": ["pods"],   # with system or kubelet groups it would move processes of others
        "imageGCHighThresholdPercent": 100,   # what cannot be pulled again is not to be collected
        "evictionHard": {"memory.available": "100Mi", "nodefs.available": "0%", "imagefs.available": "0%"},   # never for a full disk
        "maxOpenFiles": 1_000_000 if files_open == resource.RLIM_INFINITY else files_open,
        "volumePluginDir": "/var/lib/flexvolume",   # the default lies outside of what is the node's own
    }


def _proxy(addresses: Addresses) -> dict[str, object]:
    return {
        "apiVersion": "kubeproxy.config.k8s.io/v1alpha1", "kind": "KubeProxyConfiguration", "mode": "iptables", "hostnameOverride": NODE,
        "clientConnection": {"kubeconfig": f"{INSIDE}/kubeconfig"}, "clusterCIDR": str(addresses.pods),
        "conntrack": {"maxPerCore": 0, "min": 0},   # the whole machine's; it cannot be set in a namespace
    }


def _corefile(address: str) -> str:
    """Services, then the names in etc/hosts. Other names are answered at once with a failure: nothing outside can be reached from a pod."""
    return f"""\
cluster.local:53 in-addr.arpa:53 {{
  bind {address}
  errors
  kubernetes cluster.local in-addr.arpa {{
    kubeconfig {INSIDE}/kubeconfig
    ttl 2
  }}
}}
.:53 {{
  bind {address}
  errors
  hosts {INSIDE}/etc/hosts {{
    reload 2s
    ttl 2
  }}
}}
"""
