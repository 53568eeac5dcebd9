"""Gateways, for Sessions that are reached."""

from collections.abc import Callable, Iterator
from typing import Any

import pytest

from bed.login import LoginNode
from bed.state import Bed
from fairlead.kube.rights import GATEWAY_ACCOUNT
from product.account import Plane, refused, user_of
from product.gateway import GatewayProcess


@pytest.fixture
def gateways(bed: Bed, plane: Plane) -> Iterator[Callable[..., GatewayProcess]]:
    """Starts a gateway on the address that this machine has towards a host, with settings of its section if there are any."""
    started: list[GatewayProcess] = []

    def start(host: LoginNode, **settings: Any) -> GatewayProcess:
        started.append(GatewayProcess(bed, plane, host.enclosure.network.outer, f"gw-{host.name}", **settings).start())
        return started[-1]

    yield start
    for each in started:
        each.stop()
    assert refused(plane, user_of(GATEWAY_ACCOUNT)) == [], "a right that its table lacks"
