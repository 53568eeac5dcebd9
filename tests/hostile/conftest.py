"""What tests of people who mean harm share."""

from collections.abc import Callable, Iterator

import pytest

from bed.controlplane import ControlPlane
from product.api import Api
from product.scene import Scene
from product.tenants import Tenant, tenant_of


@pytest.fixture
def tenant(plane: ControlPlane) -> Iterator[Callable[..., Tenant]]:
    """Makes people with few rights in a scene's namespace: `tenant(scene)` may edit Jobs there, `tenant(scene, rules)` what they say."""
    if not isinstance(plane, ControlPlane):
        pytest.skip("users of somebody's cluster are not ours to make")
    made: list[Tenant] = []

    def make(scene: Scene, *rules: object) -> Tenant:
        made.append(tenant_of(plane, scene, *rules))
        return made[-1]

    yield make
    for each in made:
        each.at.api.close()


@pytest.fixture
def team(api: Api, scene: Scene) -> Iterator[Scene]:
    """Another namespace than the Cluster's, as its administrator sees it. What is in it goes before the Cluster does."""
    assert scene, "is closed behind it"
    team = Scene(api).open()
    yield team
    team.close()
