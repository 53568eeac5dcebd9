"""Names are looked up beside each other: one that hangs delays no other and is asked for once."""

import asyncio
import socket
import threading
from collections.abc import Sequence

import pytest

from fairlead.ssh.resolver import LOOKUPS, Resolver


class Names:
    """Name servers that answer for `fast`, and for `slow` when they are let."""

    def __init__(self) -> None:
        self.asked: list[str] = []
        self.let = threading.Event()

    def __call__(self, host: str, port: int) -> Sequence[str]:
        self.asked.append(host)
        if host == "slow":
            self.let.wait()
        if host == "none":
            raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")
        return ["192.0.2.1"]


@pytest.fixture
def names():
    names = Names()
    yield names
    names.let.set()


@pytest.mark.parametrize("address", ["192.0.2.7", "2001:db8::7"])
async def test_an_address_is_its_own_and_asks_nobody(names, address):
    assert await Resolver(names).addresses(address, 22) == [address]
    assert names.asked == []


async def test_a_name_that_hangs_delays_no_other(names):
    resolver = Resolver(names)
    slow = asyncio.create_task(resolver.addresses("slow", 22))
    await asyncio.sleep(0)
    assert await resolver.addresses("fast", 22) == ["192.0.2.1"]
    assert not slow.done()
    names.let.set()
    assert await slow == ["192.0.2.1"]


async def test_callers_that_give_up_on_a_hanging_name_start_no_second_lookup(names):
    resolver = Resolver(names)
    for _ in range(5):
        task = asyncio.create_task(resolver.addresses("slow", 22))
        await asyncio.sleep(0)
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
    await resolver.addresses("fast", 22)
    assert names.asked.count("slow") == 1


async def test_a_name_without_address_is_looked_up_again_the_next_time(names):
    resolver = Resolver(names)
    for _ in range(2):
        with pytest.raises(socket.gaierror):
            await resolver.addresses("none", 22)
    assert names.asked == ["none", "none"]


async def test_a_name_that_cannot_be_one_has_no_address():
    with pytest.raises(socket.gaierror):
        await Resolver().addresses("a" * 64 + ".example.org", 22)


async def test_names_that_hang_in_one_namespace_leave_threads_to_the_others(names):
    """Else 200 Clusters with names that no server answers would keep everybody from every name."""
    resolver = Resolver(names)
    slow = [asyncio.create_task(resolver.addresses("slow", port, "mean")) for port in range(1, 200)]
    await asyncio.sleep(0)
    assert await resolver.addresses("fast", 22, "honest") == ["192.0.2.1"]
    assert names.asked.count("slow") == LOOKUPS // 2
    names.let.set()
    await asyncio.gather(*slow)
