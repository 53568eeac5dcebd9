"""Reading what a remote host prints: all of it behind the fence, or nothing."""

import pytest

from fairlead.api.v1alpha1.reasons import ClusterReason
from fairlead.domain.errors import Unanswered
from fairlead.schedulers.fence import Answer, Row, read

FENCE = "0f" * 16
OTHER = "f0" * 16


def lines(*rows: str) -> bytes:
    return "".join(f"{row}\n" for row in rows).encode()


def fenced(*fields: str) -> str:
    return "\x1f".join((FENCE, *fields))


WHOLE = lines(fenced("begin", "1700000000"), fenced("job", "1", "", "x y"), fenced("end"))


def test_rows_come_in_their_order_with_empty_fields() -> None:
    """A field that is empty would shift those behind it."""
    answer = read(WHOLE, FENCE)
    assert answer == Answer((Row("job", ("1", "", "x y")),), 1700000000)
    assert answer.rows[0].field(9) == ""


@pytest.mark.parametrize("noise", [
    b"Welcome to the cluster!\r\n\x1b[31mred\x1b[0m\n",
    b"\xff\xfe\x00\n",
    lines(f"{OTHER}\x1fjob\x1f2"),
    lines(f"{FENCE}job\x1f2", f"{FENCE}"),
], ids=["banner", "no UTF-8", "another fence", "fence without separator"])
def test_what_is_not_behind_the_fence_is_noise(noise: bytes) -> None:
    """A banner, or a name with a newline, would become an answer."""
    assert read(noise + WHOLE.replace(b"\n", b"\n" + noise), FENCE) == read(WHOLE, FENCE)


def test_a_banner_without_a_newline_hides_nothing() -> None:
    """Every poll of that site would fail."""
    assert read(b"Welcome! " + WHOLE, FENCE) == read(WHOLE, FENCE)


@pytest.mark.parametrize("output", [
    b"", b"sh: not found\n", WHOLE[:-4], WHOLE[WHOLE.index(b"\n") + 1:], lines(fenced("end")), lines(fenced("begin", "x"), fenced("end")),
    WHOLE + lines(fenced("job", "3")),
], ids=["nothing", "an error", "cut at the end", "cut at the beginning", "only an end", "no clock", "goes on behind its end"])
def test_half_an_answer_is_none(output: bytes) -> None:
    """What is missing would look gone."""
    with pytest.raises(Unanswered):
        read(output, FENCE)


def test_the_error_shows_the_end_without_control_characters() -> None:
    """A condition would carry a remote host's escape codes."""
    with pytest.raises(Unanswered, match=r"ended with: .* tcsh: \[31mCommand not found\.$"):
        read(lines(fenced("begin", "1")) + b"tcsh: \x1b[31mCommand\r\n not found.\n", FENCE)


def test_an_answer_with_nothing_of_ours_in_it_names_what_may_have_taken_the_scripts_place() -> None:
    """A person would look for the fault in the network, and not at the login."""
    with pytest.raises(Unanswered, match=r"ForceCommand .* `exec` .*It printed: \[1mMenu$") as failure:
        read(b"\x1b[1mMenu\r\n", FENCE)
    assert failure.value.reason is ClusterReason.LOGIN_SHELL_FAILED


def test_a_byte_that_is_no_utf_8_costs_only_itself() -> None:
    """One broken comment would stop all polls."""
    assert read(WHOLE.replace(b"x y", b"x\xffy"), FENCE).rows[0].field(2) == "x�y"
