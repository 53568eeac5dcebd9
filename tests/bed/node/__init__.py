"""A real Kubernetes node on this machine, where pods run: containerd, kubelet, kube-proxy, a scheduler and DNS beside a control plane.

Everything lives in one network namespace, one mount namespace and one control group of the bed. `node` starts and ends it, `space` makes
its namespaces, `commands` and `settings` say how its programs are called and set, `programs` where they come from, `images` makes images
without a registry, `requirements` says what a machine lacks. What is installed on the node does not belong here.
"""

from bed.node.node import Node

__all__ = ["Node"]
