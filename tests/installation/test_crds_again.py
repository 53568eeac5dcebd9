"""The definitions of our resources are taken away under a controller that leads, and come back."""

import time
from collections.abc import Iterator

import pytest

from bed.controlplane import ControlPlane
from bed.slurm import SlurmCluster
from bed.state import Bed
from product.account import account
from product.api import Api
from product.controller import Controller
from product.resources import install
from product.scene import Scene
from product.waiting import until

OF_A_WATCH_SECONDS = 11.0            # kopf would kill the process ten seconds after its watch has ended


@pytest.fixture
def leading(bed: Bed, quiet_plane: ControlPlane, quiet_api: Api) -> Iterator[Controller]:
    """A controller in a namespace of its own, which works everywhere."""
    own = Scene(quiet_api).open().namespace
    controller = Controller(bed, account(quiet_plane, namespace=own), own)
    controller.namespace = own
    yield controller.start()
    controller.stop()


def test_definitions_that_come_back_are_watched_again_by_the_same_process(
        own: SlurmCluster, leading: Controller, quiet_plane: ControlPlane, quiet_api: Api) -> None:
    """Else who installs the CRDs anew has the controller ended by SIGKILL some seconds later, in the midst of whatever it does."""
    pid, scene = leading.daemon.pid, Scene(quiet_api).open()
    scene.cluster(own)
    job = scene.job("runs", "#!/bin/sh\nexec sleep 600\n", cancellationGracePeriodSeconds=1)
    job.wait("Running")
    quiet_plane.kubectl("delete", "crd", "jobs.fairlead.dev", "clusters.fairlead.dev")
    assert own.jobs_active() == []
    until(lambda: '"watch_waits"' in leading.log.read_text(encoding="utf-8"), "a word on what the controller waits for", 60)
    since = time.monotonic()
    install(quiet_plane)
    scene.cluster(own)
    scene.job("again").wait("Complete")
    time.sleep(max(0.0, since + OF_A_WATCH_SECONDS - time.monotonic()))
    assert (leading.daemon.alive, leading.daemon.pid) == (True, pid)
    assert leading.leads()
    scene.close()
