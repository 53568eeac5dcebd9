"""Session as a row of the table of kinds."""

from typing import Final

from fairlead.api.v1alpha1 import names
from fairlead.api.v1alpha1.session import SessionPhase
from fairlead.domain.kinds import Kind, Serving
from fairlead.domain.session.session import Session, wanted_service, wanted_token
from fairlead.domain.session.session_life import warns_at
from fairlead.domain.session.session_reading import read_session
from fairlead.domain.session.session_report import report
from fairlead.domain.session.session_request import request
from fairlead.domain.session.session_status import served

SESSION: Final[Kind[Session]] = Kind(
    names.SESSION_KIND, tuple(SessionPhase), (SessionPhase.ENDED, SessionPhase.FAILED), read_session, report, request,
    token=wanted_token, serving=Serving(wanted_service, served, warns_at),
)
