"""A Session as Fairlead sees it: what it has beside what every owner of Runs has."""

from dataclasses import dataclass
from functools import lru_cache
from typing import ClassVar, NamedTuple

from fairlead.api.v1alpha1 import names
from fairlead.api.v1alpha1.reasons import SessionCondition, SessionReason
from fairlead.api.v1alpha1.session import GENERATED, SessionSpec, SessionStatus
from fairlead.api.v1alpha1.time_limit import time_limit_seconds
from fairlead.domain.run.service import Question, WantedService
from fairlead.domain.run.token import WantedToken
from fairlead.domain.run.watched import WatchedOwner
from fairlead.domain.session.presets import PRESETS, Preset

_LOOKED_FOR = frozenset({SessionReason.TUNNEL_OPENING, SessionReason.TUNNEL_OPEN})
INFRASTRUCTURE_RETRIES = 3
"""As a Job's, when it says nothing: attempts that are proved never to have run are made again. One that has run is not."""


class End(NamedTuple):
    """When it is ended (epoch seconds), and why, for a person."""

    at: float
    why: str


@dataclass(frozen=True, slots=True)
class Session(WatchedOwner):
    """One Session as it was last read."""

    spec: SessionSpec
    status: SessionStatus

    ENDS: ClassVar[tuple[str, ...]] = (SessionCondition.ENDED, SessionCondition.FAILED)
    RUNS: ClassVar[str] = SessionCondition.ALLOCATED

    @property
    def kind(self) -> str:
        """Session."""
        return names.SESSION_KIND

    @property
    def infrastructure_retries(self) -> int:
        """So many attempts may follow such as never ran."""
        return INFRASTRUCTURE_RETRIES

    @property
    def active_deadline_seconds(self) -> int | None:
        """So long it may run; None: as long as it likes."""
        return self.spec.max_lifetime_seconds

    @property
    def preset(self) -> Preset | None:
        """What stands in the place of a command; None: it has one."""
        name = self.spec.application.preset
        return PRESETS[name] if name else None

    @property
    def asked(self) -> Question | None:
        """How its process is asked by HTTP whether it is ready; None: that it takes connections is enough."""
        readiness, preset = self.spec.application.readiness, self.preset
        if readiness is not None:
            return Question(readiness.http.path) if readiness.http else None
        return Question(preset.guarded_path, wanted_token(self)) if preset else None

    def deadline(self) -> float | None:
        """When it is told to end (epoch seconds); None while it does not run, and if there is no such time."""
        return min((each for each in (self.lifetime_ends, self.idle_ends, self._startup_ends) if each is not None), default=None)

    @property
    def first_end(self) -> End | None:
        """The first of the ends of one that is ready which are known now; None if there is none."""
        spec = self.spec
        ends = ((self.lifetime_ends, f"maxLifetimeSeconds ({spec.max_lifetime_seconds}) are over then"),
                (self.idle_ends, f"nothing was carried for clients for idleTimeoutSeconds ({spec.idle_timeout_seconds}) then"),
                (self._limit_ends, f"resources.timeLimit ({spec.resources.time_limit}) is reached then"))
        return min((End(at, why) for at, why in ends if at is not None), key=lambda each: each.at, default=None)

    @property
    def quiet_since(self) -> float | None:
        """Since when nothing is carried for its clients (epoch seconds), and it is ready; None if something is, or nobody knows."""
        last, ready = self.status.last_activity_time, self.status.condition(SessionCondition.READY)
        if last is None or ready is None or ready.status != "True":
            return None
        return max(last, ready.last_transition_time).timestamp()

    @property
    def idle_ends(self) -> float | None:
        """When idleTimeoutSeconds are over (epoch seconds), if nothing is carried until then; None without them, and while it is in use."""
        seconds, since = self.spec.idle_timeout_seconds, self.quiet_since
        return None if seconds is None or since is None else since + seconds

    @property
    def lifetime_ends(self) -> float | None:
        """When maxLifetimeSeconds are over (epoch seconds); None without one, and while it does not run."""
        seconds, since = self.active_deadline_seconds, self.started_at
        return None if seconds is None or since is None else since + seconds

    @property
    def started_at(self) -> float | None:
        """When its process was first seen to run (epoch seconds); None if it was not."""
        since = self.status.running_since
        return since.timestamp() if since else None

    @property
    def _limit_ends(self) -> float | None:
        """When its scheduler ends it, if resources has a time limit (epoch seconds), counted from when it was first seen to run."""
        since, limit = self.started_at, self.spec.resources.time_limit
        seconds = None if since is None or limit is None else _seconds(limit)
        return None if since is None or seconds is None else since + seconds

    @property
    def _startup_ends(self) -> float | None:
        """When startupDeadlineSeconds are over (epoch seconds); None once it was ready, and while no gateway looks for it.

        That there is no gateway, or that its way is broken, is no fault of the process.
        """
        since, way = self.started_at, self.status.condition(SessionCondition.TUNNEL_READY)
        if since is None or self.status.ready_since is not None or way is None or way.reason not in _LOOKED_FOR:
            return None
        return since + self.spec.startup_deadline_seconds

    @property
    def script_ended_at(self) -> float | None:
        """When its process ended, by its node's clock (epoch seconds); None if that is not known, or it never ran."""
        begun, ended = self.status.running_since, self.status.end_time
        return ended.timestamp() if begun and ended else None


@lru_cache(maxsize=1024)                 # each look at a Session asks for it
def _seconds(time_limit: str) -> int | None:
    """None of one that cannot be: it is refused when it is handed in."""
    try:
        return time_limit_seconds(time_limit)
    except ValueError:
        return None


def wanted_token(session: Session) -> WantedToken | None:
    """Which token its process is given."""
    application, preset = session.spec.application, session.preset
    variables = (names.TOKEN_VARIABLE, preset.token_variable) if preset else (names.TOKEN_VARIABLE,)
    if application.token_secret_ref is not None:
        return WantedToken(application.token_secret_ref.name, application.token_secret_ref.key, is_own=False, variables=variables)
    if (application.token or (GENERATED if preset else None)) != GENERATED:
        return None
    return WantedToken(session.ref.name, names.TOKEN_KEY, is_own=True, variables=variables)


def wanted_service(session: Session) -> WantedService:
    """Through what it is reached."""
    return WantedService(session.ref.name, session.spec.service.port, session.spec.service.labels)
