"""The table of all faults, and the cells that follow from it."""

import random
from dataclasses import dataclass

from faults import in_script, on_controller, on_link, on_login_node, on_slurm
from faults.fault import ALL, Fault
from faults.operations import OPERATIONS, Operation

FAULTS: tuple[Fault, ...] = (*on_controller.FAULTS, *on_link.FAULTS, *on_slurm.FAULTS, *on_login_node.FAULTS, *in_script.FAULTS)


@dataclass(frozen=True, slots=True)
class Cell:
    """An operation and a fault."""

    operation: Operation
    fault: Fault

    @property
    def name(self) -> str:
        """As it is written on a command line: `delete x sshd stopped`."""
        return f"{self.operation.name} x {self.fault.name}"


def cells() -> list[Cell]:
    """Every combination that makes sense and is possible, in the table's order."""
    return [Cell(OPERATIONS[name], fault) for fault in FAULTS if not fault.impossible for name in ALL if name in fault.with_]


def chosen(count: int, seed: int) -> list[Cell]:
    """So many cells: one of each fault first, with an operation by lot, then any others by lot. The same for the same seed."""
    lot = random.Random(seed)
    everything = cells()
    lot.shuffle(everything)
    once: dict[str, Cell] = {}
    for cell in everything:
        once.setdefault(cell.fault.name, cell)
    first = list(once.values())
    rest = [cell for cell in everything if cell not in first]
    return (first + rest)[:count]
