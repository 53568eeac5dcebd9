"""A real Kubernetes control plane as local processes: where its programs come from, its certificates, its start and its audit log.

Resources that Fairlead defines do not belong here; whoever starts a control plane applies them.
The Go module beside this file pins the programs' versions and stands apart from everything else.
"""

from bed.controlplane.server import ControlPlane

__all__ = ["ControlPlane"]
