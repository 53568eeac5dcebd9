"""Texts as people and programs put them into Secrets: line ends, indentation, quotes and encodings that change nothing of what is meant."""

import re
from typing import Final

_UTF_16: Final = (b"\xff\xfe", b"\xfe\xff")
"""How a file begins that PowerShell's `>` has written."""
_UTF_8: Final = b"\xef\xbb\xbf"
_ONE_LINE: Final = re.compile(rb"(-----BEGIN [A-Z0-9 ]{0,40}-----)([A-Za-z0-9+/=\t ]+)(-----END [A-Z0-9 ]{0,40}-----)")


def lines(text: bytes) -> bytes:
    """The text in UTF-8, each line without space around it, with one newline at its end; what was made one line of is in lines again."""
    text = _utf_8(text).replace(b"\r\n", b"\n").replace(b"\r", b"\n").strip()
    if text[:1] in {b'"', b"'"} and text[-1:] == text[:1]:
        text = text[1:-1]
    if b"\n" not in text:
        text = text.replace(b"\\r\\n", b"\n").replace(b"\\n", b"\n")
    text = _ONE_LINE.sub(lambda found: found[1] + b"\n" + b"\n".join(found[2].split()) + b"\n" + found[3], text)
    return b"\n".join(line.strip() for line in text.strip().split(b"\n")) + b"\n"


def _utf_8(text: bytes) -> bytes:
    if text.startswith(_UTF_16):
        return text.decode("utf-16", "replace").encode()
    return text.removeprefix(_UTF_8)
