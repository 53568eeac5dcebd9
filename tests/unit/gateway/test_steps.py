"""What a gateway does for a Session, and which of several does it."""

from collections import Counter

import pytest

from fairlead.domain.gateways import LeaseSeen
from fairlead.gateway.roster import Roster, chosen
from fairlead.gateway.steps import Among, Seen, Step, next_step

MINE = next(f"s{number}" for number in range(100) if chosen(f"s{number}", {"a", "b"}) == "a")
ITS = next(f"s{number}" for number in range(100) if chosen(f"s{number}", {"a", "b"}) == "b")
BOTH, ALONE = frozenset({"a", "b"}), frozenset({"a"})

STEPS = {
    # who is asked: gateway a. Session, served, slice's holder, held here, live gateways -> step
    "a new one that falls to us": (MINE, True, None, False, BOTH, Step.OPEN),
    "a new one that falls to another": (ITS, True, None, False, BOTH, Step.NONE),
    "one whose slice was deleted by hand": (ITS, True, None, True, BOTH, Step.KEEP),
    "one that we hold": (MINE, True, "a", True, BOTH, Step.KEEP),
    "one that we hold while our own Lease is not seen": (MINE, True, "a", True, frozenset({"b"}), Step.KEEP),
    "one that we had before we were started anew": (ITS, True, "a", False, BOTH, Step.OPEN),
    "one of another who lives, though it would fall to us": (MINE, True, "b", False, BOTH, Step.NONE),
    "one that another has taken": (MINE, True, "b", True, BOTH, Step.GIVE_UP),
    "one that another took and died": (MINE, True, "b", True, ALONE, Step.GIVE_UP),
    "an orphan": (ITS, True, "b", False, ALONE, Step.OPEN),
    "an orphan that falls to another": (ITS, True, "c", False, BOTH, Step.NONE),
    "one that ends": (MINE, False, "a", True, BOTH, Step.CLOSE),
    "one that ended before we were started anew": (ITS, False, "a", False, BOTH, Step.CLOSE),
    "one that ended after its gateway": (MINE, False, "c", False, BOTH, Step.CLOSE),
    "one that ended and never had a slice": (MINE, False, None, False, BOTH, Step.NONE),
    "one that ends at another who lives": (MINE, False, "b", False, BOTH, Step.NONE),
}


@pytest.mark.parametrize("case", STEPS)
def test_what_is_done_for(case):
    """Else two gateways would fight for a Session, or none would have it."""
    uid, is_served, holder, is_held, live, step = STEPS[case]
    assert next_step(Seen(uid, is_served, holder, is_held), Among("a", live, may_take=True)) is step


@pytest.mark.parametrize("holder", [None, "c"])
def test_one_that_drains_takes_nothing(holder):
    """Else a gateway that is about to stop would take what it drops a moment later."""
    assert next_step(Seen(MINE, True, holder, False), Among("a", BOTH, may_take=False)) is Step.NONE


def test_a_gateway_lives_for_its_duration_from_when_its_renewal_was_seen():
    """Else clocks that do not run alike would have one take from another who lives."""
    roster = Roster()
    lease = LeaseSeen("a", "pod-1", "1", 5.0)
    roster.see([lease, LeaseSeen("b", "", "7", 5.0)], 100.0)
    assert roster.live(104.9) == {"a"}, "b has given its back"
    roster.see([lease], 104.0)
    assert roster.live(105.0) == frozenset(), "which was not renewed"
    roster.see([LeaseSeen("a", "pod-1", "2", 5.0)], 106.0)
    assert roster.live(110.9) == {"a"}
    roster.see([], 107.0)
    assert roster.live(107.0) == frozenset()


def test_a_gateway_is_forgotten_when_it_was_not_heard_of_for_long():
    """Else each pod of a gateway that ever was would leave a Lease; or one that is away for a moment would lose its own."""
    roster = Roster()
    gone, given_back, alive = LeaseSeen("a", "pod-1", "1", 5.0), LeaseSeen("b", "", "7", 5.0), LeaseSeen("c", "pod-3", "8", 5.0)
    roster.see([gone, given_back, alive], 100.0)
    renewed = LeaseSeen("c", "pod-3", "9", 5.0)
    roster.see([gone, given_back, renewed], 159.0)
    assert roster.forgotten(159.9, 60.0) == ()
    assert roster.forgotten(160.0, 60.0) == (gone, given_back)
    assert roster.forgotten(103.0, 0.0) == (), "one that lasts may be renewed"


def test_when_one_goes_only_its_own_sessions_move_and_all_have_some():
    """Else each start of a gateway would cut everybody off once."""
    uids = [f"uid-{number}" for number in range(300)]
    before = {uid: chosen(uid, {"a", "b", "c"}) for uid in uids}
    after = {uid: chosen(uid, {"a", "b"}) for uid in uids}
    assert all(after[uid] == before[uid] for uid in uids if before[uid] != "c")
    assert min(Counter(before.values()).values()) > 60
    assert chosen("uid", set()) is None
