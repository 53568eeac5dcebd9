"""The table of all faults, and the cells that follow from it."""

import random
from dataclasses import dataclass

from faults import in_script, on_controller, on_link, on_login_node, on_slurm, on_tenants
from faults.fault import ALL, Fault
from faults.operations import OPERATIONS, Operation

FAULTS: tuple[Fault, ...] = (*on_controller.FAULTS, *on_link.FAULTS, *on_slurm.FAULTS, *on_login_node.FAULTS, *in_script.FAULTS,
                             *on_tenants.FAULTS)


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


def chosen(count: int | None, seed: int, *, own_server: bool = True) -> list[Cell]:
    """So many cells by lot (None: all), no fault twice while there are others; the same for the same seed.

    Without `own_server` none that breaks the API server.
    """
    lot = random.Random(seed)
    everything = [each for each in cells() if own_server or not each.fault.breaks_server]
    lot.shuffle(everything)
    first = {cell.fault.name: cell for cell in everything}
    rest = [cell for cell in everything if first[cell.fault.name] is not cell]
    return [*first.values(), *rest][:count]
