"""What an answer of the API server that is no success means to us. The one place where HTTP becomes our errors.

| status                                   | fault                                              |
|------------------------------------------|----------------------------------------------------|
| 404 naming the object                    | `NotFound`, a `Conflict`: what we thought of is gone |
| 409, 412, 422 without causes             | `Conflict`: a version, uid or JSON patch test failed |
| 404 of an unknown path, 410              | `Unavailable`: unknown is not gone                 |
| 401                                      | `Unavailable`: works once credentials are repaired |
| 403                                      | `Forbidden`, an `Unavailable`: once permission is granted |
| 408, 429, 5xx, no answer                 | `Unavailable`, with the server's Retry-After       |
| 422 with causes, any other 4xx           | `ApiFault`: we sent something invalid              |
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from fairlead.domain.errors import ApiFault, Conflict, Forbidden, Unavailable

_LATER = frozenset({401, 408, 410, 429})
_STALE = frozenset({409, 412})
_MESSAGE_LIMIT_CHARACTERS = 600


class NotFound(Conflict):
    """The object is not there. A reader answers None; to a writer who knew a uid it is the conflict that it inherits."""


@dataclass(frozen=True, slots=True)
class ErrorAnswer:
    """An answer with an error status: which call, the status, the header Retry-After, the body as it came."""

    call: str
    status: int
    retry_after: str | None
    body: bytes

    def fault(self) -> ApiFault:
        """The error to raise for this answer, see the table above."""
        status_object = _status_object(self.body)
        details: Mapping[str, Any] = status_object.get("details") or {}
        message = f"{self.call}: {self.status}: {_message(status_object, self.body)}"
        if self.status == 404 and details.get("name"):
            return NotFound(message)
        if self.status in _STALE or (self.status == 422 and not details.get("causes")):
            return Conflict(message)
        if self.status == 403:
            return Forbidden(message, self._retry_after_seconds(details))
        if self.status in _LATER or self.status == 404 or self.status >= 500:
            return Unavailable(message, self._retry_after_seconds(details))
        return ApiFault(message)

    def _retry_after_seconds(self, details: Mapping[str, Any]) -> float | None:
        """The server's wish in seconds: the header, else the Status object's details. The API server writes no HTTP dates."""
        for wish in (self.retry_after, details.get("retryAfterSeconds")):
            try:
                seconds = float(wish)  # type: ignore[arg-type]
            except (TypeError, ValueError):
                continue
            if 0 < seconds < 3600:  # an hour is a proxy's nonsense; it also drops nan and inf
                return seconds
        return None


def _status_object(body: bytes) -> Mapping[str, Any]:
    """The Kubernetes Status in the body, empty if it is something else (a proxy's page)."""
    try:
        parsed = json.loads(body)
    except ValueError:
        return {}
    return parsed if isinstance(parsed, dict) and parsed.get("kind") == "Status" else {}


def _message(status_object: Mapping[str, Any], body: bytes) -> str:
    text = str(status_object.get("message") or body.decode(errors="replace").strip() or "no message")
    return text[:_MESSAGE_LIMIT_CHARACTERS]
