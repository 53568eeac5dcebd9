"""What people with few rights write, by intent or by mistake: on their own Job and beside it."""

from functools import partial
from typing import Any

from faults.fault import SUBMIT, Fault, Group
from faults.play import Play
from product.waiting import until

_fault = partial(Fault, group=Group.TENANT)
_DIGITS = "9" * 5000
_HOPELESS = f"#!/bin/sh\n#SBATCH --ntasks={_DIGITS}\ntrue\n"


def _patch(play: Play, **metadata: Any) -> None:
    status, answer = play.scene.api.request("PATCH", play.job.path, {"metadata": metadata}, "application/merge-patch+json")
    assert status in {200, 404}, answer


def _take_for_our_own(play: Play) -> None:
    _patch(play, finalizers=["fairlead.dev/remote-run"], annotations={"fairlead.dev/host": "elsewhere:22"})


def _poison(play: Play) -> None:
    """Jobs whose numbers nobody can count with, before and behind the honest one in its batch."""
    for number in range(3):
        play.scene.job(f"poisoned-{number}", _HOPELESS, priority=number)


def _is_told(play: Play) -> bool:
    told = [each for each in play.scene.jobs() if each["metadata"]["name"].startswith("poisoned")]
    return all(each.get("status", {}).get("conditions") for each in told)


def _told(play: Play) -> list[str]:
    try:
        until(lambda: _is_told(play), "the poisoned Jobs to be told", 20)
    except AssertionError:
        return ["a poisoned Job waits, and no condition says what for"]
    return []


FAULTS = (
    _fault("our finalizer and a host put on by hand", during=_take_for_our_own, with_=(SUBMIT,), why="both stand there already"),
    _fault("the label of finished Jobs put on by hand", during=lambda play: _patch(play, labels={"fairlead.dev/finished": "true"})),
    _fault("Jobs with numbers of 5,000 digits beside it", strike=_poison, afterwards=_told),
)
