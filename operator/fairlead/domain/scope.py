"""In which namespaces one installation works: in all, or in those that are named. Of others it knows nothing, and asks nothing."""

import re
from collections.abc import Iterable
from dataclasses import dataclass

from fairlead.domain.errors import UserFault

_LABEL = re.compile(r"[a-z0-9](?:[-a-z0-9]{0,61}[a-z0-9])?")


@dataclass(frozen=True, slots=True)
class Scope:
    """The namespaces that are watched; none are named: all."""

    namespaces: tuple[str, ...] = ()

    @classmethod
    def of(cls, namespaces: Iterable[str]) -> "Scope":
        """The named ones, each once. Raises `UserFault` for what no namespace can be called."""
        found = tuple(dict.fromkeys(namespaces))
        for each in found:
            if not _LABEL.fullmatch(each):
                raise UserFault(f"--watch-namespace {each!r} is no name of a namespace: write one name with each option")
        return cls(found)

    @property
    def is_all(self) -> bool:
        """Whether every namespace is watched: only then is what no list has surely nowhere."""
        return not self.namespaces

    @property
    def watches(self) -> int:
        """How many watches of single namespaces that takes: of Clusters and of Jobs in each."""
        return 2 * len(self.namespaces)

    def covers(self, namespace: str) -> bool:
        """Whether a namespace is watched."""
        return self.is_all or namespace in self.namespaces


EVERYWHERE = Scope()
