"""Whatever a login node prints, it is read at a cost that grows with its length and no faster: one cluster holds up no other."""

import random
import re
import sys
from types import FrameType

import pytest

from benchmarks import worst_text
from fairlead.api.v1alpha1.texts import clean
from fairlead.domain.errors import FairleadError
from fairlead.domain.plain_text import PlainText
from fairlead.schedulers.answers import ROWS_PER_KEY, gathered
from fairlead.schedulers.slurm import refusals

KIB = 1024
RECIPES = [worst_text.recipe(random.Random(seed)) for seed in range(40)]


def calls(count: int, recipe: worst_text.Recipe) -> int:
    """How many functions are called, Python's own and its library's, while the longest text is read that a poll for so many keys takes."""
    exchange = worst_text.poll(count)
    text = recipe.text(exchange.max_output_bytes, count)
    assert len(text) <= exchange.max_output_bytes
    counted = 0

    def count_one(_frame: FrameType, event: str, _what: object) -> None:
        nonlocal counted
        counted += event in {"call", "c_call"}

    sys.setprofile(count_one)
    try:
        exchange.parse(text)
    except FairleadError:
        pass
    finally:
        sys.setprofile(None)
    return counted


@pytest.mark.parametrize("recipe", RECIPES, ids=lambda each: f"{each.bricks} {each.word!r} {each.repeats}")
def test_twice_the_text_is_at_most_twice_the_work(recipe: worst_text.Recipe) -> None:
    """Four megabytes took 25 seconds, in which no other cluster was looked at; sixteen never ended."""
    small, large = calls(5, recipe), calls(10, recipe)
    assert large <= 2.2 * small + 500


@pytest.mark.parametrize("recipe", RECIPES, ids=lambda each: f"{each.bricks} {each.word!r} {each.repeats}")
def test_what_comes_of_any_text_is_bounded(recipe: worst_text.Recipe) -> None:
    """A status, an Event or a command line would be made of what one login node had printed."""
    count = worst_text.keys_for(128 * KIB)
    found = worst_text.poll(count).parse(recipe.text(128 * KIB, count))
    keys = set(worst_text.keys(count))
    assert {*found.listed, *found.sentinels, *found.records} <= keys
    assert all(len(rows) <= ROWS_PER_KEY for rows in found.listed.values())
    for each in found.sentinels.values():
        assert len(each.started) <= ROWS_PER_KEY >= len(each.finished)
        assert each.log is None or len(each.log.tail) <= 4096 >= len(each.log.stdout_path)
    assert all(len(text) <= 1024 for rows in found.listed.values() for row in rows for text in (row.word, row.reason, row.node))


@pytest.mark.parametrize("pattern", [pattern.pattern for pattern, _ in refusals._TABLE], ids=range(len(refusals._TABLE)))
def test_no_pattern_for_a_refusal_repeats_without_a_bound(pattern: str) -> None:
    """A search for it would be tried from each letter to the end: 64 KiB of them held everything up for minutes."""
    assert not re.search(r"(?<!\\)[*+]|\{\d+,\}", pattern)


@pytest.mark.parametrize("word", ["QOSMax", "AssocMax", "No cluster '", "Invalid --", "slurm", "\x1b[", "\x1e", "\n"])
def test_a_refusal_is_read_no_further_than_the_script_lets_through(word: str) -> None:
    """sbatch's words are two kilobytes; a login node's may be megabytes."""
    assert refusals.classify(1, "x" * 5000 + "Invalid account") is refusals.classify(1, "")
    assert len(refusals.sentence(word * 1_000_000)) <= 1000


def test_a_text_of_any_length_becomes_a_line_of_its_limit() -> None:
    """A condition's message would be refused by the API server, and the Job never be told of."""
    for word in ("x", " ", "\x1b[31m", "\x1b]0;", "\u202e", "é", "\0"):
        line = clean(word * 1_000_000, 100)
        assert len(line) <= 100
        assert line.isprintable()
    assert clean("a  b", 10) == "a b"
    assert clean(" a b ", 10) == "a b"
    assert clean("\x1b[31mred\x1b[0m\tand\u202egreen", 40) == "red and green"
    assert clean("x" * 11, 10) == "x" * 9 + "…"


def test_rows_of_one_key_are_gathered_without_being_copied() -> None:
    """Each further row of a key would cost as much as all before it."""
    assert gathered([("a", 1), ("b", 2), ("a", 3)]) == {"a": [1, 3], "b": [2]}


@pytest.mark.parametrize("begun", [b"\x1b]0;", b"\xc2\x90", b"\x1b[", b"\x1b[1;", b"\x1bP"])
def test_sequences_that_never_end_are_looked_at_once(begun: bytes) -> None:
    """`fairlead logs` of a file full of them would stand still."""
    text = PlainText()
    said = text.feed(begun * 300_000 + b"\x1bX") + text.end()
    assert "\x1b" not in said
