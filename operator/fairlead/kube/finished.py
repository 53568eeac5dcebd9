"""Jobs with the label of finished ones, on the real API server: found by it and by fields that the CRD makes selectable."""

from collections.abc import Mapping, Sequence
from typing import Final

import structlog
from pydantic import ValidationError

from fairlead.api.v1alpha1 import names
from fairlead.api.v1alpha1.job import Job, JobPhase
from fairlead.domain.errors import Conflict
from fairlead.domain.job.finished import Expiring, expiring
from fairlead.domain.objects import ObjectRef
from fairlead.domain.scope import EVERYWHERE, Scope
from fairlead.kube.client import JsonObject, KubeClient
from fairlead.kube.faults import NotFound
from fairlead.kube.lists import Lists
from fairlead.kube.store import object_path

log = structlog.get_logger()

_WITH_TTL: Final = "spec.ttlSecondsAfterFinished!="
_WITHOUT_END: Final = f"status.phase!={JobPhase.COMPLETE},status.phase!={JobPhase.FAILED}"


class KubeFinishedJobs:
    """The engine's `FinishedJobs` on the real API server. Where time to live counts, what is being deleted already is left out."""

    def __init__(self, client: KubeClient, scope: Scope = EVERYWHERE, *, metadata_page: int = 500, whole_page: int = 50) -> None:
        self._client = client
        self._lists = Lists(client, scope)
        self._metadata_page = metadata_page
        self._whole_page = whole_page        # a script may have 1 MiB

    async def generations(self) -> Mapping[str, int]:
        """The generation of each by uid, from metadata alone. Raises `Unavailable`."""
        found = await self._lists.metadata(names.JOB_PLURAL, names.FINISHED_SELECTOR, self._metadata_page, _WITH_TTL)
        return {each["uid"]: int(each["generation"]) for each in found if not each.get("deletionTimestamp")}

    async def mislabelled(self) -> Sequence[ObjectRef]:
        """Those whose status has no end: the API server looks, and sends no others. Raises `Unavailable`."""
        found = await self._lists.metadata(names.JOB_PLURAL, names.FINISHED_SELECTOR, self._metadata_page, _WITHOUT_END)
        return [_ref(each) for each in found]

    async def with_finalizer(self) -> Sequence[ObjectRef]:
        """Those that have our finalizer, by all their metadata. Raises `Unavailable`."""
        found = await self._lists.metadata(names.JOB_PLURAL, names.FINISHED_SELECTOR, self._metadata_page)
        return [_ref(each) for each in found if names.FINALIZER in (each.get("finalizers") or ())]

    async def expiring(self) -> Sequence[Expiring]:
        """All of them with their times. One that cannot be read is left out: it stays. Raises `Unavailable`."""
        bodies = self._lists.objects(names.JOB_PLURAL, names.FINISHED_SELECTOR, self._whole_page, _WITH_TTL)
        return [each async for body in bodies if (each := _read(body)) is not None]

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


def _ref(metadata: JsonObject) -> ObjectRef:
    return ObjectRef(names.JOB_PLURAL, metadata["namespace"], metadata["name"], metadata["uid"])


def _read(body: Mapping[str, object]) -> Expiring | None:
    try:
        job = Job.model_validate(body)
        meta = job.metadata
        if meta.is_deleted:
            return None
        ref = ObjectRef(names.JOB_PLURAL, meta.namespace, meta.name, meta.uid)
        return expiring(ref, meta.generation, job.status.conditions, job.spec.ttl_seconds_after_finished)
    except ValidationError as error:
        log.error("object_unreadable", error=str(error.errors(include_input=False, include_url=False)[0]))  # noqa: TRY400  one line says it
        return None
    except Exception:
        log.exception("object_unreadable")
        return None
