"""`fairlead installation`: whether an installation works: its kinds are served, and a controller leads.

That one leads is seen, not read: the Lease's times are of another machine's clock, so a renewal has to come while we look.
"""

import asyncio
import time
from collections.abc import Awaitable, Callable
from typing import Final, NamedTuple, TypeVar

import click

from fairlead.api.v1alpha1 import names
from fairlead.app.kinds import KINDS
from fairlead.cli.access import KubeAccess
from fairlead.domain.errors import Unavailable
from fairlead.kube.client import KubeClient, path_of
from fairlead.kube.faults import NotFound
from fairlead.kube.installation import known_name
from fairlead.telemetry.log import configure

T = TypeVar("T")

LOOK_SECONDS: Final = 0.5
PLURALS: Final = (names.CLUSTER_PLURAL, *(each.plural for each in KINDS))


class Renewal(NamedTuple):
    """What the Lease says of its last renewal. The time is of another machine's clock."""

    holder: str
    time: str


def run(namespace: str | None, wait_seconds: int, way: KubeAccess) -> None:
    """Print what was found of the installation in `namespace`, None: that of the kubeconfig's context, or the pod's.

    Raises `Unavailable` when a kind is not served, or no controller was seen to lead within `wait_seconds`; `ApiFault`.
    """
    configure("console", "warning")
    asyncio.run(_look(way.client(), namespace, wait_seconds))


async def _look(client: KubeClient, namespace: str | None, wait_seconds: int) -> None:
    async with client:
        where = namespace or client.namespace
        if missing := await _until(lambda: _missing(client), lambda kinds: not kinds, wait_seconds):
            msg = f"The API server does not know {', '.join(missing)} of {names.API_VERSION}: install the resource definitions"
            raise Unavailable(msg)
        click.echo(f"Served: {', '.join(PLURALS)} of {names.API_VERSION}")
        leader = await _until_led(client, where, wait_seconds)
        click.echo(f"Leader: {leader}")
        name = await _until(lambda: known_name(client, where), bool, wait_seconds)   # what a controller does first of all once it leads
        click.echo(f"Installation: {name or 'has no name yet'} in namespace {where}")


async def _until(ask: Callable[[], Awaitable[T]], is_good: Callable[[T], bool], wait_seconds: float) -> T:
    """Ask again until the answer is good, or the time is over: the last answer."""
    until = time.monotonic() + wait_seconds
    answer = await ask()
    while not is_good(answer) and time.monotonic() < until:
        await asyncio.sleep(LOOK_SECONDS)
        answer = await ask()
    return answer


async def _missing(client: KubeClient) -> list[str]:
    """Our kinds that are not served; a group that is not there has no page that could be asked for."""
    groups = (await client.request("GET", path_of("apis"))).get("groups", ())
    if names.API_VERSION not in {version["groupVersion"] for group in groups for version in group["versions"]}:
        return list(PLURALS)
    served = {each["name"] for each in (await client.request("GET", path_of("apis", names.GROUP, names.VERSION)))["resources"]}
    return [each for each in PLURALS if each not in served]


async def _until_led(client: KubeClient, namespace: str, wait_seconds: int) -> str:
    """Wait until somebody renews the Lease while we look; who it is."""
    first = await _renewal(client, namespace)
    last = await _until(lambda: _renewal(client, namespace), lambda renewal: renewal.holder != "" and renewal != first, wait_seconds)
    if last.holder and last != first:
        return last.holder
    seen = f"{last.holder} has not renewed it" if last.holder else "nobody holds it"
    raise Unavailable(
        f"No controller leads in namespace {namespace}: within {wait_seconds} s of looking at the Lease {names.LEASE_NAME}, {seen}"
    )


async def _renewal(client: KubeClient, namespace: str) -> Renewal:
    """Who has renewed the Lease last, and when; empty if there is none yet."""
    path = path_of("apis", "coordination.k8s.io", "v1", "namespaces", namespace, "leases", names.LEASE_NAME)
    try:
        spec = (await client.request("GET", path)).get("spec") or {}
    except NotFound:
        spec = {}
    return Renewal(str(spec.get("holderIdentity") or ""), str(spec.get("renewTime") or ""))
