"""Reading what a remote host prints: all of it behind the fence, or nothing."""

import pytest

from fairlead.api.v1alpha1.reasons import ClusterReason
from fairlead.domain.errors import Unanswered
from fairlead.schedulers.fence import _WINDOW_BYTES, MOST_FIELDS, MOST_ROW_BYTES, Answer, Row, read

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
    assert answer == Answer((Row("job", ("1", "", "x y")),))
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
    b"", b"sh: not found\n", WHOLE[:-4], WHOLE[WHOLE.index(b"\n") + 1:], lines(fenced("end")),
    WHOLE + lines(fenced("job", "3")),
], ids=["nothing", "an error", "cut at the end", "cut at the beginning", "only an end", "goes on behind its end"])
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


def test_an_answer_of_more_rows_than_were_asked_for_is_none() -> None:
    """A login node that prints rows without end would keep the reader from everybody else's."""
    rows = [fenced("job", str(number)) for number in range(5)]
    whole = lines(fenced("begin", "1"), *rows, fenced("end"))
    assert len(read(whole, FENCE, most_rows=5).rows) == 5
    with pytest.raises(Unanswered, match="more than the 4 rows"):
        read(whole, FENCE, most_rows=4)


def test_rows_behind_the_bound_are_not_even_looked_at() -> None:
    """The bound would cost as much as it saves."""
    endless = lines(fenced("begin", "1"), *(fenced("job", str(number)) for number in range(50)), f"{FENCE}\x1f" + "\x1f" * 1000)
    seen: list[str] = []

    class Watched(bytes):
        def find(self, *where: object) -> int:
            seen.append("look")
            return super().find(*where)  # type: ignore[arg-type]

    with pytest.raises(Unanswered, match="rows"):
        read(Watched(endless), FENCE, most_rows=10)
    assert len(seen) < 40


def test_a_row_is_cut_at_its_bounds_and_what_follows_it_is_read() -> None:
    """One comment of a megabyte would be a megabyte in the status; or hide all other jobs."""
    long, many = fenced("job", "1", "x" * 1_000_000), fenced("job", *["y"] * 1_000_000)
    answer = read(lines(fenced("begin", "1"), long, fenced("job", "2"), many, fenced("job", "3"), fenced("end")), FENCE)
    assert [row.field(0) for row in answer.rows] == ["1", "2", "y", "3"]
    assert [row.cut for row in answer.rows] == [True, False, True, False]
    assert all(len(row.fields) <= MOST_FIELDS and len("".join(row.fields)) <= MOST_ROW_BYTES for row in answer.rows)


def test_a_row_that_is_cut_holds_no_second_fence() -> None:
    """What stands far out in a comment would be a row of its own."""
    answer = read(lines(fenced("begin", "1"), fenced("job", "1", "x" * 2 * MOST_ROW_BYTES + fenced("job", "2")), fenced("end")), FENCE)
    assert [row.field(0) for row in answer.rows] == ["1"]


@pytest.mark.parametrize("gap", [0, 1, 33, 34, 35, _WINDOW_BYTES - 40, _WINDOW_BYTES - 33, _WINDOW_BYTES])
def test_a_fence_is_found_wherever_it_stands(gap: int) -> None:
    """A job would be missing in the listing for where its row lies in the answer."""
    assert len(read(lines(fenced("begin", "1")) + b"\xff" * gap + b"\n" + lines(fenced("job", "1"), fenced("end")), FENCE).rows) == 1
