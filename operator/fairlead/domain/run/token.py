"""The token of a process: in which Secret it is, and whether it can be used. It is in no message."""

import re
from dataclasses import dataclass
from typing import Final

from fairlead.api.v1alpha1 import names
from fairlead.api.v1alpha1.reasons import Word
from fairlead.domain.errors import UserFault

MOST_BYTES: Final = 4096
_CONTROL: Final = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029]")


class NotYet(UserFault):
    """What an attempt needs is not there, or cannot be used as it is: the owner waits, and is told `reason`."""

    def __init__(self, reason: Word, message: str) -> None:
        super().__init__(message)
        self.reason = reason


@dataclass(frozen=True, slots=True)
class WantedToken:
    """A field of a Secret of the owner's namespace. `is_own`: the Secret is the owner's own, and is made if there is none."""

    name: str
    key: str
    is_own: bool
    variables: tuple[str, ...] = (names.TOKEN_VARIABLE,)     # in which the process finds it


def token_fault(token: bytes) -> str:
    """Why this cannot be a token; empty if it can."""
    if not token:
        return "is empty: write the token into it"
    if len(token) > MOST_BYTES:
        return f"has {len(token)} bytes, and a token has {MOST_BYTES} at most"
    try:
        text = token.decode()
    except UnicodeDecodeError:
        return "is no UTF-8 text"
    if text.endswith(("\n", "\r")) and not _CONTROL.search(text.rstrip("\r\n")):
        return "ends with a line end, as `echo` writes one: make it with `printf %s`"
    return "holds a line end or another control character" if _CONTROL.search(text) else ""
