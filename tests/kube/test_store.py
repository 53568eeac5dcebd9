"""What a user would lose if a write went to the wrong object: a second run, or an object that never goes away."""

import asyncio
import itertools
import json
from typing import Any
from uuid import uuid4

import pytest

from fairlead.domain.errors import ApiFault, Conflict
from fairlead.domain.objects import EventNote, ObjectRef
from fairlead.kube.store import KubeStore
from product.resources import install
from product.waiting import until

from .conftest import Sandbox

OURS = "fairlead.dev/remote-run"
THEIRS = "example.org/backup"
ANOTHER_UID = "00000000-0000-0000-0000-000000000000"


def another(ref: ObjectRef) -> ObjectRef:
    return ObjectRef(ref.plural, ref.namespace, ref.name, ANOTHER_UID)


def run_status(ref: ObjectRef, attempt: int) -> dict[str, Any]:
    return {"run": {"key": f"{ref.uid}-{attempt}", "attempt": attempt}}


async def test_the_finalizer_goes_on_beside_those_of_others_once(sandbox: Sandbox, store: KubeStore) -> None:
    ref = sandbox.job(finalizers=[THEIRS])
    first = await store.add_finalizer(ref)
    again = await store.add_finalizer(ref)
    found = sandbox.read(ref)["metadata"]
    assert found["finalizers"] == [THEIRS, OURS]
    assert first == again == found["resourceVersion"]


async def test_a_plain_object_gets_the_finalizer_in_one_request(sandbox: Sandbox, store: KubeStore) -> None:
    ref = sandbox.job()
    await store.add_finalizer(ref)
    assert sandbox.read(ref)["metadata"]["finalizers"] == [OURS]
    assert sandbox.requests() == [("patch", 200)]


async def test_an_object_that_is_being_deleted_gets_no_finalizer(sandbox: Sandbox, store: KubeStore) -> None:
    ref = sandbox.job(finalizers=[THEIRS])
    sandbox.delete(ref)
    with pytest.raises(Conflict, match="being deleted"):
        await store.add_finalizer(ref)
    assert sandbox.read(ref)["metadata"]["finalizers"] == [THEIRS]


async def test_an_object_that_is_being_deleted_with_our_finalizer_is_a_conflict_too(sandbox: Sandbox, store: KubeStore) -> None:
    ref = sandbox.job(finalizers=[OURS])
    sandbox.delete(ref)
    with pytest.raises(Conflict, match="being deleted"):
        await store.add_finalizer(ref)


async def test_a_namesake_gets_no_finalizer(sandbox: Sandbox, store: KubeStore) -> None:
    ref = sandbox.job()
    with pytest.raises(Conflict, match="another object"):
        await store.add_finalizer(another(ref))
    assert "finalizers" not in sandbox.read(ref)["metadata"]


async def test_a_gone_object_gets_no_finalizer(sandbox: Sandbox, store: KubeStore) -> None:
    with pytest.raises(Conflict):
        await store.add_finalizer(ObjectRef("jobs", sandbox.namespace, "nobody", ANOTHER_UID))


async def test_the_first_attempt_is_written_only_while_there_is_none(sandbox: Sandbox, store: KubeStore) -> None:
    ref = sandbox.job()
    await store.write_status(ref, run_status(ref, 1), expected_attempt=0)
    with pytest.raises(Conflict):
        await store.write_status(ref, run_status(ref, 1) | {"phase": "Failed"}, expected_attempt=0)
    assert sandbox.read(ref)["status"] == run_status(ref, 1)


async def test_the_first_attempt_is_written_over_a_status_without_a_run(sandbox: Sandbox, store: KubeStore) -> None:
    ref = sandbox.job()
    await store.write_status(ref, {"observationSource": "squeue"}, expected_attempt=0)
    await store.write_status(ref, run_status(ref, 1), expected_attempt=0)
    assert sandbox.read(ref)["status"] == run_status(ref, 1), "the status is replaced whole"


async def test_a_decision_about_an_attempt_that_is_past_is_not_written(sandbox: Sandbox, store: KubeStore) -> None:
    ref = sandbox.job()
    await store.write_status(ref, run_status(ref, 1), expected_attempt=0)
    await store.write_status(ref, run_status(ref, 2), expected_attempt=1)
    with pytest.raises(Conflict):
        await store.write_status(ref, run_status(ref, 2) | {"restarts": 7}, expected_attempt=1)
    assert sandbox.read(ref)["status"] == run_status(ref, 2)


@pytest.mark.parametrize("expected_attempt", [None, 0, 1])
async def test_no_status_is_written_to_a_namesake(sandbox: Sandbox, store: KubeStore, expected_attempt: int | None) -> None:
    ref = sandbox.job()
    with pytest.raises(Conflict):
        await store.write_status(another(ref), run_status(ref, 1), expected_attempt=expected_attempt)
    assert sandbox.read(ref)["status"] == {"observedGeneration": 0}


async def test_the_first_status_takes_one_request(sandbox: Sandbox, store: KubeStore) -> None:
    """Each new Job would cost the API server two writes, of which one is refused."""
    ref = sandbox.job()
    await store.write_status(ref, run_status(ref, 1), expected_attempt=0)
    assert sandbox.requests() == [("patch", 200)]


async def test_a_definition_of_an_older_release_will_do(sandbox: Sandbox, store: KubeStore) -> None:
    """After an upgrade of the controller alone no new Job would be begun: such a definition fills in no status."""
    default = "/spec/versions/0/schema/openAPIV3Schema/properties/status/default"
    patch = json.dumps([{"op": "remove", "path": default}])
    try:
        sandbox.kubectl("patch", "crd", "jobs.fairlead.dev", "--type=json", "--patch", patch)
        names = (f"old-{number}" for number in itertools.count())
        ref = until(lambda: without_status(sandbox, sandbox.job(next(names))), "the older definition to be served")
        await store.write_status(ref, run_status(ref, 1), expected_attempt=0)
        assert sandbox.read(ref)["status"] == run_status(ref, 1)
    finally:
        install(sandbox.plane)
        until(lambda: not without_status(sandbox, sandbox.job(f"new-{uuid4().hex[:8]}")), "ours to be served again")


def without_status(sandbox: Sandbox, ref: ObjectRef) -> ObjectRef | None:
    return ref if "status" not in sandbox.read(ref) else None


async def test_a_status_of_a_gone_object_is_a_conflict(sandbox: Sandbox, store: KubeStore) -> None:
    with pytest.raises(Conflict):
        await store.write_status(ObjectRef("jobs", sandbox.namespace, "nobody", ANOTHER_UID), {}, expected_attempt=0)


async def test_a_status_that_the_schema_refuses_is_no_conflict_that_reading_again_would_heal(sandbox: Sandbox, store: KubeStore) -> None:
    ref = sandbox.job()
    with pytest.raises(ApiFault, match=r"status\.run\.attempt") as raised:
        await store.write_status(ref, {"run": {"key": "k", "attempt": "one"}})
    assert not isinstance(raised.value, Conflict)


async def test_release_takes_our_finalizer_and_sets_the_label_in_one_write(sandbox: Sandbox, store: KubeStore) -> None:
    ref = sandbox.job(finalizers=[OURS, THEIRS], labels={"team": "physics"})
    version = await store.release(ref, finished=True)
    found = sandbox.read(ref)["metadata"]
    assert found["finalizers"] == [THEIRS]
    assert found["labels"] == {"team": "physics", "fairlead.dev/finished": "true"}
    assert found["resourceVersion"] == version
    assert sandbox.requests() == [("get", 200), ("patch", 200)]


async def test_release_without_labels_and_without_the_word_finished(sandbox: Sandbox, store: KubeStore) -> None:
    ref = sandbox.job(finalizers=[OURS])
    await store.release(ref, finished=False)
    found = sandbox.read(ref)["metadata"]
    assert "finalizers" not in found
    assert "labels" not in found
    assert sandbox.requests() == [("patch", 200)], "of many that are deleted at once each would be read first"


@pytest.mark.parametrize("finalizers", [[THEIRS, OURS], [THEIRS], []])
async def test_release_finds_our_finalizer_wherever_it_is(sandbox: Sandbox, store: KubeStore, finalizers: list[str]) -> None:
    ref = sandbox.job(finalizers=finalizers)
    await store.release(ref, finished=False)
    assert sandbox.read(ref)["metadata"].get("finalizers", []) == [each for each in finalizers if each != OURS]


async def test_release_sets_the_label_where_there_are_none(sandbox: Sandbox, store: KubeStore) -> None:
    ref = sandbox.job(finalizers=[OURS])
    await store.release(ref, finished=True)
    assert sandbox.read(ref)["metadata"]["labels"] == {"fairlead.dev/finished": "true"}


async def test_releasing_twice_writes_once(sandbox: Sandbox, store: KubeStore) -> None:
    ref = sandbox.job(finalizers=[OURS])
    assert await store.release(ref, finished=True) == await store.release(ref, finished=True)
    sandbox.read(ref)
    assert [verb for verb, _ in sandbox.requests()] == ["get", "patch", "get"]


async def test_every_write_names_us_as_the_field_manager(sandbox: Sandbox, store: KubeStore) -> None:
    ref = sandbox.job()
    await store.add_finalizer(ref)
    await store.write_status(ref, run_status(ref, 1), expected_attempt=0)
    fields = json.loads(sandbox.kubectl("get", "jobs.fairlead.dev", ref.name, "-o", "json", "--show-managed-fields").stdout)
    ours = [entry.get("subresource") for entry in fields["metadata"]["managedFields"] if entry["manager"] == "fairlead"]
    assert sorted(ours, key=str) == [None, "status"]


async def test_finalizers_that_change_under_our_hands_are_all_kept(sandbox: Sandbox, store: KubeStore) -> None:
    ref = sandbox.job(finalizers=[OURS])
    theirs = [f"example.org/{number}" for number in range(3)]

    async def others() -> None:
        for count in range(1, 4):
            await asyncio.to_thread(sandbox.patch, ref, finalizers=[*theirs[:count], OURS])

    await asyncio.gather(others(), *(store.write_status(ref, {"restarts": number}) for number in range(20)))
    await store.release(ref, finished=True)
    assert sandbox.read(ref)["metadata"]["finalizers"] == theirs


async def test_a_deleted_object_goes_when_it_is_released_and_releasing_it_again_is_a_success(sandbox: Sandbox, store: KubeStore) -> None:
    ref = sandbox.job(finalizers=[OURS])
    sandbox.delete(ref)
    await store.release(ref, finished=False)
    assert await store.uid_of(ref) is None
    assert await store.release(ref, finished=False) == ""


async def test_release_leaves_a_namesake_alone(sandbox: Sandbox, store: KubeStore) -> None:
    ref = sandbox.job(finalizers=[OURS])
    assert await store.release(another(ref), finished=True) == ""
    assert sandbox.read(ref)["metadata"]["finalizers"] == [OURS]


async def test_the_uid_under_a_name_is_found_and_none_if_nobody_has_it(sandbox: Sandbox, store: KubeStore) -> None:
    ref = sandbox.job()
    assert await store.uid_of(another(ref)) == ref.uid
    assert await store.uid_of(ObjectRef("jobs", sandbox.namespace, "nobody", ref.uid)) is None


async def test_an_unknown_resource_is_not_a_gone_object(sandbox: Sandbox, store: KubeStore) -> None:
    with pytest.raises(ApiFault) as raised:
        await store.uid_of(ObjectRef("widgets", sandbox.namespace, "hello", ANOTHER_UID))
    assert not isinstance(raised.value, Conflict), "a missing CRD must not look like a deleted object"


async def test_an_event_is_shown_by_describe_and_by_get_events(sandbox: Sandbox, store: KubeStore) -> None:
    ref = sandbox.job()
    await store.record_event(ref, EventNote("Warning", "SubmissionRejected", "sbatch: error: invalid partition 'gpù'", "Submit"))
    described = sandbox.kubectl("describe", "jobs.fairlead.dev", ref.name).stdout
    assert "SubmissionRejected" in described
    assert "invalid partition 'gpù'" in described
    listed = json.loads(sandbox.kubectl("get", "events", "-o", "json").stdout)["items"]
    assert [(event["reason"], event["type"]) for event in listed] == [("SubmissionRejected", "Warning")]
    assert listed[0]["involvedObject"]["uid"] == ref.uid


async def test_an_event_that_is_too_long_is_cut_not_lost(sandbox: Sandbox, store: KubeStore) -> None:
    ref = sandbox.job()
    await store.record_event(ref, EventNote("Normal", "Submitted", "ü" * 2000))
    [event] = json.loads(sandbox.kubectl("get", "events", "-o", "json").stdout)["items"]
    assert event["message"].endswith("ü…")


async def test_an_event_that_cannot_be_written_stops_nobody(store: KubeStore) -> None:
    await store.record_event(ObjectRef("jobs", "no-such-namespace", "hello", ANOTHER_UID), EventNote("Normal", "Submitted", "text"))
