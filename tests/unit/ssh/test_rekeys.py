"""How often new keys may be asked for, in virtual time."""

from fairlead.ssh.rekeys import BURST, SECONDS_EACH, Allowance


def test_a_burst_is_allowed_and_then_one_now_and_then():
    """A login node that asks for new keys without end would take the CPU from all clusters."""
    allowance = Allowance()
    assert all(allowance.take(5.0) for _ in range(BURST))
    assert not allowance.take(5.0)
    assert not allowance.take(5.0 + 0.9 * SECONDS_EACH)
    assert allowance.take(5.0 + SECONDS_EACH)
    assert not allowance.take(5.0 + SECONDS_EACH)


def test_a_site_that_asks_by_the_clock_is_never_cut_off():
    """A connection to a site with `RekeyLimit default 1m` would break each half an hour."""
    allowance = Allowance()
    assert all(allowance.take(60.0 * minute) for minute in range(10_000))


def test_what_was_not_asked_for_is_not_saved_up():
    """After a quiet year a host could take the loop for as long as it likes."""
    allowance = Allowance()
    assert sum(allowance.take(1e9) for _ in range(10 * BURST)) == BURST
