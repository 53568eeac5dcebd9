"""Who listens calls for a poll when a Run begins or ends, and can do nothing else, whatever the far end says. In virtual time."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field, replace

from structlog.testing import capture_logs

from fairlead.api.v1alpha1.reasons import ClusterReason
from fairlead.domain.cluster.address import Address
from fairlead.domain.errors import Unanswered, Unreachable
from fairlead.engine.far_end.exchanges import Work
from fairlead.engine.far_end.link import Link
from fairlead.engine.far_end.listening import Listening
from fairlead.engine.registry import Registry
from fairlead.engine.site.polls import PollPace
from fairlead.engine.writer import Writer
from fairlead.schedulers.seam import Exchange
from product.objects import a_cluster
from unit.engine.virtual import ONE, LoopClock, Virtual, driver_of, in_virtual_time


@dataclass
class Played:
    """Listening on fakes, at a far end whose listener answers what `says` tells, and listened to again as soon as it may be."""

    says: Callable[[str], str]                   # the line, by the one that is known
    seconds: float = 55.0                        # that it takes
    calls: list[float] = field(default_factory=list)
    began: list[float] = field(default_factory=list)
    virtual: Virtual = field(default_factory=Virtual)

    async def play(self, seconds: float) -> Listening:
        """Listen for so long."""
        world = replace(self.virtual.world, clock=LoopClock())
        self.virtual.remote.exchange = self._exchange  # type: ignore[method-assign,assignment]
        link = Link(world, ONE, driver_of)
        cluster = a_cluster()
        work = Work(world, link, Writer(world, Registry()), lambda _: None, lambda: driver_of(cluster))
        listening = Listening(work, lambda: self.calls.append(asyncio.get_running_loop().time()), lambda: None)
        with capture_logs():
            assert await link.ensure(cluster)
            for _ in range(int(seconds)):
                listening.listen()
                await asyncio.sleep(1)
            await listening.close()
        assert link.health.trouble is None
        assert link.tree is not None
        return listening

    async def _exchange(self, address: Address, exchange: Exchange[object]) -> object:
        if exchange.verb != "listen":
            return Virtual().remote.answers[exchange.verb]
        assert exchange.aside
        known = exchange.code.partition("KNOWN=")[2].partition("\n")[0].strip("'")
        self.began.append(asyncio.get_running_loop().time())
        await asyncio.sleep(0 if known == "?" else self.seconds)
        return self.says(known)


def test_a_ring_calls_for_a_poll_once() -> None:
    """An end would be seen at the end of a long interval; or a poll would follow the other for one change."""
    played = Played(lambda known: "begun 1" if asyncio.get_running_loop().time() > 100 else "")
    in_virtual_time(played.play(300))
    assert len(played.calls) == 1
    assert len(played.began) <= 1 + 300 / 55 + 1, "and who hears nothing listens on, once a minute"


def test_what_was_rung_before_is_no_news() -> None:
    """Each start of a controller would poll all clusters at once for what it has not lost."""
    played = Played(lambda _known: "ended 1")
    in_virtual_time(played.play(200))
    assert played.calls == []


def test_a_far_end_that_rings_without_end_is_listened_to_six_times_a_minute() -> None:
    """A script that writes there in a loop would make a login node answer for ever."""
    lines = iter(range(10_000))
    played = Played(lambda _known: f"begun {next(lines)}", seconds=0)
    in_virtual_time(played.play(600))
    assert 30 <= len(played.calls) <= 61


def test_a_listener_that_fails_says_nothing_of_the_site_and_is_left_for_a_while() -> None:
    """A site that has no session to spare would be called broken, or be asked for one at each turn."""
    def fail(_known: str) -> str:
        raise Unreachable("no session to spare", ClusterReason.CONNECTION_FAILED)

    played = Played(fail)
    in_virtual_time(played.play(900))
    assert played.calls == []
    assert len(played.began) <= 4


def test_a_connection_that_went_is_listened_on_again() -> None:
    """Connections are made anew every few minutes: nobody would listen for most of the time."""
    def cut(known: str) -> str:
        if known == "?":
            return ""
        raise Unanswered("the connection broke off", ClusterReason.CONNECTION_LOST)

    played = Played(cut)
    in_virtual_time(played.play(600))
    assert len(played.began) >= 10


def test_polls_are_few_only_where_a_ring_was_followed_by_a_change() -> None:
    """Where nobody writes a line, as with wrappers of an older release, ends would be seen later than before."""
    played = Played(lambda known: "begun 1" if asyncio.get_running_loop().time() > 50 else "")

    async def scene() -> None:
        listening = await played.play(60)
        assert not listening.is_proven
        listening.saw(changed=False)
        assert not listening.is_proven
        listening.saw(changed=True)
        assert listening.is_proven

    in_virtual_time(scene())


def test_who_is_called_polls_at_once_and_soon_again() -> None:
    """squeue may show a job for a moment longer: its end would wait for the next long interval."""
    pace = replace(PollPace.of(2, 30), interval=30.0, began=100.0).called()
    assert pace.due(0.5) < 100
    assert pace.after(changed=False, is_called=True).interval == 8
    assert pace.after(changed=False).interval == 3
