"""A real API server with our resources, and a namespace for each test."""

import asyncio
import json
import subprocess
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass, field
from typing import Any
from uuid import uuid4

import pytest

from bed.controlplane import ControlPlane
from bed.state import Bed
from fairlead.app.kinds import KINDS
from fairlead.domain.objects import ObjectRef
from fairlead.kube.client import KubeClient
from fairlead.kube.events import EventRecorder
from fairlead.kube.store import KubeStore
from product.resources import install
from product.waiting import until


@pytest.fixture(scope="session")
def control_plane(bed: Bed) -> Iterator[ControlPlane]:
    """One of our own: on the session's a controller is at work, which takes up each Job it sees."""
    plane = ControlPlane.start(bed)
    install(plane)
    yield plane
    plane.stop()


@dataclass
class Sandbox:
    """A namespace, and what a person would do in it with kubectl."""

    plane: ControlPlane
    namespace: str
    made: list[str] = field(default_factory=list)

    def kubectl(self, *args: str, text: str | None = None, check: bool = True) -> "subprocess.CompletedProcess[str]":
        return self.plane.kubectl("-n", self.namespace, *args, input=text, check=check)

    def job(self, name: str = "hello", **metadata: Any) -> ObjectRef:
        spec = {"clusterRef": {"name": "hpc"}, "command": ["true"]}
        manifest = {"apiVersion": "fairlead.dev/v1alpha1", "kind": "Job", "metadata": {"name": name, **metadata}, "spec": spec}
        made = self.kubectl("create", "-f", "-", "-o", "jsonpath={.metadata.uid}", text=json.dumps(manifest))
        self.made.append(name)
        return ObjectRef("jobs", self.namespace, name, made.stdout)

    def patch(self, ref: ObjectRef, **metadata: Any) -> None:
        self.kubectl("patch", "jobs.fairlead.dev", ref.name, "--type=merge", "-p", json.dumps({"metadata": metadata}))

    def read(self, ref: ObjectRef) -> dict[str, Any]:
        found: dict[str, Any] = json.loads(self.kubectl("get", "jobs.fairlead.dev", ref.name, "-o", "json").stdout)
        return found

    def requests(self) -> list[tuple[str, int]]:
        """What Fairlead's client asked for in this namespace: verb and status, in the order in which it was answered.

        The log has a request a moment after its answer: a look of ours behind it is in it no sooner.
        """
        mark = f"behind-{uuid4().hex}"
        self.kubectl("get", "configmap", mark, check=False)
        until(lambda: any(event.get("objectRef", {}).get("name") == mark for event in self.plane.audit()), "the audit log to be written")
        answered = [event for event in self.plane.audit() if event.get("userAgent") == "fairlead"]
        here = [event for event in answered if event.get("objectRef", {}).get("namespace") == self.namespace]
        return [(event["verb"], event["responseStatus"]["code"]) for event in here]

    def delete(self, ref: ObjectRef) -> None:
        self.kubectl("delete", "jobs.fairlead.dev", ref.name, "--wait=false")


@pytest.fixture
def sandbox(control_plane: ControlPlane) -> Iterator[Sandbox]:
    here = Sandbox(control_plane, f"test-{uuid4().hex[:8]}")
    control_plane.kubectl("create", "namespace", here.namespace)
    yield here
    for name in here.made:
        here.kubectl("patch", "jobs.fairlead.dev", name, "--type=merge", "-p", '{"metadata":{"finalizers":null}}', check=False)
    control_plane.kubectl("delete", "namespace", here.namespace, "--wait=false")


@pytest.fixture
async def client(control_plane: ControlPlane) -> AsyncIterator[KubeClient]:
    async with KubeClient.load(str(control_plane.kubeconfig)) as client:
        yield client
    await asyncio.sleep(0)  # let the transports of closed TLS connections go


@pytest.fixture
def store(client: KubeClient) -> KubeStore:
    return KubeStore(client, EventRecorder(client, KINDS, "test-host"))
