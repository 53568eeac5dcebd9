"""The bed for tests of the whole product: one control plane, controller and Slurm cluster for the session, a namespace for each test.

A test that breaks a cluster starts one of its own (under a second). A test that breaks the controller leaves it running again.
"""

import itertools
import os
import shutil
import signal
from collections.abc import Callable, Generator, Iterator
from functools import partial
from pathlib import Path
from typing import TypeVar

import pytest
import structlog
from xdist.scheduler import LoadScopeScheduling

from bed import proc, registry, surroundings
from bed.controlplane import ControlPlane
from bed.existing import ExistingControlPlane
from bed.login import LoginNode
from bed.slurm import SlurmCluster
from bed.slurmconf import SlurmConfig
from bed.sshd import SshHost
from bed.state import Bed, close_all
from bed.sweep import leftovers
from product import trial
from product.account import account, refused
from product.api import Api
from product.controller import Controller
from product.faulty import VARIABLE
from product.ownerkind import JOB, OwnerKind
from product.resources import install
from product.scene import Scene
from timing import share, split, workers
from timing.minutes import Minutes, read_seconds

LOG_CHARACTERS = 10_000

Plane = ControlPlane | ExistingControlPlane


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--use-existing", action="store_true", help="use the cluster that KUBECONFIG names")
    parser.addoption("--write-minutes", action="store_true", help="write into docs/development.md how long each folder took")
    parser.addoption("--long", action="store_true", help="all of what is repeated, instead of a share of it")
    parser.addoption("--seed", type=int, default=share.SEED, help="which share of what is repeated")
    parser.addoption("--kind", action="store_true", help="tests/e2e: in a kind cluster, which needs Docker")


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """What the controller said last, beside what failed."""
    report = yield
    controller = getattr(item, "funcargs", {}).get("controller")
    if report.failed and isinstance(controller, Controller) and controller.log.exists():
        report.sections.append(("controller's log", controller.log.read_text(encoding="utf-8")[-LOG_CHARACTERS:]))
    return report


@pytest.fixture(scope="session", autouse=True)
def _nothing_stays() -> Iterator[None]:
    """After everything else: no bed of this session is left on the machine, no process that it started, and nothing in a home."""
    homes = [path for path in (Path(surroundings.NO_HOME),) if not path.exists()]
    yield
    mine = os.getpid()
    left = [sentence for bed_id, owner in registry.owners().items() if owner and owner.pid == mine for sentence in leftovers(bed_id)]
    left += [f"process {pid} is still running: {proc.command(pid)}" for pid in proc.children(mine)]
    left += [f"{path} was made, by what writes into its user's home" for path in homes if path.exists()]
    assert left == [], "the tests left something on this machine"


@pytest.fixture(autouse=True)
def _own_log() -> Iterator[None]:
    """What a command that ran in this process has set up for its lines holds for no other test."""
    yield
    structlog.reset_defaults()


def pytest_configure(config: pytest.Config) -> None:
    elsewhere = ["KUBECONFIG", "FAIRLEAD_IMAGE"] if config.getoption("use_existing") else []
    surroundings.settle(*elsewhere, *(["KIND_IMAGE", "DOCKER_HOST"] if config.getoption("kind") else []))
    if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:   # as in the background of a shell: what tests interrupt would inherit it
        signal.signal(signal.SIGINT, signal.default_int_handler)
    if config.getoption("use_existing") and (config.getoption("numprocesses", None) or 0) > 1:
        raise pytest.UsageError("--use-existing: one cluster has one controller; write make test WORKERS=0")


@pytest.hookimpl(trylast=True)   # after pytest's own, which makes the reporter, and xdist's, which counts the workers
def pytest_sessionstart(session: pytest.Session) -> None:
    config = session.config
    reporter = config.pluginmanager.get_plugin("terminalreporter")
    if reporter is not None and not hasattr(config, "workerinput"):
        minutes = Minutes(reporter, workers=config.getoption("numprocesses", None) or 1, write=config.getoption("write_minutes"))
        config.pluginmanager.register(minutes, "fairlead-minutes")


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_auto_num_workers() -> int:
    """`--numprocesses auto`: as many as wait for each other least."""
    return workers.of_this_machine()


class Units(LoadScopeScheduling):
    """xdist's distribution, by our units and in the order in which the workers have put the tests."""

    def _split_scope(self, nodeid: str) -> str:
        return split.unit_of(nodeid)


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: object) -> Units | None:
    """`--dist loadfile`: by our units, in the order that the next hook gives them."""
    if config.getoption("dist") != "loadfile":
        return None
    config.option.loadscopereorder = False
    return Units(config, log)


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Of parameter sets that are long to try, a share. In a worker, the longest files first."""
    if not config.getoption("long"):
        _keep_share(config, items)
    if hasattr(config, "workerinput"):
        items[:] = split.longest_first([(item.nodeid, item) for item in items], read_seconds())


def _keep_share(config: pytest.Config, items: list[pytest.Item]) -> None:
    groups: dict[str, list[str]] = {}
    of: dict[str, int] = {}
    for item in items:
        mark = item.get_closest_marker("long")
        if mark is not None and "of" in mark.kwargs:
            group = f"{share.group(item.nodeid, mark.kwargs.get('one', ''))} of {mark.kwargs['of']}"
            groups.setdefault(group, []).append(item.nodeid)
            of[group] = mark.kwargs["of"]
    run = share.chosen(groups, of, config.getoption("seed"))
    left_out = {test for tests in groups.values() for test in tests} - run
    if left_out:
        config.hook.pytest_deselected(items=[item for item in items if item.nodeid in left_out])
        items[:] = [item for item in items if item.nodeid not in left_out]


@pytest.fixture(scope="session")
def rounds(request: pytest.FixtureRequest) -> Callable[[int], int]:
    """How often to repeat what `make test-long` repeats so often: `rounds(340)`."""
    return partial(share.rounds, long=request.config.getoption("long"))


def pytest_unconfigure() -> None:
    """After an interrupt in the midst of fixtures that end: pytest forgets those that were still to end."""
    close_all()


@pytest.fixture(scope="session")
def bed() -> Iterator[Bed]:
    """The session's bed: everything that is started in it ends with it, also when this process is killed."""
    with Bed.create("tests") as bed:
        yield bed


@pytest.fixture(scope="session")
def plane(bed: Bed, request: pytest.FixtureRequest) -> Plane:
    """A real control plane with our resources."""
    plane: Plane = ExistingControlPlane.from_environment(bed) if request.config.getoption("--use-existing") else ControlPlane.start(bed)
    install(plane)
    return plane


@pytest.fixture
def kind(request: pytest.FixtureRequest) -> OwnerKind:
    """Whose Runs a test is about: Jobs, if it is not parametrized by others."""
    kind: OwnerKind = getattr(request, "param", JOB)
    return kind


@pytest.fixture(scope="session")
def _controllers(bed: Bed, plane: Plane) -> Iterator[dict[OwnerKind, Controller]]:
    controllers = {JOB: Controller(bed, account(plane))}
    yield controllers
    for each in controllers.values():
        each.stop()
    if isinstance(plane, ControlPlane):
        assert refused(plane) == [], "the controller asks for what its rights do not give"


@pytest.fixture
def controller(bed: Bed, plane: Plane, kind: OwnerKind, _controllers: dict[OwnerKind, Controller]) -> Controller:
    """The controller, running and leading, whatever the test before did to it; for another kind than Job, the one that sees to it, too."""
    if kind not in _controllers:
        if kind.is_product:
            _controllers[kind] = _controllers[JOB]
        else:
            trial.install(plane)
            _controllers[kind] = Controller(bed, account(plane), f"controller-of-{kind.plural}", kind.program)
    for each in _controllers.values():
        if each is not _controllers[kind]:
            each.stop()
    return _controllers[kind].ensure()


@pytest.fixture(scope="session")
def api(plane: Plane) -> Iterator[Api]:
    """The API server as a test asks it."""
    api = Api(plane.kubeconfig, lasts=isinstance(plane, ExistingControlPlane))
    yield api
    api.close()


@pytest.fixture
def scene(api: Api, controller: Controller, kind: OwnerKind, slurm: Callable[..., SlurmCluster]) -> Iterator[Scene]:
    """A namespace for this test. At the end, while the test's clusters live, everything in it is deleted, and nothing may be left."""
    scene = Scene(api, kind=kind).open()
    yield scene
    for node in itertools.chain(*scene.nodes.values()):
        node.mend()
    controller.ensure()
    scene.close()


Node = TypeVar("Node", bound=LoginNode)


def emptied(node: Node) -> Node:
    """Without the files that the scripts of the tests before have written into their user's home."""
    for entry in node.home.iterdir():
        if entry.is_dir() and not entry.is_symlink() and not entry.name.startswith("."):
            shutil.rmtree(entry)
        elif not entry.name.startswith("."):
            entry.unlink()
    return node


@pytest.fixture(scope="session")
def _hpc(bed: Bed) -> SlurmCluster:
    return SlurmCluster.start(bed)


@pytest.fixture
def hpc(_hpc: SlurmCluster) -> SlurmCluster:
    """A Slurm cluster for tests that break nothing."""
    return emptied(_hpc)


@pytest.fixture
def slurm(bed: Bed) -> Iterator[Callable[..., SlurmCluster]]:
    """Starts clusters that a test may break: `slurm("24.11", min_job_age_seconds=2)`. They end with the test."""
    started: list[SlurmCluster] = []

    def start(release: str = "24.11", **config: object) -> SlurmCluster:
        started.append(SlurmCluster.start(bed, release, config=SlurmConfig(**config)))
        return started[-1]

    yield start
    for cluster in started:
        cluster.stop()


@pytest.fixture
def own(slurm: Callable[..., SlurmCluster]) -> SlurmCluster:
    """A cluster that the test may break: it goes with the test. Name it before `scene`, so that it outlives the scene."""
    return slurm()


@pytest.fixture(scope="session")
def _bare(bed: Bed) -> SshHost:
    return SshHost.start(bed)


@pytest.fixture
def bare(_bare: SshHost) -> SshHost:
    """A host with sshd and without Slurm, for tests that break nothing."""
    return emptied(_bare)


@pytest.fixture
def host(bed: Bed) -> Iterator[SshHost]:
    """A host that the test may break. Name it before `scene`."""
    host = SshHost.start(bed)
    yield host
    host.stop()


@pytest.fixture
def faulty(bed: Bed, controller: Controller, kind: OwnerKind, plane: Plane) -> Iterator[Callable[[str], Controller]]:
    """Puts a controller with a fault in the place of the session's: `faulty("remote.submit:after:1:kill")`."""
    made: list[Controller] = []

    def start(fault: str, *, wait: bool = True) -> Controller:
        controller.stop()
        one = Controller(bed, account(plane), f"faulty-{len(made)}", kind.faulty, {VARIABLE: kind.fault(fault)})
        made.append(one)
        return one.start(wait=wait)

    yield start
    for one in made:
        one.stop()
    controller.ensure()
