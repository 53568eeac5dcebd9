"""The kinds whose Runs this release sees to."""

from typing import Final

from fairlead.domain.job.job_kind import JOB
from fairlead.domain.kinds import Kinds
from fairlead.domain.session.session_kind import SESSION

KINDS: Final = Kinds(JOB, SESSION)
