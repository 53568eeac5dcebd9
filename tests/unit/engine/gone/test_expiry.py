"""Finished Jobs go when their time is up, once, by the spec as it is then, and only by a controller that leads."""

from typing import Any

import pytest

from fairlead.domain.errors import Unavailable
from fairlead.domain.objects import ObjectRef
from fairlead.domain.run.finished import Expiring
from fairlead.engine.gone.expiry import AT_ONCE, Expiry
from product.objects import a_job
from unit.engine.virtual import SETTINGS, Virtual

START = 1_700_001_000.0
"""The virtual wall clock's."""


class Table:
    """An Expiry on fakes."""

    def __init__(self) -> None:
        self.virtual = Virtual()
        self.expiry = Expiry(self.virtual.world)

    def put(self, name: str, *, at: float, generation: int = 1) -> None:
        """The API server has such a finished Job."""
        ref = ObjectRef("jobs", "lab", name, f"uid-{name}")
        self.virtual.finished.jobs[ref.uid] = Expiring(ref, generation, START + at)

    async def at(self, seconds: float) -> list[str]:
        """What has been deleted when so many seconds are over."""
        self.virtual.clock.seconds = 1000.0 + seconds
        await self.expiry.delete_due()
        return self.virtual.finished.deleted


@pytest.fixture
def table() -> Table:
    return Table()


async def test_what_ended_before_this_process_began_is_found(table: Table) -> None:
    """Else a restart would make every finished Job stay."""
    table.put("early", at=10)
    table.put("late", at=20)
    await table.expiry.look()
    assert await table.at(9.9) == []
    assert await table.at(10) == ["early"]
    assert await table.at(19) == ["early"]
    assert await table.at(20) == ["early", "late"]


async def test_what_ends_here_is_known_without_a_list(table: Table) -> None:
    """Else a Job with a TTL of 0 would stay up to a minute, and each end would cost a list of all."""
    end: dict[str, Any] = {"type": "Complete", "status": "True", "reason": "Completed", "lastTransitionTime": "2023-11-14T22:30:00Z"}
    table.expiry.ended(a_job(ttlSecondsAfterFinished=0, status={"conditions": [end]}))
    table.expiry.ended(a_job(uid="stays", status={"conditions": [end]}))
    assert await table.at(0) == ["sim"]
    assert table.virtual.finished.whole_lists == 0


async def test_lists_are_read_whole_only_when_something_is_new(table: Table) -> None:
    """Else thousands of finished Jobs, scripts and all, would be read each minute."""
    table.put("one", at=100)
    for _ in range(5):
        await table.expiry.look()
    assert table.virtual.finished.whole_lists == 1
    table.put("two", at=100)
    await table.expiry.look()
    assert table.virtual.finished.whole_lists == 2


async def test_a_ttl_that_was_changed_after_the_end_counts(table: Table) -> None:
    """Else a person who raises it to keep a result would lose that result."""
    table.put("kept", at=10)
    table.put("dropped", at=10)
    await table.expiry.look()
    table.put("kept", at=1000, generation=2)
    del table.virtual.finished.jobs["uid-dropped"]     # its TTL was taken out
    await table.expiry.look()
    assert await table.at(10) == []
    assert await table.at(1000) == ["kept"]


async def test_a_change_that_no_list_has_shown_yet_is_not_overrun(table: Table) -> None:
    """Else a change in the minute before the deletion would come too late."""
    table.put("kept", at=10)
    await table.expiry.look()
    table.put("kept", at=1000, generation=2)
    assert await table.at(10) == []
    await table.expiry.look()
    assert await table.at(999) == []
    assert await table.at(1000) == ["kept"]


async def test_a_failed_deletion_is_tried_again_and_a_done_one_is_not(table: Table) -> None:
    """Else one time-out would keep a Job for ever, or each second would ask again for what is gone."""
    table.put("one", at=0)
    await table.expiry.look()
    table.virtual.finished.fault = Unavailable("no answer")
    assert await table.at(0) == []
    table.virtual.finished.fault = None
    assert await table.at(SETTINGS.pauses.deletion_seconds - 1) == []
    assert await table.at(SETTINGS.pauses.deletion_seconds) == ["one"]
    assert await table.at(10 * SETTINGS.pauses.deletion_seconds) == ["one"]


async def test_who_does_not_lead_deletes_nothing(table: Table) -> None:
    """Else a controller that slept would act on what it knew before."""
    table.put("one", at=0)
    await table.expiry.look()
    table.virtual.leadership.says = False
    assert await table.at(5) == []
    table.virtual.leadership.says = True
    assert await table.at(5) == ["one"]


async def test_many_at_once_all_go(table: Table) -> None:
    """Else what is due in the same second would be forgotten."""
    for number in range(3 * AT_ONCE + 1):
        table.put(f"job{number}", at=0)
    await table.expiry.look()
    assert len(await table.at(0)) == 3 * AT_ONCE + 1


async def test_a_wall_clock_that_is_set_back_only_delays(table: Table) -> None:
    """Else a correction of the clock would delete what has just ended."""
    table.put("one", at=10)
    await table.expiry.look()
    assert await table.at(-3600) == []
    assert await table.at(10) == ["one"]
