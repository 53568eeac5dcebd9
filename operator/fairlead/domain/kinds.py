"""The table of kinds whose objects have Runs. What is of a kind that is not in it is another release's, and is left alone (rule KIND)."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

from fairlead.api.v1alpha1.meta import OwnerStatus
from fairlead.domain.objects import EventNote, plural_of
from fairlead.domain.pacing import Now
from fairlead.domain.run.news import News
from fairlead.domain.run.owner import RunOwner
from fairlead.domain.run.request import RunRequest
from fairlead.domain.run.service import Served, WantedService
from fairlead.domain.run.token import WantedToken
from fairlead.domain.run.watched import WatchedOwner

Made = TypeVar("Made", bound=WatchedOwner)


@dataclass(frozen=True, slots=True)
class Report:
    """What is to be written of one piece of news. `status` None: nothing that a person reads has changed."""

    status: OwnerStatus | None = None
    events: tuple[EventNote, ...] = ()


@dataclass(frozen=True, slots=True)
class TextRef:
    """A field of a ConfigMap in an object's namespace: the text that it names is to be run. `field` is where the spec says so."""

    name: str
    key: str
    field: str


def _no_text(_owner: WatchedOwner) -> TextRef | None:
    return None


def _no_token(_owner: WatchedOwner) -> WantedToken | None:
    return None


@dataclass(frozen=True, slots=True)
class Serving(Generic[Made]):
    """What a kind says whose objects are reached through a Service: which one an object wants, and how its status tells of that.

    `looks_at`: when its status says something else by time alone (epoch seconds); None if it never does.
    """

    wanted: Callable[[Made], WantedService]
    report: Callable[[Made, Served, Now], Report]
    looks_at: Callable[[Made], float | None]


@dataclass(frozen=True, slots=True)
class Kind(Generic[Made]):
    """One kind: a row of the table. All is pure.

    Its definition makes `spec.clusterRef.name`, `spec.clusterRef.namespace` and `status.phase` selectable, and with `has_ttl`
    `spec.ttlSecondsAfterFinished`. One that has ended gets the label of finished ones, and is not watched any more.
    """

    name: str                                            # in manifests, in the ledger and in a run directory
    phases: tuple[str, ...]                              # of its status; the first is that of one of which nothing is said yet
    end_phases: tuple[str, ...]                          # of one that has ended
    read: Callable[[Mapping[str, Any]], Made]            # from what the API server sends; raises `UserFault`
    report: Callable[[Made, News, Now], Report]          # how its status and Events tell of what has happened to it
    request: Callable[[Made, str | None], RunRequest]    # what its current attempt runs; with the text that `text_ref` names
    text_ref: Callable[[Made], TextRef | None] = _no_text   # what has to be read first for that
    has_ttl: bool = False                                # whether its spec has ttlSecondsAfterFinished
    long_fields: tuple[str, ...] = ()                    # of its spec, optional ones: they may be long, and only a start needs them
    token: Callable[[Made], WantedToken | None] = _no_token  # which one its process is given
    serving: Serving[Made] | None = None    # None: its objects have no Service

    @property
    def plural(self) -> str:
        """What it is called in the API's paths."""
        return plural_of(self.name)


class Kinds:
    """All kinds whose Runs a program sees to, in their order."""

    def __init__(self, *kinds: Kind[Any]) -> None:   # each takes owners of its own kind alone, which `of` sees to
        self._kinds = {each.name: each for each in kinds}

    def __contains__(self, name: object) -> bool:
        return name in self._kinds

    def __iter__(self) -> Iterator[Kind[Any]]:
        return iter(self._kinds.values())

    def __getitem__(self, name: str) -> Kind[Any]:
        """The row of this name. Raises `KeyError` where the table has none."""
        return self._kinds[name]

    def of(self, owner: RunOwner) -> Kind[Any]:
        """The row for this owner. Raises `KeyError` for one of a kind that is not in the table."""
        return self[owner.kind]
