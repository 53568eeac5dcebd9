"""Real sshds in namespaces of their own. After each test the machine itself is asked whether anything of it is left."""

import asyncio
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator

import pytest

from bed.sshd import SshHost
from bed.state import Bed
from fairlead.ssh.remote import SshRemote

LEFT_SECONDS = 30.0


@pytest.fixture(scope="session")
def bed() -> Iterator[Bed]:
    with Bed.create("tests of the SSH connections") as bed:
        yield bed


@pytest.fixture(scope="session")
def shared_host(bed: Bed) -> Iterator[SshHost]:
    host = SshHost.start(bed)
    yield host
    host.stop()


@pytest.fixture
def host(shared_host: SshHost) -> Iterator[SshHost]:
    """A host that many tests use, in the state that it had before."""
    keys = (shared_host.folder / "ssh/authorized_keys").read_text()
    yield shared_host
    shared_host.write("ssh/authorized_keys", keys)
    _require_nothing_left(shared_host)


@pytest.fixture
def own_host(bed: Bed) -> Iterator[SshHost]:
    """A host that the test may break."""
    host = SshHost.start(bed)
    yield host
    host.stop()


@pytest.fixture
async def remote(host: SshHost) -> AsyncIterator[SshRemote]:   # closed before the host is looked at
    async with SshRemote() as remote:
        yield remote
        await remote.close()
        left = asyncio.all_tasks() - {asyncio.current_task()}
        assert not left, f"tasks that outlive the remote: {left}"


@pytest.fixture
def eventually() -> Callable[[Callable[[], bool]], Awaitable[None]]:
    """Waits until something that the kernel or another process does has happened; fails after half a minute."""
    async def wait(happened: Callable[[], bool]) -> None:
        async with asyncio.timeout(LEFT_SECONDS):
            while not happened():   # noqa: ASYNC110  # another process has no event of ours to set
                await asyncio.sleep(0.02)
    return wait


def _require_nothing_left(host: SshHost) -> None:
    deadline = time.monotonic() + LEFT_SECONDS
    while (left := host.user_pids()) or host.connections():
        assert time.monotonic() < deadline, f"left on the host: processes {left}, {host.connections()} connections"
        time.sleep(0.02)
