"""The ledger: what is still owed on clusters that could not be reached when an object was let go. Paid when they are back.

A ConfigMap for each namespace whose Jobs owe something, beside the controller's Lease: one small JSON text per run key, so that it survives
us and a person can read it. Each namespace has a share of its own: one that fills it keeps its own Jobs waiting, and nobody else's.
An entry of a form that this release does not know (another kind, another reason, a further field) is another release's: it is told once,
nothing is done about it, and neither is it written over nor struck.
Calls that come while a write is under way share the next one: a namespace with hundreds of Jobs is let go in a few writes.
"""

import asyncio
import json
from collections import defaultdict
from collections.abc import Callable, Container, Mapping, Sequence
from dataclasses import asdict, dataclass, fields

import structlog

from fairlead.api.v1alpha1 import names
from fairlead.domain.errors import ApiFault
from fairlead.domain.gone.debt import REASONS, Debt
from fairlead.kube.client import KubeClient, path_of
from fairlead.kube.config_map import Changes, ConfigMapTable, Entries

_log = structlog.get_logger(__name__)
_FIELDS = frozenset(each.name for each in fields(Debt) if each.name != "key")
_WORDS = tuple(sorted(_FIELDS - {"grace_seconds", "host"}))

SHARE_BYTES = 900_000
"""Of one namespace: some 3,000 debts. The API server takes 1 MiB for a ConfigMap, its metadata included."""
_PAGE_SIZE = 20                      # shares of up to 1 MiB


class LedgerFull(ApiFault):
    """A namespace owes as much as it may."""


@dataclass(eq=False, slots=True)
class _Call:
    """One caller's change, and what became of it."""

    decide: Callable[[Entries], Changes]
    done: bool = False
    error: ApiFault | None = None


class Ledger:
    """All debts of this installation. `kinds` are those that this release knows, by name."""

    def __init__(self, client: KubeClient, namespace: str, kinds: Container[str]) -> None:
        self._client = client
        self._kinds = kinds
        self._namespace = namespace
        self._shares: dict[str, _Share] = {}
        self._foreign: frozenset[str] = frozenset()

    @property
    def foreign(self) -> frozenset[str]:
        """The keys of another release's entries, as of the last list."""
        return self._foreign

    @property
    def filled_ratio(self) -> float:
        """How full the fullest namespace's share is, from 0 to 1, as far as it was seen by `list`, or written since."""
        return max((share.size for share in self._shares.values()), default=0) / SHARE_BYTES

    async def list(self) -> Sequence[Debt]:
        """All debts, the oldest first. An entry that is not understood is logged once, and left out. Raises `Unavailable`."""
        path = path_of("api", "v1", "namespaces", self._namespace, "configmaps")
        debts, foreign, sizes = list[Debt](), set[str](), dict[str, int]()
        async for found in self._client.objects(path, names.LEDGER_LABEL, _PAGE_SIZE):
            namespace, entries = found["metadata"]["labels"][names.LEDGER_LABEL], found.get("data") or {}
            sizes[namespace] = _size(entries)
            for key, text in entries.items():
                debt = _parse(namespace, key, text, self._kinds)
                if debt is not None:
                    debts.append(debt)
                    continue
                foreign.add(key)
                if key not in self._foreign:
                    _log.warning("ledger_entry_not_understood", key=key, namespace=namespace)
        for namespace in sizes.keys() | self._shares.keys():
            self._share_of(namespace).size = sizes.get(namespace, 0)
        self._foreign = frozenset(foreign)
        return sorted(debts, key=lambda debt: (debt.since, debt.key))

    async def add(self, debts: Sequence[Debt]) -> None:
        """Write debts down, those of one namespace all or none; one that is there for the same reason stays as it is, with its `since`.

        Only after this may their objects go. Raises `LedgerFull`, `Conflict`, `Unavailable`.
        """
        for namespace, theirs in _by_namespace(debts).items():
            await self._share_of(namespace).add(theirs)

    async def remove(self, debts: Sequence[Debt]) -> None:
        """Strike debts; no change for those that are not there. Raises `Conflict`, `Unavailable`."""
        for namespace, theirs in _by_namespace(debts).items():
            await self._share_of(namespace).remove(theirs)

    def _share_of(self, namespace: str) -> "_Share":
        name, labels = f"{names.LEDGER_CONFIG_MAP}-{namespace}", {names.LEDGER_LABEL: namespace}
        table = ConfigMapTable(self._client, self._namespace, name, labels)
        return self._shares.setdefault(namespace, _Share(table, namespace, self._kinds))


class _Share:
    """The debts of one namespace."""

    def __init__(self, table: ConfigMapTable, namespace: str, kinds: Container[str]) -> None:
        self._table = table
        self._kinds = kinds
        self._namespace = namespace
        self._calls: list[_Call] = []
        self._writing = asyncio.Lock()
        self.size = 0                    # bytes, as last seen or written

    async def add(self, debts: Sequence[Debt]) -> None:
        """Write them down, all or none."""
        def unless_there(entries: Entries) -> Changes:
            known = {debt.key: _parse(self._namespace, debt.key, entries[debt.key], self._kinds) for debt in debts if debt.key in entries}
            return {debt.key: _text(debt) for debt in debts
                    if debt.key not in known or ((there := known[debt.key]) and there.reason != debt.reason)}

        await self._commit(unless_there)

    async def remove(self, debts: Sequence[Debt]) -> None:
        """Strike them."""
        keys = {debt.key for debt in debts}
        def if_understood(entries: Entries) -> Changes:
            return {key: None for key in keys if key in entries and _parse(self._namespace, key, entries[key], self._kinds)}

        await self._commit(if_understood)

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
        """Write all changes at once, but for those for which there is no room."""
        error: ApiFault | None = None
        try:
            self.size = _size(await self._table.change(lambda entries: self._all(calls, entries)))
        except ApiFault as fault:
            error = fault
        for call in calls:
            call.error, call.done = call.error or error, True

    def _all(self, calls: Sequence[_Call], entries: Entries) -> Changes:
        """What all calls change, each seeing what those before it did."""
        now, changes = dict(entries), dict[str, str | None]()
        size = _size(entries)
        for call in calls:
            changed = call.decide(now)
            grows = sum(_bytes((key, text)) - _bytes((key, now.get(key))) for key, text in changed.items())
            if grows > 0 and size + grows > SHARE_BYTES:
                call.error = LedgerFull(f"{self._table}: namespace {self._namespace} owes as much as it may ({SHARE_BYTES} bytes); what it "
                                        "deletes waits until something of that is paid, or given up")
                continue
            call.error = None            # asked again: somebody else may have made room
            size += grows
            changes |= changed
            now |= {key: text for key, text in changed.items() if text is not None}
            for key in [key for key, text in changed.items() if text is None]:
                now.pop(key, None)
        return changes


def _by_namespace(debts: Sequence[Debt]) -> Mapping[str, Sequence[Debt]]:
    found: dict[str, list[Debt]] = defaultdict(list)
    for debt in debts:
        found[debt.namespace].append(debt)
    return found


def _size(entries: Entries) -> int:
    return sum(map(_bytes, entries.items()))


def _bytes(entry: tuple[str, str | None]) -> int:
    key, text = entry
    return 0 if text is None else len(key) + len(text)   # of ASCII: JSON escapes the rest


def _text(debt: Debt) -> str:
    return json.dumps({name: value for name, value in asdict(debt).items() if name != "key"}, separators=(",", ":"))


def _parse(namespace: str, key: str, text: str, kinds: Container[str]) -> Debt | None:
    """The debt that an entry is; None if this release does not know what it says, all of it."""
    try:
        entry = json.loads(text)
        if entry.keys() - _FIELDS or entry["kind"] not in kinds or entry["reason"] not in REASONS:
            return None
        words = {name: str(entry[name]) for name in _WORDS} | {"namespace": namespace}   # whose share it is in
        return Debt(key=key, **words, grace_seconds=int(entry.get("grace_seconds", 30)), host=str(entry.get("host", "")))
    except (ValueError, KeyError, TypeError, AttributeError, OverflowError):
        return None
