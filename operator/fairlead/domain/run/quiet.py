"""How long nothing was carried for the clients of a process, as its gateway says it."""

import re
from dataclasses import dataclass
from datetime import datetime
from typing import Final, Self

from fairlead.api.v1alpha1.meta import as_timestamp
from fairlead.domain.conditions import moment

_TIME: Final = r"(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ)"
_BOTH: Final = re.compile(f"{_TIME}/{_TIME}", re.ASCII)


@dataclass(frozen=True, slots=True)
class Quiet:
    """No byte was carried from `since` to `told`, when it was written down: epoch seconds by the gateway's clock.

    That clock may be off. So its times are compared with each other alone: for how long it has been quiet, and whether this is the same
    quiet time that was told before.
    """

    since: int
    told: int

    @property
    def seconds(self) -> int:
        """How long it had been quiet when it was written down."""
        return self.told - self.since

    def __str__(self) -> str:
        return f"{as_timestamp(moment(self.since))}/{as_timestamp(moment(self.told))}"

    @classmethod
    def parse(cls, text: object) -> Self | None:
        """What stands on a slice, which anybody may have written; None if it is no such time."""
        found = _BOTH.fullmatch(text) if isinstance(text, str) else None
        if found is None:
            return None
        try:
            since, told = (int(datetime.fromisoformat(each).timestamp()) for each in found.groups())
        except ValueError:
            return None
        return cls(since, told) if since <= told else None
