"""The Leases by which gateways know of each other, on the real API server."""

import pytest

from fairlead.api.v1alpha1 import names
from fairlead.domain.errors import Conflict
from fairlead.engine.clock import SystemClock
from fairlead.kube.client import KubeClient
from fairlead.kube.gateways import KubeGatewayLeases
from fairlead.kube.lease import Lease, LeaseSettings

from .conftest import Sandbox


async def test_a_lease_says_on_which_address_and_is_removed_as_it_was_seen(client: KubeClient, sandbox: Sandbox) -> None:
    """Else a pod that gets a dead gateway's address would hand out ports at once to which clients of others are still sent."""
    settings = LeaseSettings(sandbox.namespace, f"{names.GATEWAY_LEASE}one", 2, 0.5, 0.5, {names.GATEWAY_ADDRESS_ANNOTATION: "192.0.2.17"})
    own = Lease(client, settings, SystemClock())
    leases = KubeGatewayLeases(client, sandbox.namespace, own)
    await own.acquire()
    [seen] = await leases.list()
    assert (seen.gateway, seen.holder, seen.address) == ("one", own.identity, "192.0.2.17")
    await own.release()
    with pytest.raises(Conflict):
        await leases.remove(seen)
    [seen] = await leases.list()
    assert (seen.holder, seen.address) == ("", "192.0.2.17")
    await leases.remove(seen)
    assert await leases.list() == []
    await leases.remove(seen)
