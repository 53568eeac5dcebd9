"""Kubernetes Events about our objects, as `kubectl describe` and `kubectl get events` show them."""

import secrets
from datetime import UTC, datetime

import structlog

from fairlead.api.v1alpha1 import names
from fairlead.domain.errors import ApiFault
from fairlead.domain.kinds import Kinds
from fairlead.domain.objects import EventNote, ObjectRef
from fairlead.kube.client import KubeClient, path_of

_NOTE_LIMIT_BYTES = 1024             # events.k8s.io/v1: note, reason and action are bounded there
_WORD_LIMIT_CHARACTERS = 128

_log = structlog.get_logger(__name__)


class EventRecorder:
    """Writes Events through events.k8s.io/v1. `instance` says which process did (host name), `controller` which program."""

    def __init__(self, client: KubeClient, kinds: Kinds, instance: str, controller: str = f"{names.GROUP}/controller") -> None:
        self._client = client
        self._kinds = {names.CLUSTER_PLURAL: names.CLUSTER_KIND, **{each.plural: each.name for each in kinds}}
        self._instance = instance[:_WORD_LIMIT_CHARACTERS]
        self._controller = controller

    async def record(self, ref: ObjectRef, note: EventNote) -> None:
        """Write one Event; a failure is logged, never raised: an Event is news, nothing rests on it."""
        event = {
            "apiVersion": "events.k8s.io/v1", "kind": "Event",
            "metadata": {"name": f"{ref.name[:200].rstrip('.-')}.{secrets.token_hex(8)}", "namespace": ref.namespace},
            "eventTime": datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ"),
            "reportingController": self._controller, "reportingInstance": self._instance,
            "type": note.type, "reason": note.reason[:_WORD_LIMIT_CHARACTERS], "action": note.action[:_WORD_LIMIT_CHARACTERS],
            "note": _cut(note.message),
            "regarding": {
                "apiVersion": names.API_VERSION, "kind": self._kinds[ref.plural],
                "namespace": ref.namespace, "name": ref.name, "uid": ref.uid,
            },
        }
        try:
            path = path_of("apis", "events.k8s.io", "v1", "namespaces", ref.namespace, "events")
            await self._client.request("POST", path, body=event)
        except ApiFault as fault:
            _log.warning("event_not_written", object=str(ref), reason=note.reason, error=str(fault))


def _cut(message: str) -> str:
    """The message in at most 1,024 bytes of UTF-8, with an ellipsis where it was cut."""
    encoded = message.encode()
    return message if len(encoded) <= _NOTE_LIMIT_BYTES else encoded[: _NOTE_LIMIT_BYTES - 3].decode(errors="ignore") + "…"
