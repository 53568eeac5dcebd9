"""Runs cells on several stages side by side, each with a control plane of its own: a cell may break its controller and its API server."""

import queue
import threading
from collections.abc import Callable, Iterable, Iterator
from contextlib import ExitStack

from bed.controlplane import ControlPlane
from bed.errors import BedError
from bed.state import Bed
from faults import stage
from faults.cell import Verdict, run_cell
from faults.stage import Stage
from faults.table import Cell
from product.resources import install

_Result = tuple[Cell, Verdict] | BaseException | None
"""A cell that was played, what broke the stage down, or None: no cell is left."""


def stages(bed: Bed, count: int, stack: ExitStack) -> list[Stage]:
    """So many stages; they end with `stack`."""
    made = []
    for number in range(count):
        plane = ControlPlane.start(bed, audit=False)
        install(plane)
        made.append(stack.enter_context(stage.on(bed, plane, f"stage-{number}")))
    return made


def run(cells: Iterable[Cell], places: list[Stage], tell: Callable[[Cell, Verdict], None]) -> list[Verdict]:
    """Play all cells; `tell` is called after each, by one thread at a time. Raises BedError when a stage itself breaks down."""
    waiting: queue.SimpleQueue[Cell] = queue.SimpleQueue()
    for each in cells:
        waiting.put(each)
    results: queue.SimpleQueue[_Result] = queue.SimpleQueue()
    for place in places:
        threading.Thread(target=_work, args=(place, waiting, results), daemon=True).start()
    verdicts = []
    for cell, verdict in _finished(results, len(places)):
        tell(cell, verdict)
        verdicts.append(verdict)
    return verdicts


def _work(place: Stage, waiting: "queue.SimpleQueue[Cell]", results: "queue.SimpleQueue[_Result]") -> None:
    try:
        while True:
            try:
                cell = waiting.get_nowait()
            except queue.Empty:
                results.put(None)
                return
            results.put((cell, run_cell(place, cell.operation, cell.fault)))
    except BaseException as error:   # noqa: BLE001  raised again where the results are awaited
        results.put(error)


def _finished(results: "queue.SimpleQueue[_Result]", workers: int) -> Iterator[tuple[Cell, Verdict]]:
    while workers:
        result = results.get()
        if result is None:
            workers -= 1
        elif isinstance(result, BaseException):
            raise BedError(f"a stage broke down: {result!r}") from result
        else:
            yield result
