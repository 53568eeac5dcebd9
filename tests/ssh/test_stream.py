"""Output of any size goes through in pieces, without being held, and leaves nothing when its reader goes."""

import asyncio
import hashlib
from collections.abc import AsyncGenerator
from contextlib import aclosing

import pytest
from ssh_addresses import address_of, running, script

from fairlead.domain.errors import Refused, Unanswered
from fairlead.ssh.stream import HELD_BYTES, printing_at

MOST_AHEAD_BYTES = 12 << 20          # two windows of SSH, what we hold, and the sockets' and pipes' buffers


async def test_forty_megabytes_come_through_byte_for_byte_in_bounded_pieces(host):
    digest, longest = hashlib.sha256(), 0
    async with aclosing(stream(address_of(host), script("yes 0123456789 | head -c 40000000"))) as pieces:
        async for piece in pieces:
            digest.update(piece)
            longest = max(longest, len(piece))
    assert digest.hexdigest() == hashlib.sha256((b"0123456789\n" * 3_636_364)[:40_000_000]).hexdigest()
    assert longest <= HELD_BYTES + 65536


async def test_a_slow_reader_keeps_the_far_end_waiting(host):
    wrote = host.home / "slow-reader-wrote"
    endless = script("n=0; while head -c 1000000 /dev/zero; do n=$((n + 1)); echo $n >slow-reader-wrote; done")
    taken = 0
    async with aclosing(stream(address_of(host), endless)) as pieces:
        async for piece in pieces:
            taken += len(piece)
            await asyncio.sleep(0.05)
            ahead = int((wrote.read_text() if wrote.exists() else "") or 0) * 1_000_000 - taken
            assert ahead < MOST_AHEAD_BYTES, f"{ahead} bytes would be held for a reader that has taken {taken}"
            if taken > 60_000_000:
                break
    wrote.unlink()


async def test_a_reader_that_leaves_early_ends_what_runs(host, eventually):
    async with aclosing(stream(address_of(host), script("yes"))) as pieces:
        assert (await anext(pieces)).startswith(b"y\ny\n")
    await eventually(lambda: not running(host, "yes"))


async def test_the_payload_reaches_the_script(host):
    assert await _all(host, script("cat", b"x" * (3 << 20))) == b"x" * (3 << 20)


async def test_a_script_that_fails_is_told_after_its_last_output(host):
    pieces = stream(address_of(host), script("echo begin; echo no such file >&2; exit 4"))
    assert await anext(pieces) == b"begin\n"
    with pytest.raises(Unanswered, match=r"exit code 4.*no such file"):
        await anext(pieces)


async def test_silence_past_the_bound_ends_it(host, eventually):
    with pytest.raises(Unanswered, match=r"printed nothing for 0\.3 s and was stopped"):
        await _all(host, script("sleep 1000"), idle_timeout_seconds=0.3)
    await eventually(lambda: not running(host, "sleep"))


async def test_a_cut_connection_is_not_taken_for_the_end(host):
    with pytest.raises(Unanswered, match="the connection broke off"):
        await _all(host, script("echo begin; kill -KILL $PPID"))


async def test_a_key_that_is_refused_is_told_before_anything_runs(host):
    with pytest.raises(Refused):
        await anext(stream(address_of(host, user="nobody-here"), script("echo")))


async def test_one_connection_carries_one_script_after_the_other(host):
    async with printing_at(address_of(host)) as line:
        said = [b"".join([piece async for piece in line.output(script(f"echo {word}; echo $PPID"))]).split() for word in ("one", "two")]
    assert [word for word, _ in said] == [b"one", b"two"]
    assert said[0][1] == said[1][1], "the same sshd served both"


async def stream(address, exchange, **options) -> AsyncGenerator[bytes, None]:
    """The output of one script over a connection of its own."""
    async with printing_at(address) as line, aclosing(line.output(exchange, **options)) as pieces:
        async for piece in pieces:
            yield piece


async def _all(host, exchange, **options) -> bytes:
    return b"".join([piece async for piece in stream(address_of(host), exchange, **options)])
