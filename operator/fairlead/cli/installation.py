"""`fairlead installation`: whether an installation works: its kinds are served, and a controller leads.

That one leads is seen, not read: the Lease's times are of another machine's clock, so a renewal has to come while we look.
"""

import asyncio
import time
from typing import Final

import click

from fairlead.api.v1alpha1 import names
from fairlead.app.kinds import KINDS
from fairlead.cli.access import KubeAccess
from fairlead.domain.errors import Unavailable
from fairlead.kube.client import JsonObject, KubeClient, path_of
from fairlead.kube.faults import NotFound
from fairlead.kube.installation import known_name
from fairlead.telemetry.log import configure

LOOK_SECONDS: Final = 0.5
PLURALS: Final = (names.CLUSTER_PLURAL, *(each.plural for each in KINDS))


def run(namespace: str | None, wait_seconds: int, way: KubeAccess) -> None:
    """Print what was found of the installation in `namespace`, None: that of the kubeconfig's context, or the pod's.

    Raises `Unavailable` when a kind is not served, or no controller was seen to lead within `wait_seconds`; `ApiFault`.
    """
    configure("console", "warning")
    asyncio.run(_look(way.client(), namespace, wait_seconds))


async def _look(client: KubeClient, namespace: str | None, wait_seconds: int) -> None:
    async with client:
        where = namespace or client.namespace
        await _until_served(client, time.monotonic() + wait_seconds)
        click.echo(f"Served: {' and '.join(PLURALS)} of {names.API_VERSION}")
        leader = await _until_led(client, where, wait_seconds)
        click.echo(f"Leader: {leader}")
        name = await _until_named(client, where, time.monotonic() + wait_seconds)
        click.echo(f"Installation: {name or 'has no name yet'} in namespace {where}")


async def _until_served(client: KubeClient, until: float) -> None:
    """Wait until the API server knows our kinds."""
    missing = await _missing(client)
    while missing and time.monotonic() < until:
        await asyncio.sleep(LOOK_SECONDS)
        missing = await _missing(client)
    if missing:
        raise Unavailable(f"The API server does not know {' and '.join(missing)} of {names.API_VERSION}: install the resource definitions")


async def _missing(client: KubeClient) -> list[str]:
    """Our kinds that are not served; a group that is not there has no page that could be asked for."""
    groups = (await client.request("GET", path_of("apis"))).get("groups", ())
    if names.API_VERSION not in {version["groupVersion"] for group in groups for version in group["versions"]}:
        return list(PLURALS)
    served = {each["name"] for each in (await client.request("GET", path_of("apis", names.GROUP, names.VERSION)))["resources"]}
    return [each for each in PLURALS if each not in served]


async def _until_led(client: KubeClient, namespace: str, wait_seconds: int) -> str:
    """Wait until somebody renews the Lease while we look; who it is."""
    until = time.monotonic() + wait_seconds
    path = path_of("apis", "coordination.k8s.io", "v1", "namespaces", namespace, "leases", names.LEASE_NAME)
    first = await _lease(client, path)
    while True:
        await asyncio.sleep(LOOK_SECONDS)
        lease = await _lease(client, path)
        holder = str((lease.get("spec") or {}).get("holderIdentity") or "")
        if holder and _renewal(lease) != _renewal(first):
            return holder
        if time.monotonic() >= until:
            seen = f"{holder} has not renewed it" if holder else "nobody holds it"
            raise Unavailable(
                f"No controller leads in namespace {namespace}: within {wait_seconds} s of looking at the Lease {names.LEASE_NAME}, {seen}"
            )


async def _until_named(client: KubeClient, namespace: str, until: float) -> str | None:
    """Wait until the name of the installation is written down, which a controller does first of all once it leads; None if it was not."""
    name = await known_name(client, namespace)
    while not name and time.monotonic() < until:
        await asyncio.sleep(LOOK_SECONDS)
        name = await known_name(client, namespace)
    return name


async def _lease(client: KubeClient, path: str) -> JsonObject:
    """The Lease as it is; empty if there is none yet."""
    try:
        return await client.request("GET", path)
    except NotFound:
        return {}


def _renewal(lease: JsonObject) -> object:
    spec = lease.get("spec") or {}
    return spec.get("holderIdentity"), spec.get("renewTime")
