"""What tests of Clusters share."""

from collections.abc import Iterator

import pytest

from bed.login import LoginNode
from product.api import Api
from product.scene import Scene


@pytest.fixture(params=["own", "host"], ids=["Slurm", "bare host"])
def node(request: pytest.FixtureRequest) -> LoginNode:
    """A cluster of either kind, of the test's own. Name it before `scene`."""
    node: LoginNode = request.getfixturevalue(request.param)
    return node


@pytest.fixture
def team(api: Api, scene: Scene) -> Iterator[Scene]:
    """Another namespace than the Cluster's."""
    assert scene, "is closed behind it"
    team = Scene(api).open()
    yield team
    team.close()
