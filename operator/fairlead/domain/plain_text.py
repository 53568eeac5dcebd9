"""A program's output made safe for a person's terminal: escape sequences and control characters taken out, piece by piece."""

import codecs
import re

_HELD_CHARACTERS = 4096
"""An escape sequence that has not ended after so many characters is none: without a bound one stray byte would swallow a whole file."""

_SHORT = ("(?:\x1b\\[|\x9b)[0-?]*[ -/]*[@-~]"      # CSI: colours, cursor
          "|\x1b[ -/]+[0-~]"                      # character sets
          "|\x1b[0-OQ-WYZ\\\\`-~]")              # two characters
_STRING = "(?:\x1b[\\]PX^_]|[\x9d\x90\x98\x9e\x9f])(?P<text>[^\x07\x1b\x9c]*)"   # OSC and the others: titles, links
_SEQUENCE = re.compile(f"{_STRING}(?P<end>\x07|\x1b\\\\|\x9c)?|{_SHORT}")
_SHORT_ALONE = re.compile(_SHORT)
_BEGUN = re.compile(f"(?:\x1b\\[|\x9b)[0-?]*[ -/]*|{_STRING}\x1b?|\x1b[ -/]*")
_RETURN = re.compile("\r\n?")
_CONTROL = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u200e\u200f\u202a-\u202e\u2066-\u2069]")
"""All of Unicode's control characters but tab and newline, and those that turn the direction of writing."""


class PlainText:
    """Takes output in pieces of any length, cut anywhere.

    What is no UTF-8 becomes U+FFFD; what a bare carriage return would overwrite stands on a line of its own.
    """

    def __init__(self) -> None:
        self._decoder = codecs.getincrementaldecoder("utf-8")("replace")
        self._rest = ""

    def feed(self, piece: bytes) -> str:
        """The plain text of what has come so far and was not given yet."""
        return self._plain(self._rest + self._decoder.decode(piece), final=False)

    def end(self) -> str:
        """The rest, once nothing more comes."""
        return self._plain(self._rest + self._decoder.decode(b"", final=True), final=True)

    def _plain(self, text: str, *, final: bool) -> str:
        whole = text if final else text[:_complete(text)]
        self._rest = text[len(whole):]
        return _CONTROL.sub("", _RETURN.sub("\n", _SEQUENCE.sub(_shown, whole)))


def _shown(sequence: re.Match[str]) -> str:
    """What of a sequence is text: of a string that does not end, all but what introduced it. It is looked at once, however it goes on."""
    text = sequence["text"]
    if text is None or sequence["end"]:
        return ""
    return ("]" if sequence[0].startswith("\x1b]") else "") + _SHORT_ALONE.sub("", text)


def _complete(text: str) -> int:
    """How much of `text` can be told for sure: up to an escape sequence that has only begun, or a return whose newline may follow."""
    place = max(len(text) - _HELD_CHARACTERS, 0)
    while begun := _BEGUN.search(text, place):
        if begun.end() == len(text):
            return begun.start()
        done = _SEQUENCE.match(text, begun.start())
        ended = done is not None and (done["text"] is None or done["end"])
        place = done.end() if done and ended else max(begun.end() - text[:begun.end()].endswith("\x1b"), begun.start() + 1)
    return len(text) - text.endswith("\r")
