"""`fairlead uninstall`: takes our finalizers off, or says why not. What it does is in `app.leaving`."""

import asyncio
from collections.abc import Sequence

import click

from fairlead.api.v1alpha1.texts import clean
from fairlead.app.leaving import LeftBehind, Policy, StillNeeded, Uninstall
from fairlead.cli.access import KubeAccess
from fairlead.domain.scope import Scope
from fairlead.kube.client import KubeClient
from fairlead.telemetry.log import configure

MOST_TOLD = 20
_LINE_CHARACTERS = 400
_ADVICE = ("Wait for their end, or delete or suspend the Jobs. Or choose another policy: Cancel suspends all Jobs and waits; Orphan leaves "
           "alone on the clusters what runs there.")


def run(policy: str, seconds: float, watched: Sequence[str], namespace: str | None, way: KubeAccess) -> int:
    """Do it and say what was done; the exit code, 1 if the controller is still needed. Raises `ApiFault`, `UserFault`."""
    configure("console", "error")
    client = way.client()
    try:
        left = asyncio.run(_uninstall(client, Policy(policy), seconds, Scope.of(watched), namespace))
    except StillNeeded as fault:
        click.echo("\n".join([f"fairlead: {fault}:", *_listed(fault.why), _ADVICE]), err=True)
        return 1
    click.echo(_told(left))
    return 0


async def _uninstall(client: KubeClient, policy: Policy, seconds: float, scope: Scope, namespace: str | None) -> LeftBehind | None:
    async with client:
        return await Uninstall(client, namespace or client.namespace, scope).run(policy, seconds)


def _listed(why: Sequence[str]) -> list[str]:
    lines = [f"  {clean(each, _LINE_CHARACTERS)}" for each in why[:MOST_TOLD]]
    return [*lines, *([f"  and {len(why) - MOST_TOLD} more"] if len(why) > MOST_TOLD else [])]


def _told(left: LeftBehind | None) -> str:
    if left is None:
        return "Our resources are not installed: there is nothing to do."
    told = [f"{left.taken_off} objects had our finalizer, and have it no more."]
    if left.handed_over:
        told.append(f"{left.handed_over} Jobs were left alone on their clusters: their status stands still.")
    if left.waiting:
        told.append(f"{left.waiting} Jobs have not ended and have nothing on a cluster: they wait for the next installation.")
    return "\n".join([*told, "No controller leads for five minutes: remove it now."])
