"""One place and one installation for the session, two Slurm clusters and a bare host that its pods reach; at the end nothing is left."""

import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Final

import pytest

from bed.errors import BedError
from bed.login import LoginNode
from bed.slurm import SlurmCluster, start_many
from bed.sshd import SshHost
from bed.state import Bed
from e2e.installation import Installation
from e2e.place import Place, existing, in_kind, on_node
from e2e.use import Cluster
from product.api import Api
from product.remains import remains_on
from product.scene import Scene, Thing

MEASURED: Final = pytest.StashKey[dict[str, str]]()


@pytest.fixture(scope="package")
def place(bed: Bed, pytestconfig: pytest.Config) -> Iterator[Place]:
    """The bed's node; with --kind a kind cluster, with --use-existing the one that KUBECONFIG names."""
    where = in_kind if pytestconfig.getoption("kind") else existing if pytestconfig.getoption("use_existing") else on_node
    with where(bed) as place:
        yield place


@pytest.fixture(scope="package")
def logins(bed: Bed, place: Place) -> list[SlurmCluster]:
    """Two Slurm clusters, each in namespaces of its own."""
    clusters = start_many(bed, 2)
    for cluster in clusters:
        place.reach(cluster)
    return clusters


@pytest.fixture(scope="package")
def box(bed: Bed, place: Place) -> SshHost:
    """A host without a scheduler."""
    host = SshHost.start(bed)
    place.reach(host)
    return host


@pytest.fixture(scope="package")
def measured(pytestconfig: pytest.Config) -> dict[str, str]:
    """What is measured on the way, and printed at the end."""
    return pytestconfig.stash.setdefault(MEASURED, {})


@pytest.fixture(scope="module")
def installed(place: Place, logins: list[SlurmCluster], box: SshHost, measured: dict[str, str]) -> Iterator[Installation]:
    """The chart, installed. After the module's tests it is uninstalled, and nothing of it is in the cluster or on the hosts.

    A module that installs something else has its own fixture of this name: there is one installation at a time.
    """
    with while_installed(Installation.named(place), (*logins, box), measured) as installation:
        yield installation


@contextmanager
def while_installed(installation: Installation, hosts: Sequence[LoginNode], measured: dict[str, str]) -> Iterator[Installation]:
    """Installs it, and at the end uninstalls it and proves that nothing is left."""
    began = time.monotonic()
    try:
        installation.install()
    except BedError as error:
        raise AssertionError(f"{error}\n{_seen(installation)}") from error
    measured["helm install until both replicas are ready"] = f"{time.monotonic() - began:.1f} s"
    yield installation
    installation.uninstall()
    left = installation.left()
    installation.place.kubectl("delete", "namespace", installation.namespace)
    installation.remove_definitions()
    left += [f"{host.name}: {each}" for host in hosts for each in remains_on(host, connected=False)]
    assert left == [], "an uninstall left something"


@pytest.fixture
def scene(place: Place, installed: Installation) -> Iterator[Scene]:
    """A namespace for this test; at its end all in it goes, and its deletion is waited for."""
    api = Api(place.kubeconfig)
    scene = Scene(api).open()
    yield scene
    try:
        scene.close()
    except AssertionError as error:
        raise AssertionError(f"{error}\n{installed.logs()}") from error
    finally:
        api.close()


@pytest.fixture
def cluster(place: Place, scene: Scene) -> Cluster:
    """A Cluster for a login node, at the address that pods reach."""
    def made(host: LoginNode, name: str = "hpc") -> Thing:
        there = place.reach(host)
        return scene.cluster(host, name, endpoints=[{"host": there.host, "port": there.port}], hostKeys={"knownHosts": there.known_hosts})

    return made


def _seen(installation: Installation) -> str:
    """Why pods do not run."""
    said = [installation.place.kubectl("--namespace", installation.namespace, *words, check=False).stdout
            for words in (("get", "pods,events"), ("logs", "--selector=app.kubernetes.io/name=fairlead", "--prefix", "--tail=30"))]
    return "\n".join(said)


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter, config: pytest.Config) -> None:
    """The measures."""
    for what, value in config.stash.get(MEASURED, {}).items():
        terminalreporter.write_line(f"measured: {what}: {value}")
