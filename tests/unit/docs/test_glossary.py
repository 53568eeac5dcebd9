"""The glossary is one table, and the code and the pages go by it: a word is found in both, and means one thing."""

import ast
import importlib
import re
from collections import defaultdict
from functools import reduce
from pathlib import Path

import pytest

import fairlead

ROOT = Path(__file__).parents[3]
[PACKAGE] = fairlead.__path__
ROWS = dict(re.findall(r"^\| ([^|]+) \| `([^`]+)` \|", (ROOT / "docs/glossary.md").read_text(), re.MULTILINE))
SOURCES = {path: path.read_text() for path in sorted(Path(PACKAGE).rglob("*")) if path.suffix in {".py", ".sh"}}
PAGES = {path: path.read_text() for path in [*ROOT.glob("*.md"), *ROOT.glob("docs/*.md")] if path.name != "glossary.md"}
GONE = ("ghost", "grave", "haunt", "lobby", "custody", "errand", "stranded")
"""Words that pages and people never used; what is meant by them has plain ones."""
SHARED = {
    **dict.fromkeys(("Cluster", "Job", "Session", "Endpoint", "HostKeys", "Connection"),
                    "an object as the API has it, and as the domain sees it"),
    "Ledger": "a port of the engine, and what is behind it",
    **dict.fromkeys(("Live", "Duplicated", "Unexplained"), "a verdict, and the news of it"),
}
"""Names that two public classes have, and why these are one thing."""


def found(name: str) -> object:
    """What has this name in the product."""
    parts = f"fairlead.{name}".split(".")
    for length in range(len(parts), 0, -1):
        try:
            module = importlib.import_module(".".join(parts[:length]))
        except ModuleNotFoundError:
            continue
        return reduce(getattr, parts[length:], module)
    raise AssertionError(name)


@pytest.mark.parametrize("word", ROWS)
def test_a_word_has_its_name_in_the_code(word):
    """A reader of the pages would not find in the code what they speak of."""
    assert found(ROWS[word]) is not None


@pytest.mark.parametrize("word", ROWS)
def test_a_word_is_used_by_the_pages_and_by_the_code(word):
    """A table of words that nobody says would teach a language of its own."""
    pattern = re.compile(rf"\b{word.replace(' ', '[ _]')}", re.IGNORECASE)
    assert any(pattern.search(text) for text in PAGES.values()), "no page says it"
    assert any(pattern.search(text) for text in SOURCES.values()), "the code does not say it"


@pytest.mark.parametrize("word", GONE)
def test_a_word_that_is_nobodys_is_not_said(word):
    """Whoever reads it would look for it in the pages, in vain."""
    said = [str(path) for path, text in (SOURCES | PAGES).items() if re.search(word, text, re.IGNORECASE)]
    assert said == []


def test_no_two_classes_have_one_name():
    """Whoever reads the one would take it for the other."""
    where = defaultdict(set)
    for path, text in SOURCES.items():
        if path.suffix == ".py":
            for node in ast.parse(text).body:
                if isinstance(node, ast.ClassDef) and not node.name.startswith("_"):
                    where[node.name].add(str(path.relative_to(PACKAGE)))
    assert {name: sorted(paths) for name, paths in where.items() if len(paths) > 1 and name not in SHARED} == {}
