"""The stage for what runs with the other tests: the session's control plane behind a gate, and a controller of its own."""

from collections.abc import Iterator

import pytest

from bed.controlplane import ControlPlane
from bed.existing import ExistingControlPlane
from bed.state import Bed
from faults import stage
from faults.stage import Stage
from product.controller import Controller


@pytest.fixture(scope="module")
def where(bed: Bed, plane: ControlPlane | ExistingControlPlane, _controller: Controller) -> Iterator[Stage]:
    """A stage. The session's controller rests meanwhile: there is one Lease."""
    _controller.stop()
    with stage.on(bed, plane) as where:
        yield where
