"""What goes wrong with one object beyond all that is foreseen: it is that object's own matter, never its batch's or its loop's.

    whatever raises -> logged with its traceback -> the Job rests, longer each time -> its condition says so -> it is tried again
"""  # noqa: D208  a drawing

import asyncio
from collections.abc import Awaitable, Callable, Coroutine, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, TypeVar

import structlog

from fairlead.api.v1alpha1.reasons import JobReason
from fairlead.domain.errors import ApiFault, FairleadError, RemoteFault, Unreadable
from fairlead.domain.run.owner import RunOwner
from fairlead.engine.failures.breaker import Breaker
from fairlead.engine.ports import Clock
from fairlead.engine.settings import PauseSettings

log = structlog.get_logger()

T = TypeVar("T")
Item = TypeVar("Item", bound="tuple[RunOwner, *tuple[Any, ...]]")

TRIES = 32
"""Execs at most into which one batch is parted: enough to find one among thousands. What is left then is tried with the next batch."""


@dataclass(frozen=True, slots=True)
class Said:
    """What a Job's condition is to say of a mishap."""

    reason: JobReason
    message: str


@dataclass(frozen=True, slots=True)
class Mishap:
    """What befell a Job as it was in `generation`: at which stage, how often in a row, until when it rests (monotonic)."""

    generation: int
    stage: str
    count: int
    until: float


class Mishaps:
    """Those of the Jobs of one site. A Job that was changed since is tried at once."""

    def __init__(self, clock: Clock, pauses: PauseSettings) -> None:
        self._clock = clock
        self._pauses = pauses
        self._known: dict[str, Mishap] = {}
        self._untold: dict[str, Said] = {}

    def rests_until(self, job: RunOwner, stage: str = "") -> float | None:
        """Until when nothing is to be done for the Job (monotonic), by a mishap at `stage`, or at any; None: it does not rest."""
        known = self._known.get(job.ref.uid)
        if known is None or known.generation != job.generation or known.until <= self._clock.monotonic():
            return None
        return known.until if stage in {"", known.stage} else None

    def note(self, job: RunOwner, stage: str, error: Exception) -> None:
        """Something went wrong while the Job was at `stage`, a participle as in `could not be prepared`: let it rest."""
        now, known = self._clock.monotonic(), self._known.get(job.ref.uid)
        is_next = known is not None and known.generation == job.generation and now - known.until < self._pauses.mishap_forgotten_seconds
        count = known.count + 1 if known is not None and is_next else 1
        until = Breaker(count - 1).failed(now, self._pauses.mishap_seconds, self._pauses.mishap_limit_seconds).retry_at
        self._known[job.ref.uid] = Mishap(job.generation, stage, count, until)
        self.tell(job, stage, error)
        log.error("mishap", job=str(job.ref), key=str(job.key), stage=stage, count=count, pause_seconds=until - now, exc_info=error)

    def tell(self, job: RunOwner, stage: str, error: Exception) -> None:
        """Have the Job's condition say what went wrong, without a rest."""
        said = f"the {job.kind} could not be {stage}: {_words(error)}. It is tried again"
        if isinstance(error, ApiFault):
            self._untold[job.ref.uid] = Said(JobReason.WRITE_REFUSED, f"{said}, less and less often")
        else:
            self._untold[job.ref.uid] = Said(JobReason.INTERNAL_ERROR, f"{said}; the controller's log says more")

    def ask(self, job: RunOwner, stage: str, question: Callable[[], T], otherwise: T) -> T:
        """The answer to a question about one Job; `otherwise` if asking it goes wrong, and while the Job rests."""
        if self.rests_until(job):
            return otherwise
        try:
            return question()
        except Exception as error:  # noqa: BLE001  whatever it is, it is this Job's alone
            self.note(job, stage, error)
            return otherwise

    async def each(self, stage: str, work: Iterable[tuple[RunOwner, Coroutine[Any, Any, T]]]) -> list[T]:
        """Do something for each Job, for all at once: what those come to with whom it does not go wrong."""
        jobs, doing = [], []
        for job, coroutine in work:
            jobs.append(job)
            doing.append(coroutine)
        done: list[T] = []
        for job, answer in zip(jobs, await asyncio.gather(*doing, return_exceptions=True), strict=True):
            if isinstance(answer, Exception):
                self.note(job, stage, answer)
            elif isinstance(answer, BaseException):
                raise answer
            else:
                done.append(answer)
        return done

    async def in_parts(self, stage: str, items: Sequence[Item], do: Callable[[Sequence[Item]], Awaitable[None]]) -> None:
        """Do something for all at once; where that goes wrong, for halves, down to the one Job with which it does.

        What cluster, API server or credentials did is raised: it is no single Job's.
        """
        parts: list[Sequence[Item]] = [items]
        for _ in range(TRIES):
            if not parts:
                break
            part = parts.pop(0)
            try:
                await do(part)
            except (RemoteFault, ApiFault, Unreadable):
                raise
            except Exception as error:
                if not part:
                    raise
                half = len(part) // 2
                if half:
                    log.warning("batch_parted", stage=stage, size=len(part), error=type(error).__name__)
                    parts[:0] = part[:half], part[half:]
                else:
                    self.note(part[0][0], stage, error)

    def take_untold(self) -> dict[str, Said]:
        """What is to be told of which Job, by uid, and was not yet. The caller tells it."""
        untold, self._untold = self._untold, {}
        return untold

    def tell_again(self, uid: str, said: Said) -> None:
        """It could not be told now."""
        self._untold.setdefault(uid, said)

    @property
    def uids(self) -> frozenset[str]:
        """Of the Jobs of which something is known."""
        return frozenset(self._known.keys() | self._untold.keys())

    def forget(self, uid: str) -> None:
        """The Job is no longer ours to watch."""
        self._known.pop(uid, None)
        self._untold.pop(uid, None)


@contextmanager
def contained(what: str, **whose: str) -> Iterator[None]:
    """What goes wrong inside, with one object of several, is logged and ends there: the others have their turn."""
    try:
        yield
    except FairleadError as error:
        log.info("look_failed", what=what, **whose, error=str(error))
    except Exception:
        log.exception("look_failed", what=what, **whose)


def _words(error: Exception) -> str:
    """An error for a person. What an unforeseen one says may hold anything, a secret too: its kind has to do."""
    return str(error) if isinstance(error, FairleadError) else f"an error of Fairlead's own ({type(error).__name__})"
