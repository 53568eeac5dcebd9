"""A real API server with Fairlead's resources, for tests that send it manifests."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass

import pytest

from bed.controlplane import ControlPlane
from bed.state import Bed
from product.resources import install

NAMESPACE = "fairlead-api-tests"


def resource(manifest: dict) -> str:
    """Name the resource in full: `job` alone is Kubernetes' own Job."""
    return f"{manifest['kind'].lower()}s.fairlead.dev"


@dataclass(frozen=True, slots=True)
class Kubectl:
    """The kubectl of a user, in a namespace made for the tests."""

    control_plane: ControlPlane

    def __call__(self, *argv: str, manifest: dict | None = None, check: bool = False) -> subprocess.CompletedProcess[str]:
        """Run kubectl; a manifest goes in by stdin, for `-f -`."""
        text = None if manifest is None else json.dumps(manifest)
        return self.control_plane.kubectl("--namespace", NAMESPACE, *argv, input=text, check=check)

    def offer(self, manifest: dict) -> subprocess.CompletedProcess[str]:
        """Ask the API server what it would say to this manifest; nothing is kept."""
        return self("create", "--dry-run=server", "--output=json", "--filename=-", manifest=manifest)

    def read(self, manifest: dict) -> dict:
        """Read the object that a manifest made."""
        return json.loads(self("get", resource(manifest), manifest["metadata"]["name"], "--output=json", check=True).stdout)


@pytest.fixture(scope="session")
def control_plane() -> Iterator[ControlPlane]:
    """An API server with our CRDs, established."""
    bed = Bed.create("tests of manifests")
    try:
        started = ControlPlane.start(bed)
        install(started)
        yield started
    finally:
        bed.close()


@pytest.fixture(scope="session")
def kubectl(control_plane: ControlPlane) -> Iterator[Kubectl]:
    """The kubectl of a user, in a namespace that is gone after the tests."""
    control_plane.kubectl("create", "namespace", NAMESPACE)
    yield Kubectl(control_plane)
    control_plane.kubectl("delete", "namespace", NAMESPACE, "--timeout=60s")


@pytest.fixture
def keep(kubectl: Kubectl) -> Iterator:
    """Create objects for the length of one test."""
    made: set[str] = set()

    def create(manifest: dict) -> dict:
        kubectl("apply", "--server-side", "--filename=-", manifest=manifest, check=True)
        made.add(f"{resource(manifest)}/{manifest['metadata']['name']}")
        return kubectl.read(manifest)

    yield create
    if made:
        kubectl("delete", "--ignore-not-found", *made, check=True)
