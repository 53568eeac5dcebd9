"""What the real scripts have said, and whether the real controller would do by it what the controllers of a trace do."""

from collections.abc import Mapping
from typing import Final

from fairlead.domain.run import evidence
from fairlead.domain.run.answers import CancelAnswer, SubmitAnswer, SubmitWord
from fairlead.domain.run.observation import Observation
from fairlead.domain.run.run import RunKey
from model.state import Script

_SUBMITTED: Final = frozenset({SubmitWord.SUBMITTED, SubmitWord.CLAIMED})


class Heard:
    """The last answer of each kind, as the real rules read it."""

    def __init__(self) -> None:
        self.submitted: SubmitAnswer | None = None
        self._cancelled: CancelAnswer | None = None
        self._verdict: evidence.Verdict | None = None
        self._listed_live = False
        self._claim_read = ""

    @property
    def others(self) -> tuple[str, ...]:
        """The ids of the doubles, if it was told of any."""
        return self._verdict.others if isinstance(self._verdict, evidence.Duplicated) else ()

    def take(self, script: Script, mine: RunKey, answer: object) -> None:
        """A script about `mine` has answered."""
        match answer[mine] if isinstance(answer, Mapping) else answer:
            case SubmitAnswer() as submitted:
                self.submitted = submitted
            case CancelAnswer() as cancelled:
                self._cancelled = cancelled
                self._claim_read = ""
            case Observation() as observation if script.kind == "listing":
                self._listed_live = any(row.state.may_run for rows in observation.listed.values() for row in rows)
            case Observation() as observation:
                self._verdict = evidence.judge(mine, observation, self._claim_read)
                if isinstance(self._verdict, evidence.Unexplained):
                    self._claim_read = self._verdict.claim or self._claim_read

    def would_begin(self, script: Script) -> bool:
        """Whether the real controller would run this script."""
        match script.kind, script.why:
            case _, "duplicate":
                return isinstance(self._verdict, evidence.Duplicated)
            case _, "lost":
                return isinstance(self._verdict, evidence.Broken)
            case _, "revoke":
                return isinstance(self._verdict, evidence.Unclaimed)
            case _, "refused":
                return self.submitted is not None and self.submitted.word is SubmitWord.REFUSED
            case "remove", _:
                return not self._listed_live
        return True

    def would_write(self, why: str) -> bool:
        """Whether the real controller would write this."""
        verdict, cancelled, submitted = self._verdict, self._cancelled, self.submitted
        match why:
            case "id":
                return submitted is not None and submitted.word in _SUBMITTED
            case "done" | "failed":
                return isinstance(verdict, evidence.Ended) and (verdict.finished.exit_code == 0) == (why == "done")
            case "never ran":
                return isinstance(verdict, evidence.NeverRan) or (submitted is not None and submitted.word is SubmitWord.REVOKED)
            case "lost":
                return cancelled is not None and bool(cancelled.claim)
            case "refused" | "suspended":
                return cancelled is not None and cancelled.revoked
        return True
