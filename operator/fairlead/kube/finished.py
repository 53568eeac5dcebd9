"""Jobs with the label of finished ones, on the real API server: found by it and by fields that the CRD makes selectable."""

from collections.abc import Mapping, Sequence
from typing import Any, Final

import structlog

from fairlead.api.v1alpha1 import names
from fairlead.domain.errors import Conflict, UserFault
from fairlead.domain.kinds import Kind, Kinds
from fairlead.domain.objects import ObjectRef
from fairlead.domain.run.finished import Expiring, expiring
from fairlead.domain.scope import EVERYWHERE, Scope
from fairlead.kube.client import JsonObject, KubeClient
from fairlead.kube.faults import NotFound
from fairlead.kube.lists import Lists
from fairlead.kube.store import object_path

log = structlog.get_logger()

_WITH_TTL: Final = "spec.ttlSecondsAfterFinished!="


class KubeFinishedJobs:
    """The engine's `FinishedJobs` on the real API server. Where time to live counts, what is being deleted already is left out."""

    def __init__(
        self, client: KubeClient, kinds: Kinds, scope: Scope = EVERYWHERE, *, metadata_page: int = 500, whole_page: int = 50,
    ) -> None:
        self._client = client
        self._kinds = kinds
        self._lists = Lists(client, scope)
        self._metadata_page = metadata_page
        self._whole_page = whole_page        # a script may have 1 MiB

    async def generations(self) -> Mapping[str, int]:
        """The generation of each by uid, from metadata alone. Raises `Unavailable`."""
        found = [each for kind in self._kinds if kind.has_ttl for each in await self._metadata(kind, _WITH_TTL)]
        return {each["uid"]: int(each["generation"]) for each in found if not each.get("deletionTimestamp")}

    async def mislabelled(self) -> Sequence[ObjectRef]:
        """Those whose status has no end: the API server looks, and sends no others. Raises `Unavailable`."""
        return [_ref(kind, each) for kind in self._kinds
                for each in await self._metadata(kind, ",".join(f"status.phase!={phase}" for phase in kind.end_phases))]

    async def with_finalizer(self) -> Sequence[ObjectRef]:
        """Those that have our finalizer, by all their metadata. Raises `Unavailable`."""
        return [_ref(kind, each) for kind in self._kinds for each in await self._metadata(kind)
                if names.FINALIZER in (each.get("finalizers") or ())]

    async def expiring(self) -> Sequence[Expiring]:
        """All of them with their times. One that cannot be read is left out: it stays. Raises `Unavailable`."""
        return [each for kind in self._kinds if kind.has_ttl
                async for body in self._lists.objects(kind.plural, names.FINISHED_SELECTOR, self._whole_page, _WITH_TTL)
                if (each := _read(kind, body)) is not None]

    async def delete(self, job: Expiring) -> None:
        """Delete it if its spec is as known; gone or on its way is a success. Raises `Conflict` when it was changed, `Unavailable`."""
        try:
            metadata = await self._client.metadata(object_path(job.ref))
            if metadata["uid"] != job.ref.uid or metadata.get("deletionTimestamp"):
                return
            if int(metadata["generation"]) != job.generation:
                raise Conflict(f"{job.ref} was changed after its end: its TTL is read again")
            conditions = {"uid": job.ref.uid, "resourceVersion": metadata["resourceVersion"]}
            await self._client.request("DELETE", object_path(job.ref), body={"preconditions": conditions})
        except NotFound:
            return


    async def _metadata(self, kind: Kind[Any], fields: str = "") -> list[JsonObject]:
        return await self._lists.metadata(kind.plural, names.FINISHED_SELECTOR, self._metadata_page, fields)


def _ref(kind: Kind[Any], metadata: JsonObject) -> ObjectRef:
    return ObjectRef(kind.plural, metadata["namespace"], metadata["name"], metadata["uid"])


def _read(kind: Kind[Any], body: Mapping[str, object]) -> Expiring | None:
    try:
        owner = kind.read(body)
        return None if owner.deleting else expiring(owner)
    except UserFault as error:
        log.error("object_unreadable", error=str(error))  # noqa: TRY400  one line says it
        return None
    except Exception:
        log.exception("object_unreadable")
        return None
