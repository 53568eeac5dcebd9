"""What a user would lose with two leaders: two controllers that submit, cancel and remove at once."""

import asyncio
import json
import os
import signal
import sys
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from fairlead.domain.errors import Unavailable
from fairlead.engine.clock import SystemClock
from fairlead.kube.client import JSON, MERGE_PATCH, KubeClient
from fairlead.kube.lease import Lease, LeaseSettings

from .conftest import Sandbox

DURATION_SECONDS = 2


class TurnedClock(SystemClock):
    """Real time, which a test can turn on."""

    def __init__(self) -> None:
        self.slept_seconds = 0.0
        self.set_seconds = 0.0

    def monotonic(self) -> float:
        return super().monotonic() + self.slept_seconds

    def wall(self) -> float:
        return super().wall() + self.set_seconds


Contender = Callable[..., Lease]


@pytest.fixture
async def contend(client: KubeClient, sandbox: Sandbox) -> AsyncIterator[Contender]:
    leases: list[Lease] = []

    def make(clock: SystemClock | None = None, duration_seconds: int = DURATION_SECONDS) -> Lease:
        settings = LeaseSettings(sandbox.namespace, "leader", duration_seconds, 0.5, 0.5)
        leases.append(Lease(client, settings, clock or SystemClock()))
        return leases[-1]

    yield make
    for lease in leases:
        await lease.release()


def spec(sandbox: Sandbox) -> dict[str, object]:
    found: dict[str, object] = json.loads(sandbox.kubectl("get", "lease", "leader", "-o", "json").stdout)["spec"]
    return found


async def until(happened: Callable[[], bool]) -> None:
    while not happened():  # noqa: ASYNC110  a Lease wakes nobody
        await asyncio.sleep(0.1)


async def test_of_many_contenders_one_leads(contend: Contender, sandbox: Sandbox) -> None:
    leases = [contend(duration_seconds=30) for _ in range(5)]
    waiting = {asyncio.create_task(lease.acquire()) for lease in leases}
    _, waiting = await asyncio.wait(waiting, return_when=asyncio.FIRST_COMPLETED)
    [leader] = [lease for lease in leases if lease.leads()]
    assert spec(sandbox)["holderIdentity"] == leader.identity
    for task in waiting:
        task.cancel()
    assert len(waiting) == 4


async def test_a_released_lease_is_taken_by_the_next(contend: Contender, sandbox: Sandbox) -> None:
    first, second = contend(duration_seconds=60), contend(duration_seconds=60)
    await first.acquire()
    waiting = asyncio.create_task(second.acquire())
    await first.release()
    await waiting
    assert (first.leads(), second.leads()) == (False, True)
    assert spec(sandbox)["leaseTransitions"] == 1


async def test_a_lease_is_renewed_while_its_holder_lives(contend: Contender, sandbox: Sandbox) -> None:
    lease = contend(duration_seconds=30)
    await lease.acquire()
    renewed = spec(sandbox)["renewTime"]
    await until(lambda: spec(sandbox)["renewTime"] != renewed)
    assert lease.leads()
    assert spec(sandbox)["leaseTransitions"] == 0


@pytest.mark.parametrize("jump", [{"slept_seconds": 31.0}, {"set_seconds": 31.0}], ids=["the machine slept", "the wall clock jumped"])
async def test_a_leader_whose_time_jumped_waits_and_leads_on_if_nobody_led_meanwhile(contend: Contender, jump: dict[str, float]) -> None:
    clock = TurnedClock()
    lease = contend(clock, duration_seconds=30)
    await lease.acquire()
    assert lease.leads()
    for name, seconds in jump.items():
        setattr(clock, name, seconds)
    assert not lease.leads()
    await until(lease.leads)


async def test_a_leader_that_slept_while_another_took_over_has_lost(contend: Contender, client: KubeClient, sandbox: Sandbox) -> None:
    lease = contend(duration_seconds=30)
    await lease.acquire()
    path = f"/apis/coordination.k8s.io/v1/namespaces/{sandbox.namespace}/leases/leader"
    await client.request("PATCH", path, body={"spec": {"holderIdentity": "somebody-else"}}, content_type=MERGE_PATCH)
    await lease.lost()
    assert not lease.leads()
    await lease.release()
    assert spec(sandbox)["holderIdentity"] == "somebody-else", "a Lease that is not ours is not released"


async def test_a_deleted_lease_is_lost(contend: Contender, client: KubeClient, sandbox: Sandbox) -> None:
    lease = contend(duration_seconds=30)
    await lease.acquire()
    await client.request("DELETE", f"/apis/coordination.k8s.io/v1/namespaces/{sandbox.namespace}/leases/leader")
    await lease.lost()
    assert not lease.leads()


async def test_a_foreign_edit_of_our_lease_costs_nothing(contend: Contender, client: KubeClient, sandbox: Sandbox) -> None:
    lease = contend(duration_seconds=30)
    await lease.acquire()
    path = f"/apis/coordination.k8s.io/v1/namespaces/{sandbox.namespace}/leases/leader"
    await client.request("PATCH", path, body={"metadata": {"labels": {"team": "physics"}}}, content_type=MERGE_PATCH)
    edited = spec(sandbox)["renewTime"]
    await until(lambda: spec(sandbox)["renewTime"] != edited)
    assert lease.leads()


async def test_anothers_lease_is_timed_by_our_clock_not_by_its_timestamps(contend: Contender, client: KubeClient, sandbox: Sandbox) -> None:
    long_ago = {"holderIdentity": "clock-of-1999", "leaseDurationSeconds": 3600, "renewTime": "1999-01-01T00:00:00.000000Z"}
    lease = {"apiVersion": "coordination.k8s.io/v1", "kind": "Lease", "metadata": {"name": "leader"}, "spec": long_ago}
    await client.request("POST", f"/apis/coordination.k8s.io/v1/namespaces/{sandbox.namespace}/leases", body=lease, content_type=JSON)
    clock = TurnedClock()
    waiting = asyncio.create_task(contend(clock).acquire())
    await asyncio.wait([waiting], timeout=1)
    assert not waiting.done(), "its holder may be alive, with a wrong clock"
    clock.slept_seconds = 3601.0
    await waiting
    assert spec(sandbox)["leaseTransitions"] == 1


async def test_a_missing_namespace_is_said_not_looped_over(client: KubeClient) -> None:
    lease = Lease(client, LeaseSettings("no-such-namespace"), SystemClock())
    with pytest.raises(Unavailable, match="namespace no-such-namespace"):
        await lease._try_to_take()


@asynccontextmanager
async def contender(sandbox: Sandbox) -> AsyncIterator[asyncio.subprocess.Process]:
    program = Path(__file__).with_name("contender.py")
    argv = [sys.executable, str(program), str(sandbox.plane.kubeconfig), sandbox.namespace, str(DURATION_SECONDS)]
    environment = {**os.environ, **sandbox.plane.bed.env, "PYTHONPATH": os.pathsep.join(path for path in sys.path if path)}
    process = await asyncio.create_subprocess_exec(*argv, stdout=asyncio.subprocess.PIPE, env=environment)
    try:
        yield process
    finally:
        if process.returncode is None:
            process.kill()
        await process.communicate()


async def until_it_leads(process: asyncio.subprocess.Process) -> None:
    assert process.stdout is not None
    line = await process.stdout.readline()
    assert line.endswith(b"True\n"), "it began to lead"


async def test_a_killed_leader_is_followed_when_its_lease_has_run_out(contend: Contender, sandbox: Sandbox) -> None:
    async with contender(sandbox) as leader:
        await until_it_leads(leader)
        leader.kill()
        second = contend()
        await second.acquire()
        assert second.leads()
        assert spec(sandbox)["holderIdentity"] == second.identity


async def test_a_stopped_leader_sees_before_it_acts_that_another_leads(contend: Contender, sandbox: Sandbox) -> None:
    clock = SystemClock()
    async with contender(sandbox) as leader:
        await until_it_leads(leader)
        leader.send_signal(signal.SIGSTOP)
        await contend().acquire()
        taken = clock.monotonic()
        leader.send_signal(signal.SIGCONT)
        output, _ = await leader.communicate()
        lines = [line.split() for line in output.decode().splitlines()]
        assert lines[-1][1] == "lost"
        assert [line for line in lines if float(line[0]) >= taken and line[1] == "True"] == []
