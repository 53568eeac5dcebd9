"""A remote host's words, made fit for a status that people and terminals read: one line, no control characters, bounded."""

import re
import unicodedata

_ESCAPES = re.compile(r"\x1b(?:\[[0-?]*[ -/]*[@-~]|\][^\x07\x1b]*(?:\x07|\x1b\\)?|[@-_])")


def clean(words: str, limit: int) -> str:
    """Put `words` into one line of at most `limit` characters, without escape sequences and control characters."""
    plain = "".join(" " if unicodedata.category(letter)[0] == "C" else letter for letter in _ESCAPES.sub("", words))
    line = " ".join(plain.split())
    return line if len(line) <= limit else line[:limit - 1].rstrip() + "…"
