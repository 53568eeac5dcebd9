"""The label of finished Jobs on Jobs that have not ended."""

from fairlead.domain.errors import Conflict
from fairlead.domain.objects import ObjectRef
from fairlead.engine.unplaced import labels
from fairlead.engine.unplaced.labels import Labels, by_turns
from unit.engine.virtual import Virtual


def named(namespace: str, count: int) -> list[ObjectRef]:
    """So many Jobs of a namespace."""
    return [ObjectRef("jobs", namespace, f"{namespace}-{number}", f"{namespace}-{number}") for number in range(count)]


async def test_a_wrong_label_goes_and_its_job_is_told() -> None:
    """Else a Job that was made from an exported manifest never runs, and nobody learns why."""
    virtual = Virtual()
    virtual.finished.wrongly = named("a", 2)
    await Labels(virtual.world).look()
    assert (virtual.store.unlabelled, virtual.store.told) == (["a-0", "a-1"], ["LabelRemoved"] * 2)


async def test_what_was_not_done_is_not_told() -> None:
    """Else a Job that was put right by somebody else, or ended meanwhile, would be told of."""
    virtual = Virtual()
    virtual.finished.wrongly, virtual.store.fault = named("a", 1), Conflict("gone")
    await Labels(virtual.world).look()
    virtual.store.fault, virtual.leadership.says = None, False
    await Labels(virtual.world).look()
    assert (virtual.store.unlabelled, virtual.store.told) == ([], [])


async def test_a_label_that_cannot_be_taken_off_is_tried_less_often_and_forgotten_with_its_job() -> None:
    """Else a policy would be asked for ever at the same pace, or each Job that is gone be remembered for good."""
    virtual = Virtual()
    looks, virtual.finished.wrongly, virtual.store.fault = Labels(virtual.world), named("a", 1), Conflict("refused")
    await looks.look()
    virtual.store.fault = None
    await looks.look()
    assert virtual.store.unlabelled == [], "it was tried again at once"
    virtual.finished.wrongly = []
    await looks.look()
    virtual.finished.wrongly = named("a", 1)
    await looks.look()
    assert virtual.store.unlabelled == ["a-0"], "the pause of a Job that had gone was kept"


async def test_ten_thousand_labels_of_one_namespace_keep_nobody_elses_waiting() -> None:
    """Else one namespace could keep another's Jobs out of sight."""
    virtual = Virtual()
    virtual.finished.wrongly = named("a", 10_000) + named("b", 2)
    await Labels(virtual.world).look()
    assert len(virtual.store.unlabelled) == labels.IN_ONE_LOOK
    assert {"b-0", "b-1"} <= set(virtual.store.unlabelled)
    assert [each.name for each in by_turns(named("a", 3) + named("b", 1), lambda ref: ref.namespace)] == ["a-0", "b-0", "a-1", "a-2"]
