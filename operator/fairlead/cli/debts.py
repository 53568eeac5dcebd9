"""`fairlead debts`: what the ledger holds, as a table for people or as JSON for programs."""

import asyncio
import json
from collections.abc import Sequence

import click

from fairlead.api.v1alpha1 import names
from fairlead.app.kinds import KINDS
from fairlead.cli.access import KubeAccess
from fairlead.domain.errors import Forbidden, UserFault
from fairlead.domain.gone.debt import Debt
from fairlead.kube.client import KubeClient
from fairlead.kube.ledger import Ledger
from fairlead.telemetry.log import configure

_HEADINGS = ("JOB", "CLUSTER", "REASON", "SINCE", "KEY")
_GAP = "   "


def run(namespace: str | None, output: str, way: KubeAccess) -> None:
    """Print the debts of the installation in `namespace`, None: that of the kubeconfig's context; `output` is table or json.

    Raises `UserFault` when the ledger may not be read, `ApiFault`.
    """
    configure("console", "warning")      # an entry that cannot be read is told of on standard error
    debts = asyncio.run(_debts(way.client(), namespace))
    click.echo(_json(debts) if output == "json" else _table(debts))


async def _debts(client: KubeClient, namespace: str | None) -> Sequence[Debt]:
    async with client:
        where = namespace or client.namespace
        try:
            return await Ledger(client, where, KINDS).list()
        except Forbidden as error:
            raise UserFault(
                f"You may not read the ledger, the ConfigMaps {where}/{names.LEDGER_CONFIG_MAP}-*: ask for the right to list configmaps "
                "where the controller runs. The oldest debts of a Cluster stand in its status, in residue."
            ) from error


def _table(debts: Sequence[Debt]) -> str:
    if not debts:
        return "Nothing is owed."
    rows = [_HEADINGS, *((f"{each.namespace}/{each.name}", _where(each), each.reason, each.since, each.key) for each in debts)]
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    return "\n".join(_GAP.join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip() for row in rows)


def _where(debt: Debt) -> str:
    return f"{debt.cluster_name} ({debt.host})" if debt.host else debt.cluster_name


def _json(debts: Sequence[Debt]) -> str:
    """An array of objects, with the names that a Cluster's status.residue has."""
    return json.dumps([
        {"key": each.key, "kind": each.kind, "namespace": each.namespace, "name": each.name, "cluster": each.cluster_name,
         "host": each.host, "since": each.since, "reason": each.reason}
        for each in debts
    ], indent=2)
