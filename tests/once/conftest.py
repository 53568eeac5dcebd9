"""A controller of one's own with a fault in it, and a ledger that the Jobs themselves keep on the cluster."""

from collections.abc import Callable, Iterator

import pytest

from bed.slurm import SlurmCluster
from bed.state import Bed
from product.controller import Controller
from product.faulty import VARIABLE

LEDGER = "starts.txt"
SCRIPT = f"#!/bin/sh\necho \"$SLURM_JOB_NAME $SLURM_JOB_ID\" >> ~/{LEDGER}\nsleep {{seconds}}\n"


def script(seconds: float = 0) -> str:
    """A user's script that writes each of its starts into the ledger."""
    return SCRIPT.format(seconds=seconds)


def starts(cluster: SlurmCluster, uid: str) -> list[str]:
    """The ledger's lines about one Job: one for each time that its script was started."""
    path = cluster.home / LEDGER
    return [line for line in path.read_text(encoding="utf-8").splitlines() if uid in line] if path.exists() else []


@pytest.fixture
def faulty(bed: Bed, controller: Controller, plane) -> Iterator[Callable[[str], Controller]]:
    """Puts a controller with a fault in the place of the session's: `faulty("remote.submit:after:1:kill")`."""
    made: list[Controller] = []

    def start(fault: str, *, wait: bool = True) -> Controller:
        controller.stop()
        one = Controller(bed, plane.kubeconfig, f"faulty-{len(made)}", ("-m", "product.faulty", "controller"), {VARIABLE: fault})
        made.append(one)
        return one.start(wait=wait)

    yield start
    for one in made:
        one.stop()
    controller.ensure()
