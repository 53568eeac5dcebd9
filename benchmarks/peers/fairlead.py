"""Fairlead itself: its controller with the settings of production, an API server, and Jobs that are applied to it."""

import time

from bed.controlplane import ControlPlane
from bed.slurm import SlurmCluster
from bed.state import Bed
from benchmarks.controller import ProductionController
from benchmarks.jobs_seen import JobsSeen
from benchmarks.peers.peer import Seen
from product.account import account
from product.api import Api
from product.resources import install
from product.scene import Scene, Thing

_GONE_SECONDS = 120.0


class Fairlead:
    """A Cluster with the defaults of its definition, and one Job for each tag."""

    def __init__(self, bed: Bed, cluster: SlurmCluster) -> None:
        plane = ControlPlane.start(bed)
        install(plane)
        self._controller = ProductionController(bed, account(plane))
        self._controller.start()
        self._api = Api(plane.kubeconfig)
        self._scene = Scene(self._api).open()
        self._scene.cluster(cluster, polling={}, connection={})
        self._watch = JobsSeen(plane.kubeconfig, self._scene.namespace).__enter__()
        self._asked: dict[str, float] = {}
        self._jobs: dict[str, Thing] = {}

    def begin(self, tag: str, script: str) -> None:
        self._asked[tag] = time.time()
        self._jobs[tag] = self._scene.job(tag, script, memory="100Mi", timeLimit="15m")

    def seen(self, tag: str) -> Seen:
        found = self._watch.jobs.get(tag)
        seen = Seen(asked=self._asked[tag])
        if found is not None:
            seen.submitted, seen.ended, seen.good, seen.says = found.submitted, found.ended, found.phase == "Complete", found.phase
        return seen

    def kill(self) -> None:
        """The controller; the API server lives on, as any client's server does."""
        self._controller.daemon.kill()

    def again(self, tag: str) -> None:
        """What runs the controller starts it again."""
        self._controller.start(wait=False)

    def remove_all(self) -> int:
        """Delete all its Jobs, and wait until their objects are gone; how many there were. Raises `BedError` when one stays."""
        for job in self._jobs.values():
            job.delete(wait=False)
        self._watch.until("gone", list(self._jobs), lambda seen: seen.gone, _GONE_SECONDS)
        return len(self._jobs)

    def close(self) -> None:
        self._watch.__exit__(None, None, None)
        self._api.close()
        self._controller.stop()
