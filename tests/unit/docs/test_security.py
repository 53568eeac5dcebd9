"""The page about security claims nothing that no test shows."""

import re
from pathlib import Path

import pytest

from fairlead.ssh.algorithms import CIPHERS, KEX

ROOT = Path(__file__).parents[3]
PAGE = (ROOT / "docs" / "security.md").read_text()
ROWS = re.findall(r"^\| \*\*(Can|Cannot)\*\* (.*) \| (.*?) ?\|$", PAGE, re.MULTILINE)
NAMED = sorted(set(re.findall(r"tests/[\w/.]+", PAGE)))


@pytest.mark.parametrize("path", NAMED)
def test_each_test_that_is_named_is_there(path):
    """A reader would rely on what nobody looks at any more."""
    assert "def test_" in (ROOT / path).read_text()


@pytest.mark.parametrize(("word", "what", "shown"), [pytest.param(*row, id=row[1][:50]) for row in ROWS])
def test_what_somebody_cannot_do_is_shown(word, what, shown):
    """A border that nobody tries would be a wish."""
    assert word == "Can" or shown or what == "do more through Fairlead than that user can."


def test_the_algorithms_that_the_page_names_are_offered():
    """A site would be told to allow what is not accepted."""
    named = set(re.findall(r"`(mlkem[\w-]+|curve25519-sha256|diffie[\w-]+)`", PAGE))
    assert named <= set(KEX)
    assert {f"{name}@openssh.com" for name in ("aes128-gcm", "aes256-gcm", "chacha20-poly1305")} <= set(CIPHERS)
