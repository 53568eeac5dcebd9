"""The gateway's `Slices` and `Leases` on the real API server.

A slice is its Session's child, by the Session's name, and says in annotations how far the way behind it is. Writes carry the version that
was seen last: of two gateways that write at once, one sees a conflict and looks again.
"""

from collections.abc import Iterable, Sequence
from contextlib import suppress
from ipaddress import ip_address
from typing import Final

from fairlead.api.v1alpha1 import names
from fairlead.domain.gateways import LeaseSeen, SliceSeen, SliceWanted
from fairlead.domain.objects import ObjectRef
from fairlead.domain.run.service import ProcessState, TunnelState
from fairlead.domain.scope import EVERYWHERE, Scope
from fairlead.kube.children import Child, Children, owner_of
from fairlead.kube.client import JsonObject, KubeClient, path_of
from fairlead.kube.faults import NotFound
from fairlead.kube.lease import Lease
from fairlead.kube.services import SELECTORS, SERVICE_NAME_LABEL, SLICES

MANAGED_BY_LABEL: Final = "endpointslice.kubernetes.io/managed-by"
_PAGE_SIZE: Final = 500


class KubeSlices:
    """The slices of all gateways of one installation."""

    def __init__(self, client: KubeClient, scope: Scope = EVERYWHERE) -> None:
        self._children = Children(client, SLICES, scope, SELECTORS[SLICES], exact=True)
        self._seen: dict[str, SliceSeen] = {}

    async def refresh(self) -> None:
        """List them. Raises `Unavailable`."""
        await self._children.refresh()
        self._seen = {seen.uid: seen for body in self._children.all() if (seen := _seen(body))}

    def take(self, event: str | None, body: JsonObject) -> str:
        """One watch event; the uid of whose it is, empty if it is nobody's."""
        self._children.take(event, body)
        uid = owner_of(body)
        self._learn(uid, None if event == "DELETED" else body)
        return uid

    def of(self, uid: str) -> SliceSeen | None:
        """A Session's, as far as it is known."""
        return self._seen.get(uid)

    def all(self) -> Iterable[SliceSeen]:
        """All that are known."""
        return tuple(self._seen.values())

    async def keep(self, wanted: SliceWanted) -> None:
        """Have it so; no request if it is. Raises `Conflict` (of which `Taken`), `Unavailable`."""
        labels = {SERVICE_NAME_LABEL: wanted.owner.name, MANAGED_BY_LABEL: names.GATEWAY_MANAGER}
        annotations = {names.TUNNEL_STATE_ANNOTATION: wanted.state, names.RUN_KEY_ANNOTATION: wanted.run_key,
                       names.GATEWAY_ANNOTATION: wanted.gateway}
        if wanted.message:
            annotations[names.TUNNEL_MESSAGE_ANNOTATION] = wanted.message
        if wanted.state == TunnelState.OPEN:
            annotations[names.PROCESS_STATE_ANNOTATION] = ProcessState.READY if wanted.is_ready else ProcessState.NOT_READY
        if wanted.quiet is not None:
            annotations[names.QUIET_ANNOTATION] = str(wanted.quiet)
        is_open = wanted.state == TunnelState.OPEN and wanted.is_ready
        content: JsonObject = {
            "addressType": f"IPv{ip_address(wanted.address).version}",
            "endpoints": [{"addresses": [wanted.address], "conditions": {"ready": is_open, "serving": is_open, "terminating": False}}],
            "ports": [{"port": wanted.port, "protocol": "TCP"}],
        }
        child = Child(wanted.owner, names.SESSION_KIND, wanted.owner.name, content, labels, annotations)
        self._learn(wanted.owner.uid, await self._children.keep(child))

    async def remove(self, owner: ObjectRef) -> None:
        """Have none; what is not ours is left. Raises `Conflict`, `Unavailable`."""
        await self._children.remove(owner, owner.name)
        self._seen.pop(owner.uid, None)

    def _learn(self, uid: str, body: JsonObject | None) -> None:
        seen = _seen(body) if body else None
        if seen:
            self._seen[uid] = seen
        else:
            self._seen.pop(uid, None)


class KubeGatewayLeases:
    """This gateway's own Lease, and those of all, which lie beside it by their names."""

    def __init__(self, client: KubeClient, namespace: str, own: Lease) -> None:
        self._client, self._own = client, own
        self._path = path_of("apis", "coordination.k8s.io", "v1", "namespaces", namespace, "leases")

    def leads(self) -> bool:
        """Whether ours is surely ours."""
        return self._own.leads()

    async def list(self) -> Sequence[LeaseSeen]:
        """All gateways'. Raises `Unavailable`."""
        found = [lease async for lease in self._client.objects(self._path, "", _PAGE_SIZE, of_all=True)]
        return [_lease(each) for each in found if each["metadata"]["name"].startswith(names.GATEWAY_LEASE)]

    async def remove(self, lease: LeaseSeen) -> None:
        """Take away one as it was seen. Raises `Conflict` when it is another by now, `Unavailable`."""
        with suppress(NotFound):
            await self._client.request("DELETE", f"{self._path}/{names.GATEWAY_LEASE}{lease.gateway}",
                                       body={"preconditions": {"resourceVersion": lease.version}})


def _lease(body: JsonObject) -> LeaseSeen:
    spec = body.get("spec") or {}
    name = body["metadata"]["name"].removeprefix(names.GATEWAY_LEASE)
    annotations = body["metadata"].get("annotations") or {}
    return LeaseSeen(name, spec.get("holderIdentity") or "", str(body["metadata"]["resourceVersion"]),
                     float(spec.get("leaseDurationSeconds") or 0), annotations.get(names.GATEWAY_ADDRESS_ANNOTATION, ""))


def _seen(body: JsonObject) -> SliceSeen | None:
    """What a slice says; None of one that is no Session's, or not under its Session's name."""
    meta = body["metadata"]
    references = [each for each in meta.get("ownerReferences") or () if each.get("controller") and each["kind"] == names.SESSION_KIND]
    if not references or references[0]["name"] != meta["name"]:
        return None
    owner = ObjectRef(names.SESSION_PLURAL, meta["namespace"], meta["name"], references[0]["uid"])
    endpoints, ports = body.get("endpoints") or (), body.get("ports") or ()
    addresses = endpoints[0].get("addresses") if endpoints else None
    return SliceSeen(owner, (meta.get("annotations") or {}).get(names.GATEWAY_ANNOTATION, ""), addresses[0] if addresses else "",
                     ports[0].get("port") if ports else None)
