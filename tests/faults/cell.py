"""One cell of the matrix: an operation with a fault in it, from an empty namespace to the proof that nothing is left."""

import json
import time
import traceback
from collections.abc import Iterator
from dataclasses import dataclass
from subprocess import SubprocessError

from bed.errors import BedError
from faults.fault import Fault
from faults.judge import broken_promises
from faults.operations import Operation
from faults.play import Play, open_play
from faults.stage import Stage
from product.api import GROUP

LOG_LINES = 60


@dataclass(frozen=True, slots=True)
class Verdict:
    """How one run of a cell came out: no sentence, and everything held."""

    operation: str
    fault: str
    seconds: float
    broken: tuple[str, ...] = ()
    trace: str = ""


def run_cell(stage: Stage, operation: Operation, fault: Fault) -> Verdict:
    """Play one cell and judge it. Whatever comes of it, the stage is calm afterwards and the cell's parts are gone."""
    began = time.monotonic()
    stage.calm()
    play = open_play(stage, fault.config, proxied=fault.proxied)
    play.spec, play.script = fault.spec, fault.script
    log_from = play.stage.controller.log.stat().st_size
    try:
        broken = _play(play, operation, fault)
        trace = "\n".join(_trace(play, log_from)) if broken else ""
    except (AssertionError, BedError, OSError, SubprocessError) as error:
        broken = [f"the cell could not be played to its end: {error}"]
        trace = "\n".join([traceback.format_exc(), *_trace(play, log_from)])
    finally:
        _leave(play)
    return Verdict(operation.name, fault.name, time.monotonic() - began, tuple(broken), trace)


def _play(play: Play, operation: Operation, fault: Fault) -> list[str]:
    fault.setup(play)
    play.join()
    operation.prepare(play)
    try:
        fault.strike(play)
        operation.act(play)
        fault.during(play)
        fault.last(play)
    finally:
        fault.heal(play)
        play.stage.calm()
    operation.finish(play)
    broken = broken_promises(play, operation, fault)
    if not broken:
        try:
            play.scene.close()
        except AssertionError as error:
            broken.append(f"something is left: {error}")
        if len(play.ledger.lines("start")) > operation.attempts + fault.again:
            broken.append("the Job started once more after its end")
    return broken


def _trace(play: Play, log_from: int) -> Iterator[str]:
    """What can be seen of a cell that broke a promise."""
    found = play.job.read() or {"metadata": {}}
    found["metadata"].pop("managedFields", None)
    found.get("spec", {}).pop("script", None)
    yield f"job: {json.dumps(found)}"
    conditions = play.cluster.status.get("conditions", [])
    yield f"cluster: {[(each['type'], each['status'], each['reason'], each['message']) for each in conditions]}"
    yield f"events: {[(each['reason'], each['message']) for each in play.job.events()]}"
    yield f"ledger: {play.ledger.lines()}"
    yield f"scheduler: {play.admin('squeue', '-a', '-t', 'all', '-h', '-o', '%i %T %r %j %k')}"
    runs = sorted(str(path.relative_to(play.node.home)) for path in play.node.home.glob(".fairlead/*/runs/*/*"))
    yield f"directories: {runs}"
    with play.stage.controller.log.open(errors="replace") as log:
        log.seek(log_from)
        lines = [_short(line) for line in log if '"asyncssh"' not in line]
    yield f"controller's log, {len(lines)} lines, the last:"
    yield from lines[-LOG_LINES:]


def _short(line: str) -> str:
    return line.strip()[:600]


def _leave(play: Play) -> None:
    """Take away what is still there, by force, so that no other cell sees it."""
    is_stuck = False
    for plural in ("jobs", "clusters"):
        path = f"{GROUP}/namespaces/{play.scene.namespace}/{plural}"
        for each in (play.scene.api.get(path) or {"items": []})["items"]:
            is_stuck = True
            name = f"{path}/{each['metadata']['name']}"
            play.scene.api.delete(name)
            play.scene.api.request("PATCH", name, {"metadata": {"finalizers": None}}, "application/merge-patch+json")
    play.scene.api.delete(f"/api/v1/namespaces/{play.scene.namespace}")
    play.close()
    if is_stuck:   # what it remembers of them ends with the process
        play.stage.controller.daemon.kill()
