"""What a remote host prints can neither forge a line of a log nor colour a terminal."""

import pytest

from fairlead.api.v1alpha1.texts import one_line

CASES = {
    "plain words": (b"no such file", "no such file"),
    "escape codes": (b"\x1b[31mred\x1b[0m", "[31mred [0m"),
    "lines": (b"one\r\ntwo\n\n\tthree", "one two three"),
    "bad UTF-8": (b"caf\xe9", "caf\ufffd"),
    "NUL": (b"a\x00b", "a b"),
    "text that runs backwards": ("a\u202egnp", "a gnp"),
    "other line ends of Unicode": ("a\u2028b\x85c", "a b c"),
    "nothing": (b"", ""),
}


@pytest.mark.parametrize(("printed", "line"), CASES.values(), ids=CASES)
def test_text_is_brought_to_one_plain_line(printed, line):
    assert one_line(printed) == line


def test_of_a_long_text_the_end_is_kept_where_programs_say_why_they_stopped():
    assert one_line("x" * 1000 + " why", limit=10) == "... xxxxxx why"
