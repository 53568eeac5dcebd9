"""A program's output made safe for a person's terminal: escape sequences and control characters taken out, piece by piece."""

import codecs
import re

_HELD_CHARACTERS = 4096
"""An escape sequence that has not ended after so many characters is none: without a bound one stray byte would swallow a whole file."""

_SEQUENCE = re.compile(
    "(?:\x1b\\[|\x9b)[0-?]*[ -/]*[@-~]"                  # CSI: colours, cursor
    "|(?:\x1b[\\]PX^_]|[\x9d\x90\x98\x9e\x9f])[^\x07\x1b\x9c]*(?:\x07|\x1b\\\\|\x9c)"   # OSC and the other strings: titles, links
    "|\x1b[ -/]+[0-~]"                                    # character sets
    "|\x1b[0-Z\\\\^_`-~]"                                 # two characters
)
_BEGUN = re.compile("(?:\x1b\\[|\x9b)[0-?]*[ -/]*|(?:\x1b[\\]PX^_]|[\x9d\x90\x98\x9e\x9f])[^\x07\x1b\x9c]*\x1b?|\x1b[ -/]*")
_RETURN = re.compile("\r\n?")
_CONTROL = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u200e\u200f\u202a-\u202e\u2066-\u2069]")
"""All of Unicode's control characters but tab and newline, and those that turn the direction of writing."""


class PlainText:
    """Takes output in pieces of any length, cut anywhere.

    What is no UTF-8 becomes U+FFFD; what a bare carriage return would overwrite stands on a line of its own.
    """

    def __init__(self) -> None:
        self._decoder = codecs.getincrementaldecoder("utf-8")("replace")
        self._held = ""

    def feed(self, piece: bytes) -> str:
        """The plain text of what has come so far and was not given yet."""
        return self._plain(self._held + self._decoder.decode(piece), final=False)

    def end(self) -> str:
        """The rest, once nothing more comes."""
        return self._plain(self._held + self._decoder.decode(b"", final=True), final=True)

    def _plain(self, text: str, *, final: bool) -> str:
        whole = text if final else text[:_complete(text)]
        self._held = text[len(whole):]
        return _CONTROL.sub("", _RETURN.sub("\n", _SEQUENCE.sub("", whole)))


def _complete(text: str) -> int:
    """How much of `text` can be told for sure: up to an escape sequence that has only begun, or a return whose newline may follow."""
    recent = max(len(text) - _HELD_CHARACTERS, 0)
    place = recent
    while place < len(text):
        if text[place] in "\x1b\x9b\x9d\x90\x98\x9e\x9f" and (begun := _BEGUN.match(text, place)):
            if begun.end() == len(text):
                return place
            done = _SEQUENCE.match(text, place)
            place = done.end() if done else place + 1
        else:
            place += 1
    return len(text) - text.endswith("\r")
