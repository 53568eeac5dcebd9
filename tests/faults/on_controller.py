"""Faults of the controller, of the API server, and of what is written there by hand."""

from functools import partial
from typing import Any

from faults.fault import (
    ADOPT,
    ALL,
    CANCEL,
    CANCELLING,
    DELETE,
    END,
    POLL,
    RETRY,
    STARTED,
    SUBMIT,
    SUSPEND,
    Act,
    Fault,
    Group,
)
from faults.play import Play
from product.waiting import until

_fault = partial(Fault, group=Group.CONTROLLER)

STRANGER = "99999999-2222-4333-8444-555555555555"
_CALLS = {
    "store.add_finalizer": ("the finalizer is put on", (SUBMIT,)),
    "remote.submit": ("the submit script", (SUBMIT, RETRY)),
    "remote.observe": ("a poll", ALL),
    "remote.cancel": ("the cancel script", CANCELLING),
    "remote.remove": ("the directory is taken down", (CANCEL, DELETE)),
    "remote.probe": ("the probe of a cluster", (ADOPT,)),
    "remote.sweep": ("the sweep", (ADOPT,)),
    "store.write_jobs_status": ("a Job's status is written", (SUBMIT, END, RETRY, SUSPEND)),
    "store.record_event": ("an Event is written", (SUBMIT, END, RETRY)),
    "store.release": ("the finalizer is taken off", (SUBMIT, END, CANCEL, DELETE, RETRY)),
}
"""Each call that leaves the controller, in words, and the operations that make it before they wait for a person."""

_NOT_MADE = "this call is not made then"
_NOT_WRITTEN = "nothing is written then"


def _killed(call: str, when: str) -> Fault:
    words, operations = _CALLS[call]
    return _fault(f"controller killed {when} {words} ({call})", strike=lambda play: play.stage.arm(f"{call}:{when}:1:kill"),
                 met=lambda play: not play.stage.controller.daemon.alive, with_=operations, why=_NOT_MADE)


def _sleep_beside_another(play: Play) -> None:
    play.stage.controller.daemon.stop()
    _start_second(play)
    until(play.kept["second"].leads, "the second controller to lead")


def _start_second(play: Play) -> None:
    play.kept["second"] = second = play.stage.another_controller()
    play.ends.callback(second.stop)
    second.start(wait=False)


def _wake(play: Play) -> None:
    first = play.stage.controller.daemon
    first.cont()
    until(lambda: not first.alive, "the controller that slept beyond its Lease to end", 20)
    play.kept["second"].stop()


def _sleep_alone(play: Play) -> None:
    play.stage.controller.daemon.stop()


def _restart_server(play: Play) -> None:
    play.stage.plane.restart_apiserver()


def _stop_server(play: Play) -> None:
    play.stage.plane.apiserver.stop()   # type: ignore[union-attr]


def _cont_server(play: Play) -> None:
    play.stage.plane.apiserver.cont()   # type: ignore[union-attr]


def _refused(status: int, words: str, methods: str, operations: tuple[str, ...]) -> Fault:
    return _fault(f"API server answers {words}", strike=lambda play: play.stage.gate.refuse(status, methods),
                 met=lambda play: play.stage.gate.refused, lasts_seconds=1.5, with_=operations, why=_NOT_WRITTEN)


def _go_blind(play: Play) -> None:
    sibling = play.scene.job("sibling")
    sibling.wait("Complete")
    play.stage.gate.blind()
    sibling.delete(wait=False)


def _by_hand(patch: Act) -> Act:
    """A change by hand once the Job is submitted; an object that is gone by then cannot be changed."""
    def during(play: Play) -> None:
        until(lambda: play.run_id or play.result == "gone", "the Job to be submitted")
        patch(play)
    return during


def _patch(play: Play, patch: dict[str, Any], subresource: str = "") -> None:
    status, answer = play.scene.api.request("PATCH", play.job.path + subresource, patch, "application/merge-patch+json")
    assert status in {200, 404}, answer


def _remember_status(play: Play) -> None:
    play.kept["status"] = play.job.status


def _put_back(play: Play) -> None:
    old = play.kept["status"] or {"phase": "Pending"}
    _patch(play, {"status": None}, "/status")
    _patch(play, {"status": old}, "/status")


def _strangers_status(play: Play) -> None:
    run = {"key": f"{STRANGER}-1", "attempt": 1, "id": "1", "state": "RUNNING"}
    _patch(play, {"status": {"run": run}}, "/status")


def _vanish(play: Play) -> None:
    _patch(play, {"metadata": {"finalizers": None}})
    play.wait_result("gone")


_WRITES = "PATCH PUT POST DELETE"
_WHILE_ONE_RUNS = tuple(each for each in ALL if each != ADOPT)
_WRITING = tuple(each for each in ALL if each not in {POLL, ADOPT})

FAULTS = (
    *(_killed(call, when) for call in _CALLS for when in ("before", "after")),
    _fault("controller stopped beyond its Lease and continued", strike=_sleep_alone,
           heal=lambda play: play.stage.controller.daemon.cont(), lasts_seconds=4,
           with_=_WHILE_ONE_RUNS, why="no controller runs"),
    _fault("controller stopped beyond its Lease, continued beside another that leads", strike=_sleep_beside_another,
          heal=_wake, lasts_seconds=1.5, with_=_WHILE_ONE_RUNS, why="no controller runs"),
    _fault("two controllers at once, the leader killed", strike=_start_second,
          during=lambda play: play.stage.controller.daemon.kill(), met=lambda play: play.kept["second"].leads(), lasts_seconds=1,
          heal=lambda play: play.kept["second"].stop()),
    _fault("API server restarted", during=_restart_server, breaks_server=True),
    _fault("API server stopped for 30 s", during=_stop_server, heal=_cont_server, lasts_seconds=30,
          breaks_server=True),
    _refused(409, "409 Conflict to each write", _WRITES, _WRITING),
    _refused(422, "422 Invalid to each write", _WRITES, _WRITING),
    _refused(429, "429 with Retry-After to everything", f"GET {_WRITES}", (*_WRITING, ADOPT)),
    _refused(500, "500 to everything", f"GET {_WRITES}", (*_WRITING, ADOPT)),
    _fault("watch cut", strike=lambda play: play.stage.gate.cut_watches()),
    _fault("watch silent, then 410 Gone; an object deleted in the gap", strike=_go_blind, lasts_seconds=1,
          with_=_WHILE_ONE_RUNS, why="a controller that starts has no watch yet"),
    _fault("watch silent, then 410 Gone; the Job's finalizer removed and the Job gone in the gap", strike=_go_blind,
          during=_vanish, with_=(CANCEL, DELETE), why="the Job is not deleted"),
    _fault("status wiped by hand", during=_by_hand(lambda play: _patch(play, {"status": None}, "/status"))),
    _fault("finalizer removed by hand", during=_by_hand(lambda play: _patch(play, {"metadata": {"finalizers": None}}))),
    _fault("status of another uid put in by hand", during=_by_hand(_strangers_status)),
    _fault("old status put back", strike=_remember_status, during=_by_hand(_put_back), with_=STARTED,
          why="there is no older status that differs"),
)
