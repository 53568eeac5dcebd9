"""Setting the machine's clock, an hour ahead or back, ends nothing early."""

from collections.abc import Callable
from dataclasses import dataclass, replace

import pytest
from structlog.testing import capture_logs

from fairlead.domain.objects import ObjectRef
from fairlead.domain.run.finished import Expiring
from fairlead.engine.clock import SteadyClock
from fairlead.engine.gone.expiry import Expiry
from unit.engine.virtual import Virtual

HOUR = 3600.0


@dataclass
class Machine:
    """A machine whose clock somebody sets."""

    passed: float = 1000.0
    set_by: float = 0.0

    def monotonic(self) -> float:
        """What nobody sets."""
        return self.passed

    def wall(self) -> float:
        """What somebody sets."""
        return 1_700_000_000 + self.passed + self.set_by


def seconds_until(machine: Machine, happened: Callable[[], bool], most: float = 3 * HOUR) -> float:
    """How long it takes, looked at each second."""
    began = machine.passed
    while not happened():
        assert machine.passed - began < most
        machine.passed += 1
    return machine.passed - began


@pytest.mark.parametrize("jump", [HOUR, -HOUR, 0.5, 0.0])
def test_a_wait_takes_as_long_as_it_should_whatever_the_clock_is_set_to(jump: float) -> None:
    """Results would be deleted an hour early, or kept for good."""
    machine = Machine()
    clock = SteadyClock(machine)
    until = clock.wall() + 600
    machine.set_by = jump
    with capture_logs() as logs:
        took = seconds_until(machine, lambda: clock.wall() >= until)
    assert took == pytest.approx(600, abs=7)
    assert ("wall_clock_set" in str(logs)) is (abs(jump) > 60)


@pytest.mark.parametrize("jump", [HOUR, -HOUR])
def test_a_clock_that_was_set_is_followed_in_days(jump: float) -> None:
    """Times in a status would be off for as long as the controller runs."""
    machine = Machine()
    clock = SteadyClock(machine)
    machine.set_by = jump
    before = clock.wall()
    with capture_logs():
        for _ in range(5 * 24 * 60):
            machine.passed += 60
            assert clock.wall() > before
            before = clock.wall()
    assert before == pytest.approx(machine.wall(), abs=0.1)


def test_time_goes_on_while_a_machine_sleeps() -> None:
    """A laptop that slept for a day would wait another one."""
    machine = Machine()
    clock = SteadyClock(machine)
    machine.passed += 86_400
    assert clock.wall() == pytest.approx(machine.wall(), abs=0.1)


@pytest.mark.parametrize("jump", [HOUR, -HOUR])
async def test_a_finished_job_lives_out_its_time(jump: float) -> None:
    """Else ttlSecondsAfterFinished would take a result from somebody who still looks at it."""
    machine, virtual = Machine(), Virtual()
    clock = SteadyClock(machine)
    expiry = Expiry(replace(virtual.world, clock=clock))
    virtual.finished.jobs["u"] = Expiring(ObjectRef("jobs", "lab", "hello", "u"), 1, clock.wall() + 300)
    await expiry.look()
    machine.set_by = jump
    with capture_logs():
        for _ in range(29):
            machine.passed += 10
            await expiry.delete_due()
        assert virtual.finished.deleted == []
        for _ in range(3):
            machine.passed += 10
            await expiry.delete_due()
    assert virtual.finished.deleted == ["hello"]
