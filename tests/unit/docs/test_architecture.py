"""The page that a newcomer begins with: the ways that it draws are there, and each goes on from room to room."""

import re
from collections import Counter
from itertools import groupby
from pathlib import Path

import pytest

import fairlead

[PACKAGE] = fairlead.__path__
_PAGE = (Path(__file__).parents[3] / "docs/architecture.md").read_text()
_DRAWN = _PAGE.partition("<!-- Walks:")[2].partition("<!-- End of walks. -->")[0]
WALKS = dict(re.findall(r"^(From [^\n]+)\n((?:  .+\n)+)", _DRAWN, re.MULTILINE))


def files(text: str) -> list[str]:
    return re.findall(r"[a-z0-9_/]+\.(?:py|sh)\b", text)


def test_the_five_walks_are_drawn():
    """Who has to find a fault would not know where a Job passes."""
    assert len(WALKS) == 5


@pytest.mark.parametrize("walk", WALKS)
def test_a_walk_passes_files_that_are_there(walk):
    """A reader would look for a file that was moved."""
    assert [name for name in files(WALKS[walk]) if not (Path(PACKAGE) / name).exists()] == []


@pytest.mark.parametrize("walk", WALKS)
def test_a_walk_does_not_come_back_to_a_room_more_than_twice(walk):
    """A room that is left and entered again and again is two rooms, and whoever follows a Job loses the thread there."""
    rooms = [room for room, _ in groupby(Path(name).parent for name in files(re.sub(r"\[.*?\]", "", WALKS[walk])))]
    assert {str(room): times - 1 for room, times in Counter(rooms).items() if times > 3} == {}
