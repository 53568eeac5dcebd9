"""Finished Jobs with a TTL are found, and only those, and go only as they were read: on a real API server with the real CRD."""

import json
from typing import Any

import pytest

from fairlead.app.kinds import KINDS
from fairlead.domain.errors import Conflict
from fairlead.domain.objects import ObjectRef
from fairlead.domain.run.finished import Expiring
from fairlead.kube.client import KubeClient
from fairlead.kube.finished import KubeFinishedJobs
from fairlead.kube.store import KubeStore

from .conftest import Sandbox

END = {"type": "Complete", "status": "True", "reason": "Completed", "message": "", "lastTransitionTime": "2023-11-14T22:13:20Z"}


@pytest.fixture
def finished(client: KubeClient) -> KubeFinishedJobs:
    return KubeFinishedJobs(client, KINDS, metadata_page=2, whole_page=2)


async def ended(sandbox: Sandbox, store: KubeStore, name: str, ttl_seconds: int | None = None) -> ObjectRef:
    ref = sandbox.job(name)
    if ttl_seconds is not None:
        set_ttl(sandbox, ref, ttl_seconds)
    await store.write_status(ref, {"conditions": [END]})
    await store.release(ref, finished=True)
    return ref


def set_ttl(sandbox: Sandbox, ref: ObjectRef, seconds: int | None) -> None:
    patch = json.dumps({"spec": {"ttlSecondsAfterFinished": seconds}})
    sandbox.kubectl("patch", "jobs.fairlead.dev", ref.name, "--type=merge", "-p", patch)


def generation(sandbox: Sandbox, ref: ObjectRef) -> int:
    return int(sandbox.read(ref)["metadata"]["generation"])


def here(sandbox: Sandbox, found: Any) -> list[Expiring]:
    return sorted((each for each in found if each.ref.namespace == sandbox.namespace), key=str)


async def test_only_finished_jobs_with_a_ttl_are_listed_over_all_pages(
    sandbox: Sandbox, store: KubeStore, finished: KubeFinishedJobs,
) -> None:
    """Else Jobs that stay would be read each minute, or Jobs that run would be deleted."""
    mortal = [await ended(sandbox, store, f"mortal-{number}", 60 * number) for number in range(5)]
    await ended(sandbox, store, "stays")
    set_ttl(sandbox, sandbox.job("runs"), 0)
    before = {each.ref.uid for each in await finished.expiring()}    # what other tests have left goes meanwhile, and nothing comes
    generations = await finished.generations()
    assert {ref.uid: generations.get(ref.uid) for ref in mortal} == {ref.uid: generation(sandbox, ref) for ref in mortal}
    assert {each.ref.uid for each in await finished.expiring()} <= set(generations) <= before, "both lists say the same"
    expected = [Expiring(ref, generation(sandbox, ref), 1_700_000_000 + 60 * number) for number, ref in enumerate(mortal)]
    assert here(sandbox, await finished.expiring()) == sorted(expected, key=str)


async def test_a_job_goes_only_as_it_was_read(sandbox: Sandbox, store: KubeStore, finished: KubeFinishedJobs) -> None:
    """Else a person who raises the TTL in the last second, or applies a new Job under the old name, would lose it."""
    ref = await ended(sandbox, store, "one", 5)
    [known] = here(sandbox, await finished.expiring())
    set_ttl(sandbox, ref, 500)
    with pytest.raises(Conflict, match="was changed after its end"):
        await finished.delete(known)
    namesake = Expiring(ObjectRef(ref.plural, ref.namespace, ref.name, "11111111-2222-4333-8444-555555555555"), 2, 0.0)
    await finished.delete(namesake)
    assert sandbox.read(ref)["metadata"]["uid"] == ref.uid
    [known] = here(sandbox, await finished.expiring())
    await finished.delete(known)
    assert sandbox.kubectl("get", "jobs.fairlead.dev", "one", check=False).returncode == 1
    await finished.delete(known)


async def test_a_ttl_that_is_taken_out_keeps_a_job(sandbox: Sandbox, store: KubeStore, finished: KubeFinishedJobs) -> None:
    """Else a person could not keep a result any more."""
    ref = await ended(sandbox, store, "one", 5)
    set_ttl(sandbox, ref, None)
    assert ref.uid not in await finished.generations()


async def test_what_is_being_deleted_is_left_to_it(sandbox: Sandbox, store: KubeStore, finished: KubeFinishedJobs) -> None:
    """Else each second would ask again for a Job that another controller holds back."""
    ref = await ended(sandbox, store, "held-back", 0)
    sandbox.patch(ref, finalizers=["example.com/archive"])
    [known] = here(sandbox, await finished.expiring())
    await finished.delete(known)
    assert sandbox.read(ref)["metadata"]["deletionTimestamp"]
    assert ref.uid not in await finished.generations()
    assert here(sandbox, await finished.expiring()) == []
    await finished.delete(known)
