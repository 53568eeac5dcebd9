"""What tests of Clusters share."""

from collections.abc import Iterator

import pytest

from product.api import Api
from product.scene import Scene


@pytest.fixture
def team(api: Api, scene: Scene) -> Iterator[Scene]:
    """Another namespace than the Cluster's."""
    assert scene, "is closed behind it"
    team = Scene(api).open()
    yield team
    team.close()
