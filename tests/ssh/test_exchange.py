"""Exchanges with a real sshd: what goes in comes out, and whatever is not a whole answer is said to be none."""

import asyncio
from contextlib import suppress

import pytest
from ssh_addresses import address_of, running, script

from fairlead.api.v1alpha1.reasons import ClusterReason
from fairlead.domain.errors import Unanswered


async def test_a_script_of_one_megabyte_arrives_byte_for_byte(host, remote):
    payload = bytes(range(256)) * 4096
    assert await remote.exchange(address_of(host), script("cat", payload)) == payload


async def test_output_streams_back_while_input_is_still_written_so_neither_side_waits_for_ever(host, remote):
    payload = b"x" * (8 << 20)
    assert len(await remote.exchange(address_of(host), script("cat; cat", payload, max_output_bytes=9 << 20))) == len(payload)


async def test_a_script_that_reads_nothing_of_its_payload_still_gives_its_answer(host, remote):
    assert await remote.exchange(address_of(host), script("echo done", b"x" * (4 << 20))) == b"done\n"


async def test_the_payload_never_runs_as_commands_on_the_login_node(host, remote):
    assert await remote.exchange(address_of(host), script("cat", b"touch /tmp/harm\n")) == b"touch /tmp/harm\n"
    assert not host.enclosure.seen("/tmp/harm").exists()


async def test_bytes_that_are_no_text_come_back_as_they_are(host, remote):
    assert await remote.exchange(address_of(host), script(r"printf '\377\000\033[31m'")) == b"\xff\x00\x1b[31m"


@pytest.mark.parametrize("shell", ["/bin/bash", "/bin/dash", "/usr/bin/tcsh", "/usr/bin/zsh", "/usr/bin/fish"])
async def test_every_login_shell_runs_the_same_script(host, remote, shell):
    host.set_login_shell(shell)
    try:
        assert await remote.exchange(address_of(host), script('x=1; echo "$x $(cat)"', b"a'b\"c")) == b"1 a'b\"c\n"
    finally:
        host.set_login_shell("/bin/bash")


async def test_a_script_past_its_time_is_said_to_be_unanswered_and_leaves_no_process(host, remote, eventually):
    with pytest.raises(Unanswered, match=r"observe on user@.* did not end within 0\.3 s and was stopped") as failure:
        await remote.exchange(address_of(host), script("sleep 1000 & sleep 1000", timeout_seconds=0.3))
    assert failure.value.reason is ClusterReason.POLL_TIMED_OUT
    await eventually(lambda: not running(host, "sleep"))


async def test_a_script_that_will_not_end_by_term_is_killed(host, remote, eventually):
    with pytest.raises(Unanswered):
        await remote.exchange(address_of(host), script("trap '' TERM; while :; do sleep 0.05; done", timeout_seconds=0.3))
    await eventually(lambda: not running(host, "sleep") and not running(host, "sh"))


async def test_after_a_time_out_the_connection_goes_on_when_the_script_was_seen_to_end(host, remote):
    with pytest.raises(Unanswered):
        await remote.exchange(address_of(host), script("sleep 1000", timeout_seconds=0.3))
    assert await remote.exchange(address_of(host), script("echo on")) == b"on\n"
    assert host.connections() == 1


async def test_endless_output_is_cut_off_at_its_bound(host, remote, eventually):
    with pytest.raises(Unanswered, match="printed more than 100000 bytes and was stopped"):
        await remote.exchange(address_of(host), script("yes", max_output_bytes=100_000))
    await eventually(lambda: not running(host, "yes"))


async def test_endless_standard_error_is_cut_off_too(host, remote, eventually):
    with pytest.raises(Unanswered, match="printed more than"):
        await remote.exchange(address_of(host), script("yes >&2", max_output_bytes=100_000))
    await eventually(lambda: not running(host, "yes"))


async def test_a_shell_that_fails_is_quoted_in_one_plain_line(host, remote):
    with pytest.raises(Unanswered, match=r"exit code 3: .*; it said: no \[31mhome here$") as failure:
        await remote.exchange(address_of(host), script(r"printf 'no \033[31mhome\r\n here' >&2; exit 3"))
    assert failure.value.reason is ClusterReason.LOGIN_SHELL_FAILED


async def test_an_account_without_a_shell_says_so_in_the_sites_own_words(host, remote):
    host.set_login_shell("/usr/sbin/nologin")
    try:
        with pytest.raises(Unanswered, match="currently not available"):
            await remote.exchange(address_of(host), script("echo"))
    finally:
        host.set_login_shell("/bin/bash")


async def test_an_answer_that_looks_whole_counts_for_nothing_when_a_signal_ended_its_script(host, remote):
    with pytest.raises(Unanswered, match="ended there by signal KILL"):
        await remote.exchange(address_of(host), script("echo begin; echo end; kill -KILL $$"))


async def test_an_answer_that_looks_whole_counts_for_nothing_when_the_connection_broke_off(host, remote):
    with pytest.raises(Unanswered, match="the connection broke off") as failure:
        await remote.exchange(address_of(host), script("echo begin; echo end; kill -KILL $PPID"))
    assert failure.value.reason is ClusterReason.CONNECTION_LOST


async def test_a_caller_that_gives_up_leaves_no_channel_and_no_process(host, remote, eventually):
    address = address_of(host)
    for _ in range(12):                                     # more than sshd's MaxSessions: a leak of each would show
        task = asyncio.create_task(remote.exchange(address, script("sleep 1000")))
        await eventually(lambda: running(host, "sleep"))
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task
        await eventually(lambda: not running(host, "sleep"))
    assert await remote.exchange(address, script("echo on")) == b"on\n"
    assert host.connections() == 1


async def test_a_caller_that_gives_up_while_its_channel_opens_leaves_nothing(host, remote, eventually):
    address = address_of(host)
    await remote.exchange(address, script("true"))
    for turns in range(8):
        task = asyncio.create_task(remote.exchange(address, script("sleep 1000")))
        for _ in range(turns):
            await asyncio.sleep(0)
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task
    assert await remote.exchange(address, script("echo on")) == b"on\n"
    await eventually(lambda: not running(host, "sleep"))
