"""Helm, and a control plane of one's own: what a chart installs is cluster-wide."""

from collections.abc import Iterator

import pytest

from bed import helm as bed_helm
from bed import monitoring
from bed.controlplane import ControlPlane
from bed.state import Bed
from chart.helm import Helm
from chart.rendering import NAMESPACE


@pytest.fixture(scope="session")
def helm(bed: Bed, tmp_path_factory: pytest.TempPathFactory) -> Helm:
    """Helm without a cluster."""
    return Helm(bed_helm.ensure(bed), tmp_path_factory.mktemp("helm"))


@pytest.fixture(scope="session")
def plane(bed: Bed) -> Iterator[ControlPlane]:
    """One with Prometheus Operator's kinds and the namespaces of the value files; in the release's own Pod Security is `restricted`."""
    plane = ControlPlane.start(bed)
    for name in (NAMESPACE, "physics", "biology"):
        plane.kubectl("create", "namespace", name)
    plane.kubectl("label", "namespace", NAMESPACE, "pod-security.kubernetes.io/enforce=restricted")
    plane.kubectl("create", "--filename", str(monitoring.definitions()))
    yield plane
    plane.stop()
