"""Conditions as `kubectl wait` and GitOps tools read them."""

import pytest

from fairlead.domain.conditions import MESSAGE_LIMIT, Says, is_true, moment, told


def test_a_condition_that_says_the_same_stays_the_same_object() -> None:
    """Else each poll would cost a write."""
    first = told((), [Says("Ready", True, "Fine")], 100.0, 1)
    assert told(first, [Says("Ready", True, "Fine")], 200.0, 1) == first
    assert told(first, [Says("Ready", True, "Fine")], 200.0, 1)[0] is first[0]


def test_the_transition_time_moves_with_the_status_alone() -> None:
    """Else nobody could tell for how long something has been so."""
    first = told((), [Says("Ready", False, "Why")], 100.0, 1)
    [other_words] = told(first, [Says("Ready", False, "Other", "words")], 200.0, 2)
    assert (other_words.reason, other_words.last_transition_time, other_words.observed_generation) == ("Other", moment(100.0), 2)
    [turned] = told(first, [Says("Ready", True, "Fine")], 300.0, 2)
    assert turned.last_transition_time == moment(300.0)


def test_what_is_not_said_anew_stays() -> None:
    first = told((), [Says("Ready", True, "Fine"), Says("Held", True, "Why")], 100.0, 1)
    both = told(first, [Says("Held", None, "Unsure")], 200.0, 1)
    assert [(each.type, each.status) for each in both] == [("Held", "Unknown"), ("Ready", "True")]
    assert (is_true(both, "Ready"), is_true(both, "Held"), is_true(both, "Never")) == (True, False, False)


def test_a_long_message_is_cut() -> None:
    """Else the words of a remote host could fill etcd."""
    [cut] = told((), [Says("Ready", False, "Why", "x" * 9000)], 100.0, 1)
    assert len(cut.message) == MESSAGE_LIMIT
    assert told((cut,), [Says("Ready", False, "Why", "x" * 9000)], 200.0, 1) == (cut,)


@pytest.mark.parametrize("epoch_seconds", [-1, 0, 999_999_999_999, 1e300])
def test_any_number_is_a_time_that_the_api_has_a_word_for(epoch_seconds: float) -> None:
    """A node with a broken clock would keep its Jobs from any end."""
    assert 1970 <= moment(epoch_seconds).year <= 9999


def test_a_message_is_one_clean_line() -> None:
    """`kubectl describe` would hand escape codes of a login node to a terminal."""
    condition, = told((), [Says("Ready", False, "Failed", "\x1b[31mred\x1b[0m\nand \x07 more")], 1.0, 1)
    assert condition.message == "red and more"
