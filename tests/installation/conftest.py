"""A control plane that no other controller works in: what these tests do to an installation, they do to all of it."""

from collections.abc import Iterator

import pytest

from bed.controlplane import ControlPlane
from bed.state import Bed
from product.api import Api
from product.resources import install, take_away


@pytest.fixture(scope="session")
def quiet_plane(bed: Bed) -> Iterator[ControlPlane]:
    """It, with our resources."""
    plane = ControlPlane.start(bed)
    install(plane)
    yield plane
    plane.stop()


@pytest.fixture(scope="session")
def quiet_api(quiet_plane: ControlPlane) -> Iterator[Api]:
    """Its administrator."""
    api = Api(quiet_plane.kubeconfig)
    yield api
    api.close()


@pytest.fixture(autouse=True)
def _alone(quiet_api: Api) -> None:
    """What a failed test has left is no part of the installation of the next one: these tests count what is there."""
    take_away(quiet_api)
