"""The stage for what runs with the other tests: the session's control plane behind a gate, and a controller of its own."""

from collections.abc import Iterator

import pytest

from bed.controlplane import ControlPlane
from bed.existing import ExistingControlPlane
from bed.state import Bed
from faults import stage
from faults.stage import Stage
from product.controller import Controller
from product.ownerkind import OwnerKind


@pytest.fixture(scope="module")
def where(bed: Bed, plane: ControlPlane | ExistingControlPlane, _controllers: dict[OwnerKind, Controller]) -> Iterator[Stage]:
    """A stage. The session's controller rests meanwhile: there is one Lease."""
    for each in _controllers.values():
        each.stop()
    with stage.on(bed, plane) as where:
        yield where
