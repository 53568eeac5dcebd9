"""Else a log could write over a person's screen, or a cut in the middle of a letter would spoil it."""

import pytest

from fairlead.domain.plain_text import PlainText

CASES = [
    pytest.param(b"plain\n\ttext\n", "plain\n\ttext\n", id="plain text"),
    pytest.param(b"\x1b[1;31mred\x1b[0m", "red", id="colours"),
    pytest.param(b"\x1b[2J\x1b[Hwiped", "wiped", id="a cleared screen"),
    pytest.param(b"\x1b]0;root@host\x07title", "title", id="a window's title"),
    pytest.param(b"\x1b]8;;http://x\x1b\\link\x1b]8;;\x1b\\", "link", id="a link"),
    pytest.param(b"\x1bP1$r0m\x1b\\answer", "answer", id="a device control string"),
    pytest.param(b"\x1b(Bset\x1b=", "set", id="character sets"),
    pytest.param("\x9b31mred".encode(), "red", id="a one-letter introducer"),
    pytest.param(b"10%\r20%\r\n30%", "10%\n20%\n30%", id="a progress bar and Windows line ends"),
    pytest.param(b"bell\x07 back\x08 nul\x00 del\x7f", "bell back nul del", id="control characters"),
    pytest.param("a\u202eb\u2066c".encode(), "abc", id="a turned direction of writing"),
    pytest.param("naïve 日本\u3000語 👩\u200d🔬".encode(), "naïve 日本\u3000語 👩\u200d🔬", id="letters of all kinds"),
    pytest.param(b"\xff\xfe broken", "\ufffd\ufffd broken", id="bytes that are no text"),
    pytest.param(b"cut \xe2\x82", "cut \ufffd", id="a letter cut at the end"),
    pytest.param(b"end\x1b", "end", id="an escape at the end"),
    pytest.param(b"end\x1b[1;", "end[1;", id="a sequence cut at the end"),
    pytest.param(b"end\r", "end\n", id="a return at the end"),
    pytest.param(b"\x1b]0;never ended" + b"x" * 9000, "]0;never ended" + "x" * 9000, id="a title without an end hides nothing"),
]


@pytest.mark.parametrize(("raw", "plain"), CASES)
def test_output_is_made_plain(raw: bytes, plain: str) -> None:
    text = PlainText()
    assert text.feed(raw) + text.end() == plain


@pytest.mark.parametrize(("raw", "plain"), CASES)
def test_it_does_not_matter_where_pieces_are_cut(raw: bytes, plain: str) -> None:
    text = PlainText()
    raw = raw.replace(b"x" * 9000, b"x" * 4100)
    assert "".join(text.feed(raw[n:n + 1]) for n in range(len(raw))) + text.end() == plain.replace("x" * 9000, "x" * 4100)
