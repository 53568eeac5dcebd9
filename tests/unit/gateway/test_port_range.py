"""A gateway's ports: nobody has one that somebody else may still be sent to."""

import pytest

from fairlead.gateway.port_range import PortRange, PortState, sole_claims
from fairlead.gateway.settings import PortSettings

NOW = 1000.0
REST_SECONDS, QUARANTINE_SECONDS = PortSettings().rest_seconds, PortSettings().quarantine_seconds


def test_ports_are_handed_out_in_turn():
    """Else a port would come again at once, and rest in vain whenever a clock or a proxy is late."""
    ports = PortRange(20000, 20003)
    assert [ports.take(f"s{number}", NOW) for number in range(3)] == [20000, 20001, 20002]
    ports.let_go(20000, NOW)
    assert ports.take("s3", NOW + REST_SECONDS + 1) == 20003
    assert ports.take("s4", NOW + REST_SECONDS + 1) == 20000


@pytest.mark.parametrize(("seconds", "state"), [
    (0.0, PortState.RESTING), (REST_SECONDS - 0.1, PortState.RESTING), (REST_SECONDS, PortState.FREE),
])
def test_a_port_rests_from_when_its_slice_is_gone(seconds, state):
    """Else a client whose node has not heard of the end would reach another tenant's Session."""
    ports = PortRange(20000, 20000)
    assert ports.take("s", NOW - 500) == 20000
    assert ports.state(20000, NOW) is PortState.IN_USE, "until it is let go, however long that takes"
    ports.let_go(20000, NOW)
    assert ports.state(20000, NOW + seconds) is state
    assert ports.take("t", NOW + seconds) == (20000 if state is PortState.FREE else None)


def test_one_on_which_somebody_else_listens_is_left_alone_for_a_while():
    """Else a Session would be said to be open while another program of the node answers for it."""
    ports = PortRange(20000, 20001)
    taken = ports.take("s", NOW)
    ports.quarantine(taken, NOW)
    assert ports.take("s", NOW) == 20001
    assert ports.counts(NOW) == {PortState.FREE: 0, PortState.IN_USE: 1, PortState.RESTING: 0, PortState.QUARANTINED: 1}
    assert ports.take("t", NOW + QUARANTINE_SECONDS) == 20000


def test_a_range_that_is_full_harms_nobody_who_has_a_port():
    """Else one Session too many would end another."""
    ports = PortRange(20000, 20000)
    ports.take("s", NOW)
    assert ports.take("t", NOW) is None
    assert ports.used == {20000: "s"}


def test_a_gateway_that_was_started_anew_takes_its_ports_back_and_lets_the_others_rest():
    """Else it would hand out a port at once that it had let go of right before it was killed."""
    ports = PortRange(20000, 20002)
    assert ports.adopt(20001, "s")
    assert not ports.adopt(20001, "t"), "which another Session has"
    assert not ports.adopt(80, "t"), "which is not of the range"
    ports.rest_all(NOW)
    assert ports.take("t", NOW + REST_SECONDS - 0.1) is None
    assert ports.take("t", NOW + REST_SECONDS) == 20000
    assert ports.used == {20001: "s", 20000: "t"}


def test_a_port_that_two_slices_name_is_neither_ones():
    """Else whoever can edit a slice of his own could have another Session's clients sent to his."""
    assert sole_claims([("s", 20000), ("t", 20001), ("forger", 20000)]) == {"t": 20001}
    assert sole_claims([("s", 20000), ("forger", 20000), ("s", 20000)]) == {}


@pytest.mark.parametrize(("first", "last"), [(0, 10), (20, 10), (20000, 70000)])
def test_what_is_no_range_is_said(first, last):
    """Else a mistyped range would show up as Sessions that never open."""
    with pytest.raises(ValueError, match="no range of ports"):
        PortRange(first, last)
