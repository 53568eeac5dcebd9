"""The ledger: what is still owed on clusters that could not be reached when an object was let go. Paid when they are back.

A ConfigMap in the installation's namespace, one small JSON text per run key, so that it survives us and a person can read it.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, fields

import structlog

from fairlead.api.v1alpha1 import names
from fairlead.domain.debt import Debt
from fairlead.kube.client import KubeClient
from fairlead.kube.config_map import ConfigMapTable, Entries

_log = structlog.get_logger(__name__)


class Ledger:
    """All debts of this installation."""

    def __init__(self, client: KubeClient, namespace: str, name: str = names.LEDGER_CONFIG_MAP) -> None:
        self._table = ConfigMapTable(client, namespace, name)

    async def list(self) -> Sequence[Debt]:
        """All debts, the oldest first. An entry that cannot be read is logged and kept. Raises `Unavailable`."""
        debts = (_parse(key, text) for key, text in (await self._table.read()).items())
        return sorted((debt for debt in debts if debt is not None), key=lambda debt: debt.since)

    async def add(self, debt: Debt) -> None:
        """Write a debt down; one that is there already stays as it is, with its `since`. Only after this may the object go.

        Raises `Conflict`, `Unavailable`, or `ApiFault` when the ledger is full (1 MiB, some 3,000 debts).
        """
        def unless_there(entries: Entries) -> Mapping[str, str | None]:
            return {} if debt.key in entries else {debt.key: _text(debt)}

        await self._table.change(unless_there)

    async def remove(self, key: str) -> None:
        """Strike a paid debt; no change if it is not there. Raises `Conflict`, `Unavailable`."""
        await self._table.change(lambda entries: {key: None} if key in entries else {})


def _text(debt: Debt) -> str:
    return json.dumps({name: value for name, value in asdict(debt).items() if name != "key"})


def _parse(key: str, text: str) -> Debt | None:
    wanted = [field.name for field in fields(Debt) if field.name != "key"]
    try:
        entry = json.loads(text)
        return Debt(key, **{name: str(entry[name]) for name in wanted})
    except (ValueError, KeyError, TypeError) as error:
        _log.warning("ledger_entry_not_understood", key=key, error=repr(error))
        return None
