"""The engine's `Services` on the real API server: Services of our own, and EndpointSlices as gateways write them.

A Service has no selector: the EndpointSlice of a gateway says where it leads, and its port has no name, as the slice's. Of the slices that
are labelled as a gateway's those count that name the owner as their controller, by uid, and its current Run. All of that can be read in the
namespace, so whoever may write EndpointSlices there can forge it: it is shown, and what rests on it is said at `Served`.
"""

from collections.abc import Mapping
from typing import Any, Final

from fairlead.api.v1alpha1 import names
from fairlead.domain.errors import ApiFault, Conflict, Forbidden, Unavailable
from fairlead.domain.objects import ObjectRef
from fairlead.domain.run.quiet import Quiet
from fairlead.domain.run.run import RunKey
from fairlead.domain.run.service import KeptService, NoService, ProcessState, TunnelState, WantedService
from fairlead.domain.scope import EVERYWHERE, Scope
from fairlead.kube.children import SELECTOR, Child, ChildKind, Children, Taken, owner_of
from fairlead.kube.client import JsonObject, KubeClient

SERVICES: Final = ChildKind("", "v1", "services", "Service")
SLICES: Final = ChildKind("discovery.k8s.io", "v1", "endpointslices", "EndpointSlice")
SERVICE_NAME_LABEL: Final = "kubernetes.io/service-name"
SELECTORS: Final = {SERVICES: SELECTOR, SLICES: f"endpointslice.kubernetes.io/managed-by={names.GATEWAY_MANAGER}"}
"""By which they are listed and watched: those of others are never seen."""
_FURTHEST: Final = (TunnelState.OPEN, TunnelState.OPENING, TunnelState.BROKEN)
"""Of several slices, as for two families of addresses, the best counts."""


class KubeServices:
    """All Services and slices of one installation."""

    def __init__(self, client: KubeClient, scope: Scope = EVERYWHERE) -> None:
        self._children = {kind.plural: Children(client, kind, scope, selector) for kind, selector in SELECTORS.items()}

    async def keep(self, owner: ObjectRef, kind: str, wanted: WantedService) -> KeptService | NoService:
        """Have an owner's Service as it is wanted; no request if it is. Raises `Conflict`, `Unavailable`."""
        content = {"spec": {"type": "ClusterIP", "ports": [{"port": wanted.port, "protocol": "TCP"}]}}
        try:
            found = await self._children[SERVICES.plural].keep(Child(owner, kind, wanted.name, content, wanted.labels, {}))
        except Taken as fault:
            return NoService(True, f"{fault}: delete or rename that one, or give the {kind} another name")
        except Forbidden as fault:
            return NoService(False, str(fault))
        except (Conflict, Unavailable):
            raise
        except ApiFault as fault:
            return NoService(False, str(fault))
        return KeptService(wanted.name, wanted.port, str(found["spec"].get("clusterIP", "")))

    def tunnel(self, owner: ObjectRef, service: str, key: RunKey) -> TunnelState | None:
        """What a gateway says of the way to this Run; None if none has said a word."""
        said = {_said(each, service, key, names.TUNNEL_STATE_ANNOTATION) for each in self._children[SLICES.plural].of(owner)}
        return next((state for state in _FURTHEST if state in said), None)

    def process(self, owner: ObjectRef, service: str, key: RunKey) -> ProcessState | None:
        """What a gateway says of the process itself; None if none has asked it."""
        said = {_said(each, service, key, names.PROCESS_STATE_ANNOTATION) for each in self._children[SLICES.plural].of(owner)}
        return next((state for state in ProcessState if state in said), None)

    def quiet(self, owner: ObjectRef, service: str, key: RunKey) -> Quiet | None:
        """Since when nothing is carried for clients, if each slice that is open says so: of several, the shortest time counts."""
        slices = [each for each in self._children[SLICES.plural].of(owner)
                  if _said(each, service, key, names.TUNNEL_STATE_ANNOTATION) == TunnelState.OPEN]
        told = [Quiet.parse(_said(each, service, key, names.QUIET_ANNOTATION)) for each in slices]
        found = [each for each in told if each is not None]
        return min(found, key=lambda each: each.seconds, default=None) if len(found) == len(told) else None

    def take(self, plural: str, event: str | None, body: Mapping[str, Any]) -> str:
        """One watch event; the uid of whose object it is."""
        self._children[plural].take(event, dict(body))
        return owner_of(dict(body))

    async def refresh(self) -> None:
        """List them all. Raises `Unavailable`; what was known then stays."""
        for each in self._children.values():
            await each.refresh()


def _said(body: JsonObject, service: str, key: RunKey, annotation: str) -> object:
    """A gateway's word; None if it is not about this Run."""
    labels, annotations = body["metadata"].get("labels") or {}, body["metadata"].get("annotations") or {}
    if labels.get(SERVICE_NAME_LABEL) != service or annotations.get(names.RUN_KEY_ANNOTATION) != str(key):
        return None
    return annotations.get(annotation)
