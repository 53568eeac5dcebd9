"""Without these a test with hundreds of hosts proves nothing: each stand-in must answer like a host of its own, and hang like one."""

import asyncio
from collections.abc import Iterator
from contextlib import AbstractAsyncContextManager

import asyncssh
import pytest

from bed.standin import StandIn, StandInHost
from bed.state import Bed
from bed_tests.waiting import until

COUNT = 100


@pytest.fixture(scope="module")
def standin(bed: Bed) -> Iterator[StandIn]:
    standin = StandIn.start(bed, COUNT)
    yield standin
    standin.stop()


def connect(host: StandInHost, seconds: float = 120) -> AbstractAsyncContextManager[asyncssh.SSHClientConnection]:
    return asyncssh.connect(
        host.host, host.port, username=host.user, client_keys=[asyncssh.import_private_key(host.private_key)],
        known_hosts=asyncssh.import_known_hosts(host.known_hosts), config=None, login_timeout=seconds, connect_timeout=seconds)


async def run(host: StandInHost, command: str, given: str = "") -> asyncssh.SSHCompletedProcess:
    async with connect(host) as connection:
        return await connection.run(command, input=given)


async def test_a_hundred_hosts_answer_each_from_its_own_home(standin: StandIn) -> None:
    answers = await asyncio.gather(*(run(host, "echo here > mark; pwd") for host in standin.hosts))
    assert [str(answer.stdout).strip() for answer in answers] == [str(host.home) for host in standin.hosts]
    assert len({(host.port, host.known_hosts) for host in standin.hosts}) == COUNT
    assert all((host.home / "mark").read_text() == "here\n" for host in standin.hosts)


async def test_input_output_and_exit_code_are_those_of_a_real_shell(standin: StandIn) -> None:
    answer = await run(standin.hosts[0], "cat; echo oops >&2; head -c 300000 /dev/zero | tr '\\0' x; exit 3", "fed\n")
    assert (answer.stdout, answer.stderr, answer.exit_status) == ("fed\n" + "x" * 300000, "oops\n", 3)


async def test_a_signal_is_told_as_a_signal(standin: StandIn) -> None:
    answer = await run(standin.hosts[0], "kill -KILL $$")
    assert answer.exit_signal is not None
    assert answer.exit_signal[0] == "KILL"


async def test_commands_run_without_the_rights_of_root(standin: StandIn) -> None:
    answer = await run(standin.hosts[0], "id -u; cat /etc/shadow")
    assert answer.stdout == "61000\n"
    assert answer.exit_status != 0


async def test_another_key_is_refused(standin: StandIn) -> None:
    host = standin.hosts[1]
    with pytest.raises(asyncssh.PermissionDenied):
        async with asyncssh.connect(host.host, host.port, username=host.user, known_hosts=None, config=None, agent_path=None,
                                    client_keys=[asyncssh.generate_private_key("ssh-ed25519")]):
            pass


async def test_a_hung_host_takes_connections_and_answers_nobody_while_its_neighbours_do(standin: StandIn) -> None:
    hung, neighbour = standin.hosts[2], standin.hosts[3]
    async with connect(hung) as opened_before:
        standin.hang(2)
        try:
            with pytest.raises((TimeoutError, asyncssh.ConnectionLost)):
                async with connect(hung, seconds=0.5):
                    pass
            with pytest.raises(TimeoutError):
                await asyncio.wait_for(opened_before.run("true"), 0.5)
            assert (await run(neighbour, "echo fine")).stdout == "fine\n"
        finally:
            standin.unhang(2)
    assert (await run(hung, "echo back")).stdout == "back\n"


async def test_a_program_can_answer_for_all_commands(bed: Bed) -> None:
    standin = StandIn.start(bed, 2, program='echo "asked: $SSH_ORIGINAL_COMMAND"')
    assert (await run(standin.hosts[1], "squeue --me")).stdout == "asked: squeue --me\n"
    standin.stop()


async def test_nothing_is_left_of_a_bed_with_stand_ins(bed: Bed) -> None:
    with Bed.create("stand-ins that end with work on them") as other:
        standin = StandIn.start(other, 3)
        await run(standin.hosts[0], "setsid nohup sleep 300 >/dev/null 2>&1 </dev/null &")
        assert standin.daemon.alive
    assert other.leftovers() == []
    until(lambda: not standin.daemon.alive, "the end of the process")
