"""The two scenes, small: what they find at scale they would find here, only more seldom."""

from collections.abc import Iterator

import pytest

from bed.controlplane import ControlPlane
from bed.state import Bed
from product.controller import Controller
from product.waiting import SHARED
from scale.crowd import crowd
from scale.exodus import exodus
from scale.grounds import Grounds, grounds


@pytest.fixture
def place(bed: Bed, plane: ControlPlane, controller: Controller) -> Iterator[Grounds]:
    if not isinstance(plane, ControlPlane):
        pytest.fail("these scenes count in the audit log of a control plane of their own: run them without --use-existing")
    with grounds(bed, plane, controller) as place:
        yield place


@pytest.mark.timeout(300)
def test_a_crowd_of_jobs_under_a_controller_that_dies_again_and_again(place: Grounds) -> None:
    """Else a controller that crashes in a loop would cost users their Jobs, or run them twice."""
    seen = crowd(place, 60, 4.0, print)
    assert seen.broken == [], seen.says
    assert seen.kills >= 1
    assert seen.events_each <= 2.5, seen.says


@pytest.mark.timeout(300)
@pytest.mark.parametrize("deadline_seconds", [None, 6], ids=["reachable", "unreachable"])
def test_a_namespace_full_of_running_jobs_is_deleted(place: Grounds, deadline_seconds: int | None) -> None:
    """Else a namespace would stay in Terminating, or its jobs would run on with nobody who knows of them."""
    seen = exodus(place, 20, deadline_seconds, print, SHARED)
    assert seen.broken == [], seen.says
