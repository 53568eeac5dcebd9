"""Places that are shared by namespaces: what one of them does at its worst, and what another has then."""

import asyncio
from typing import Any

import pytest

from fairlead.api.v1alpha1.reasons import ClusterReason
from fairlead.domain.cluster.address import Address, Credentials, HostKeys
from fairlead.domain.errors import Unreachable
from fairlead.sharing.pace import Pace
from fairlead.sharing.shares import Shares
from fairlead.ssh.limits import PoolLimits, none_free
from fairlead.ssh.seats import Seats


def shares(places: int, seconds: float = 30.0) -> Shares:
    return Shares(places, "no place", seconds, none_free)


async def turn() -> None:
    for _ in range(5):
        await asyncio.sleep(0)


async def ask(where: Shares, owner: str, count: int) -> list[asyncio.Task[None]]:
    tasks = [asyncio.create_task(where.take(owner)) for _ in range(count)]
    await turn()
    return tasks


async def end(*tasks: asyncio.Task[Any]) -> None:
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)


def served(tasks: list[asyncio.Task[None]]) -> int:
    return sum(task.done() and not task.cancelled() and not task.exception() for task in tasks)


@pytest.mark.parametrize(("places", "worst"), [(1, 1), (2, 1), (4, 2), (100, 50)])
async def test_one_namespace_has_half_however_much_it_asks_for(places: int, worst: int) -> None:
    """Else 200 logins of one namespace would be all that this controller does."""
    where = shares(places)
    tasks = await ask(where, "mean", 200)
    assert served(tasks) == worst
    await end(*tasks)


async def test_one_namespace_has_no_more_than_it_may_though_all_are_free() -> None:
    """Else six slow keys would have two cores to themselves."""
    where = Shares(4, "no place", 30.0, none_free, most=1)
    tasks = [task for owner in ("mean", "honest") for task in await ask(where, owner, 6)]
    assert [served(tasks[:6]), served(tasks[6:])] == [1, 1]
    where.give_back("mean")
    await turn()
    assert [served(tasks[:6]), served(tasks[6:])] == [2, 1]
    await end(*tasks)


async def test_who_comes_new_is_served_at_once_beside_several_that_take_all_they_can() -> None:
    """Else an honest namespace would wait for the hosts of others."""
    where = shares(100)
    mean = [task for number in range(5) for task in await ask(where, f"mean-{number}", 200)]
    honest = await ask(where, "honest", 1)
    assert served(honest) == 1
    await end(*mean)


async def test_namespaces_are_served_in_turn() -> None:
    """Else who asked for a thousand places first would have them all first."""
    where, order = shares(2), []

    async def hold(owner: str) -> None:
        async with where.place(owner):
            order.append(owner)
            await asyncio.sleep(0)

    await asyncio.gather(*(hold("mean") for _ in range(20)), *(hold("honest") for _ in range(3)))
    assert [place for place, owner in enumerate(order) if owner == "honest"][-1] < 8
    assert len(order) == 23


async def test_places_that_belong_to_nobody_are_only_counted() -> None:
    """Else a person's own command would have half of what it asks for."""
    where = shares(3)
    tasks = await ask(where, "", 4)
    assert served(tasks) == 3
    where.give_back("")
    await turn()
    assert served(tasks) == 4


async def test_who_waits_in_vain_is_told_and_leaves_no_trace() -> None:
    """Else a wait could last for ever, and its place would be lost."""
    where = shares(1, 0.01)
    await where.take("mean")
    with pytest.raises(Unreachable, match="no place came free within") as failure:
        await where.take("mean")
    assert failure.value.reason is ClusterReason.NO_FREE_CONNECTION
    where.give_back("mean")
    await where.take("honest")


async def test_who_gives_up_in_the_moment_of_his_turn_gives_the_place_back() -> None:
    """Else each caller that gave up would cost a place for ever."""
    where = shares(1)
    await where.take("one")
    [waiting] = await ask(where, "two", 1)
    where.give_back("one")               # granted, and its task has not run since
    await end(waiting)
    await where.take("three")


async def paced(pace: Pace, owner: str, count: int) -> list[asyncio.Task[None]]:
    tasks = [asyncio.create_task(pace.turn(owner)) for _ in range(count)]
    await turn()
    return tasks


async def test_a_namespace_has_some_turns_at_once_and_then_one_after_the_other_whatever_others_do() -> None:
    """Else who asks for a thousand things at once would have them done before anybody else's."""
    pace = Pace(0.01, 3, "no turn", 250.0, none_free)
    mean, honest, nobodys = [await paced(pace, owner, 6) for owner in ("mean", "honest", "")]
    assert [served(mean), served(honest), served(nobodys)] == [3, 3, 6]
    assert pace.waiting == 4, "of each the fourth, after 100 s, and the fifth; the sixth would wait for 300 s"
    with pytest.raises(Unreachable, match="no turn comes within 250 s") as failure:
        await mean[5]
    assert failure.value.reason is ClusterReason.NO_FREE_CONNECTION
    await end(*mean[:5], *honest)
    assert pace.waiting == 0


async def test_turns_come_at_their_pace_and_who_has_waited_is_told() -> None:
    """Else they would never come, or a person would not see that they are waited for."""
    told: list[float] = []
    pace = Pace(200.0, 1, "no turn", 1.0, none_free, told.append)
    began = asyncio.get_running_loop().time()
    await asyncio.gather(*(pace.turn("one") for _ in range(5)))
    assert asyncio.get_running_loop().time() - began >= 4 / 200
    assert len(told) == 4, "the first has not waited"


class Connection:
    """What holds a seat."""

    def __init__(self, seats: Seats, owner: str, *, in_use: bool) -> None:
        self.users, self.retired, self._over = int(in_use), False, asyncio.Event()
        where = Address("h", 22, "u", Credentials(b""), HostKeys(), namespace=owner)
        self.seated = False
        self.task = asyncio.create_task(self._live(seats, where))

    def retire(self) -> None:
        self.retired = True
        if not self.users:
            self._over.set()

    async def _live(self, seats: Seats, where: Address) -> None:
        async with seats.seat(self, where):
            self.seated = True
            await self._over.wait()


async def connections(seats: Seats, owner: str, count: int, *, in_use: bool) -> list[Connection]:
    made = [Connection(seats, owner, in_use=in_use) for _ in range(count)]
    await turn()
    return made


async def test_connections_in_use_are_shared_and_idle_ones_make_room() -> None:
    """Else 200 logins to hosts that say nothing would hold every connection that there may be."""
    seats = Seats(PoolLimits(connections=8))
    mean = await connections(seats, "mean", 200, in_use=True)
    assert sum(each.seated for each in mean) == 4
    honest = await connections(seats, "honest", 1, in_use=True)
    assert honest[0].seated
    await end(*(each.task for each in [*mean, *honest]))


async def test_room_is_made_by_the_namespace_that_holds_the_most() -> None:
    """Else whoever logs in at many places would have an honest namespace log in anew again and again."""
    seats = Seats(PoolLimits(connections=8))
    honest = await connections(seats, "honest", 1, in_use=False)
    mean = await connections(seats, "mean", 20, in_use=False)
    assert sum(each.seated for each in mean) == 20
    assert not honest[0].retired
    await end(*(each.task for each in [*mean, *honest]))


async def test_one_namespace_alone_may_hold_all_connections_while_few_are_used_at_a_time() -> None:
    """Else half of what there is would stay unused."""
    seats = Seats(PoolLimits(connections=8))
    mean = await connections(seats, "one", 8, in_use=False)
    assert seats.taken == 8
    assert not any(each.retired for each in mean)
    await end(*(each.task for each in mean))


async def test_who_waits_for_his_share_has_it_when_another_namespace_rests() -> None:
    """Else an exchange would be given up after half a minute though connections are free."""
    seats = Seats(PoolLimits(connections=5))
    busy = await connections(seats, "one", 2, in_use=True)
    [other] = await connections(seats, "other", 1, in_use=True)
    [waits] = await connections(seats, "one", 1, in_use=True)
    assert not waits.seated
    other.users = 0
    seats.rested(other)
    await turn()
    assert waits.seated
    assert not other.retired, "a connection was closed to make room, and room there was"
    await end(*(each.task for each in [*busy, other, waits]))


async def test_who_waits_is_counted_and_each_wait_is_told() -> None:
    """A person would not see that hosts that hang have taken all places, nor for how long the others waited."""
    told: list[float] = []
    few = Shares(2, "no place", 0.05, none_free, told.append)
    first, *waiting = await ask(few, "one", 3)
    assert (served([first]), few.waiting, told) == (1, 2, []), "who finds a place has not waited"
    few.give_back("one")
    await turn()
    assert (few.waiting, len(told)) == (1, 1)
    await asyncio.wait(waiting)
    assert (few.waiting, len(told)) == (0, 2), "also who waited in vain"
    assert 0 <= told[0] < told[1]
    assert told[1] >= 0.05
    await end(*waiting)
