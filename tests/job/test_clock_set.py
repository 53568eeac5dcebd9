"""A machine's clock that is set an hour ahead or back while a controller runs there moves nothing that waits for a time of day."""

import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from bed.controlplane import ControlPlane
from bed.slurm import SlurmCluster
from bed.state import Bed
from product.account import account
from product.clocked import VARIABLE
from product.controller import Controller
from product.ledger import debts_of
from product.scene import Scene
from product.waiting import until

HOUR = 3600


@pytest.fixture
def scene(scene: Scene, own: SlurmCluster) -> Iterator[Scene]:
    """The link is up again when everything is deleted."""
    yield scene
    own.link_up()


@pytest.fixture
def clocked(bed: Bed, plane: ControlPlane, controller: Controller) -> Iterator[Callable[[Path], Controller]]:
    """Puts a controller whose time of day is off, by what a file says, in the place of the session's."""
    made: list[Controller] = []

    def start(offset: Path) -> Controller:
        controller.stop()
        one = Controller(bed, account(plane), f"clocked-{len(made)}", ("-m", "product.clocked", "controller"), {VARIABLE: str(offset)})
        made.append(one)
        return one.start()

    yield start
    for one in made:
        one.stop()
    controller.ensure()


@pytest.mark.parametrize("jump", [HOUR, -HOUR], ids=["ahead", "back"])
def test_neither_time_to_live_nor_deadline_nor_grace_goes_by_a_clock_that_is_set(
    own: SlurmCluster, scene: Scene, clocked: Callable[[Path], Controller], tmp_path: Path, jump: int,
) -> None:
    """Else finished Jobs go with their results, deletions are given up as debts, and scripts are killed in the middle of saving their
    work, since a machine's clock was put right; or nothing goes any more for an hour."""
    offset = tmp_path / "offset"
    offset.write_text("0")
    controller = clocked(offset)
    scene.cluster(own)
    kept, soon = scene.job("kept", ttlSecondsAfterFinished=HOUR // 2), scene.job("soon", ttlSecondsAfterFinished=8)
    saves = scene.job("saves", "#!/bin/sh\ntrap 'sleep 12; echo saved >~/saved; exit' TERM\ntouch ~/begun\nsleep 600 & wait\n",
                      deletionDeadlineSeconds=HOUR // 2, cancellationGracePeriodSeconds=60)
    for job in (soon, kept):             # the one first that goes by itself
        job.wait("Complete")
    until((own.home / "begun").exists, "the script to have begun")
    saves.delete(wait=False)
    time.sleep(1.0)
    offset.write_text(str(jump))
    until(lambda: "wall_clock_set" in controller.daemon.tail(400), "the controller to have seen it")
    soon.wait_gone(30)
    saves.wait_gone(40)
    assert (own.home / "saved").exists(), "it was killed in its grace"
    away = scene.job("away", "#!/bin/sh\nsleep 600\n", deletionDeadlineSeconds=HOUR // 2, cancellationGracePeriodSeconds=1)
    away.wait("Running")
    own.link_down()
    away.delete(wait=False)
    offset.write_text("0")               # and put right again
    time.sleep(5.0)
    assert away.read() is not None, "it was let go long before its deadline"
    assert debts_of(scene) == {}
    assert kept.read() is not None
    own.link_up()
    away.wait_gone(60)
