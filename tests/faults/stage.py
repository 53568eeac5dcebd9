"""What all cells of one runner share: a control plane behind a gate, and a controller that can be told when to die."""

from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from bed.controlplane import ControlPlane
from bed.existing import ExistingControlPlane
from bed.state import Bed
from faults.gate import Gate
from product.account import account
from product.api import Api
from product.controller import Controller
from product.faulty import VARIABLE

FAULTY = ("-m", "product.faulty", "controller")


@dataclass(frozen=True)
class Stage:
    """One stage takes one cell at a time: the controller is part of what breaks."""

    bed: Bed
    plane: ControlPlane | ExistingControlPlane
    gate: Gate
    api: Api                  # past the gate: what the judge sees
    folder: Path
    controller: Controller

    @property
    def armed(self) -> Path:
        """The file that tells the controller where to die; see `product.faulty`."""
        return self.folder / "armed"

    def arm(self, fault: str) -> None:
        """Let the controller die, fail or hang at one of its next calls."""
        aside = self.folder / "armed.new"
        aside.write_text(fault, encoding="utf-8")
        aside.rename(self.armed)

    def another_controller(self) -> Controller:
        """A second controller, which waits for the Lease."""
        return Controller(self.bed, self.gate.kubeconfig, f"{self.folder.name}-second", FAULTY, {VARIABLE: f"@{self.armed}"})

    def calm(self) -> None:
        """No fault any more, and the controller leads: what a kubelet and an operator see to."""
        self.armed.unlink(missing_ok=True)
        self.gate.pass_through()
        self.controller.ensure()


@contextmanager
def on(bed: Bed, plane: ControlPlane | ExistingControlPlane, name: str = "stage") -> Iterator[Stage]:
    """A stage on a control plane that has our resources."""
    folder = bed.folder / name
    folder.mkdir()
    with Gate(account(plane), folder) as gate:
        api = Api(plane.kubeconfig, lasts=isinstance(plane, ExistingControlPlane))
        controller = Controller(bed, gate.kubeconfig, f"{name}-controller", FAULTY, {VARIABLE: f"@{folder / 'armed'}"})
        try:
            yield Stage(bed, plane, gate, api, folder, controller)
        finally:
            api.close()
            with suppress(ProcessLookupError):
                controller.stop()
