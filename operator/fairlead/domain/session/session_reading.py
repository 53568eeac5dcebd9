"""From a Session as the API server sends it to the domain's own view of it."""

from collections.abc import Mapping
from typing import Any

from fairlead.api.v1alpha1 import names
from fairlead.api.v1alpha1 import session as api
from fairlead.domain.run.reading import read_owner
from fairlead.domain.session.session import Session


def read_session(body: Mapping[str, Any]) -> Session:
    """A Session's body as the domain sees it. Raises `UserFault` when another release wrote what this one cannot read."""
    return read_owner(Session, api.Session, names.SESSION_PLURAL, body)
