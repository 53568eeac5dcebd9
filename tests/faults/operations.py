"""A Job's life in eight operations, each up to the moment in which a fault strikes, through it, and to its end."""

from collections.abc import Callable
from dataclasses import dataclass

from faults import fault
from faults.fault import nothing
from faults.play import ENDS, PATIENCE_SECONDS, Play
from product.waiting import until

LATER = {"begin": "now+1hour"}


@dataclass(frozen=True, slots=True)
class Operation:
    """`prepare` leads up to the moment, `act` is what happens in it, `finish` goes on after healing. `attempts`: starts that are right."""

    name: str
    says: str
    prepare: Callable[[Play], object]
    act: Callable[[Play], object]
    finish: Callable[[Play], object]
    attempts: int = 1
    is_deletion: bool = False


def _submit(play: Play) -> None:
    play.ledger.go()
    play.apply()


def _ended(play: Play) -> None:
    play.ledger.go()
    play.wait_result(*ENDS)


def _queued(play: Play) -> None:
    play.apply(extraOptions=LATER)
    play.job.wait("Running", "False", reason="Queued")


def _delete(play: Play) -> None:
    play.job.delete(wait=False)


def _gone(play: Play) -> None:
    play.wait_result("gone")


def _killed(play: Play) -> None:
    play.running()
    play.stage.controller.daemon.kill()


def _restart(play: Play) -> None:
    play.stage.controller.start(wait=False)


def _suspend(play: Play) -> None:
    play.scene.api.merge(play.job.path, {"spec": {"suspend": True}})


def _resume(play: Play) -> None:
    def is_over() -> bool:
        return play.job.status.get("phase") == "Suspended" or play.result in ENDS

    until(is_over, "the Job to be suspended", PATIENCE_SECONDS)
    play.scene.api.merge(play.job.path, {"spec": {"suspend": False}})
    _ended(play)


OPERATIONS = {each.name: each for each in (
    Operation(fault.SUBMIT, "a Job is applied", nothing, _submit, _ended),
    Operation(fault.POLL, "a Job runs and is watched", Play.running, nothing, _ended),
    Operation(fault.END, "a running Job's script ends", Play.running, lambda play: play.ledger.go(), _ended),
    Operation(fault.CANCEL, "a Job that waits in the queue is deleted", _queued, _delete, _gone, attempts=0, is_deletion=True),
    Operation(fault.DELETE, "a running Job is deleted", Play.running, _delete, _gone, is_deletion=True),
    Operation(fault.RETRY, "a Job fails and is tried again", lambda play: play.running(backoffLimit=1, failures=1),
              lambda play: play.ledger.go(), _ended, attempts=2),
    Operation(fault.SUSPEND, "a running Job is suspended, later resumed", Play.running, _suspend, _resume, attempts=2),
    Operation(fault.ADOPT, "a controller starts anew beside a running Job", _killed, _restart, _ended),
)}
