"""The ledger: what is still owed on clusters that could not be reached when an object was let go. Paid when they are back.

A ConfigMap in the installation's namespace, one small JSON text per run key, so that it survives us and a person can read it.
Calls that come while a write is under way share the next one: a namespace with hundreds of Jobs is let go in a few writes.
"""

import asyncio
import json
from collections.abc import Callable, Collection, Sequence
from dataclasses import asdict, dataclass, fields

import structlog

from fairlead.api.v1alpha1 import names
from fairlead.domain.debt import Debt
from fairlead.domain.errors import ApiFault, Conflict, Unavailable
from fairlead.kube.client import KubeClient
from fairlead.kube.config_map import Changes, ConfigMapTable, Entries

_log = structlog.get_logger(__name__)
_WORDS = tuple(each.name for each in fields(Debt) if each.name not in {"key", "grace_seconds", "host"})


@dataclass(eq=False, slots=True)
class _Call:
    """One caller's change, and what became of it."""

    decide: Callable[[Entries], Changes]
    done: bool = False
    error: ApiFault | None = None


class Ledger:
    """All debts of this installation."""

    def __init__(self, client: KubeClient, namespace: str, name: str = names.LEDGER_CONFIG_MAP) -> None:
        self._table = ConfigMapTable(client, namespace, name)
        self._calls: list[_Call] = []
        self._writing = asyncio.Lock()

    async def list(self) -> Sequence[Debt]:
        """All debts, the oldest first. An entry that cannot be read is logged and kept. Raises `Unavailable`."""
        debts = (_parse(key, text) for key, text in (await self._table.read()).items())
        return sorted((debt for debt in debts if debt is not None), key=lambda debt: (debt.since, debt.key))

    async def add(self, debts: Sequence[Debt]) -> None:
        """Write debts down, all or none; one that is there for the same reason stays as it is, with its `since`.

        Only after this may their objects go. Raises `Conflict`, `Unavailable`, or `ApiFault` when the ledger is full (1 MiB, 3,000 debts).
        """
        def unless_there(entries: Entries) -> Changes:
            return {debt.key: _text(debt) for debt in debts if _reason(entries.get(debt.key)) != debt.reason}

        await self._commit(unless_there)

    async def remove(self, keys: Collection[str]) -> None:
        """Strike debts; no change for those that are not there. Raises `Conflict`, `Unavailable`."""
        await self._commit(lambda entries: dict.fromkeys(entries.keys() & set(keys)))

    async def _commit(self, decide: Callable[[Entries], Changes]) -> None:
        """Have one change written, together with all that wait for the write before it to end."""
        call = _Call(decide)
        self._calls.append(call)
        async with self._writing:
            if not call.done:
                calls, self._calls = self._calls, []
                try:
                    await self._write(calls)
                finally:
                    self._calls = [*(each for each in calls if not each.done), *self._calls]   # cancelled: the next caller writes them
                    if not call.done:
                        self._calls.remove(call)
        if call.error is not None:
            raise call.error

    async def _write(self, calls: Sequence[_Call]) -> None:
        """Write all changes at once; if that is too much for the ledger, as many as go in."""
        error: ApiFault | None = None
        try:
            await self._table.change(lambda entries: _all(calls, entries))
        except (Conflict, Unavailable) as fault:
            error = fault
        except ApiFault as fault:
            if len(calls) > 1:
                await self._write(calls[:len(calls) // 2])
                await self._write(calls[len(calls) // 2:])
                return
            error = fault
        for call in calls:
            call.error, call.done = error, True


def _all(calls: Sequence[_Call], entries: Entries) -> Changes:
    """What all calls change, each seeing what those before it did."""
    now, changes = dict(entries), dict[str, str | None]()
    for call in calls:
        changed = call.decide(now)
        changes |= changed
        now |= {key: text for key, text in changed.items() if text is not None}
        for key in [key for key, text in changed.items() if text is None]:
            now.pop(key, None)
    return changes


def _text(debt: Debt) -> str:
    return json.dumps({name: value for name, value in asdict(debt).items() if name != "key"}, separators=(",", ":"))


def _parse(key: str, text: str) -> Debt | None:
    try:
        entry = json.loads(text)
        words = {name: str(entry[name]) for name in _WORDS}
        return Debt(key=key, **words, grace_seconds=int(entry.get("grace_seconds", 30)), host=str(entry.get("host", "")))
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        _log.warning("ledger_entry_not_understood", key=key, error=repr(error))
        return None


def _reason(text: str | None) -> str | None:
    """The reason of an entry; None if there is none, or none that can be read."""
    try:
        return str(json.loads(text)["reason"]) if text is not None else None
    except (ValueError, KeyError, TypeError):
        return None
