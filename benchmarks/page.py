"""docs/performance.md: a section for each benchmark, of which one run replaces its own and leaves the others. Pure: text in, text out."""

import re
from collections.abc import Mapping, Sequence
from textwrap import fill

from benchmarks.figures import HEADS, Figure, Result
from benchmarks.machine import Machine
from generator.markdown import table

_WIDTH = 140
_INTRODUCTION = """<!-- Made by `make bench`; run it again to change it. -->

# Performance

What the controller costs, and how fast it is, beside what else would do the same work. Each section was written by its own run on one
machine that carries all parts: API server, Slurm, SSH servers, the controller, and whatever it is compared with. So believe the ratios,
which come from rounds that took turns, before the times.

A cell holds the median of the rounds, and in brackets the least and the most. A ratio says how many times better Fairlead is than what
stands beside it, taken round by round; below 1 it is worse. An aim is held against the median.
"""


def page(old: str, results: Sequence[tuple[Result, Machine]], order: Sequence[str]) -> str:
    """The page with the sections of these results made anew, all sections in `order`. `old` may be empty."""
    sections = dict(_sections(old)) | {result.name: section(result, machine) for result, machine in results}
    return "\n".join([_INTRODUCTION, *(_marked(name, sections[name]) for name in order if name in sections)])


def section(result: Result, machine: Machine) -> str:
    """One benchmark's part of the page."""
    parts = [f"## {result.title}", result.method,
             fill(f"`make bench ARGS={result.name}`, {machine.date}, {result.rounds} rounds. {machine.says}.", _WIDTH),
             table(HEADS, (figure.cells() for figure in result.figures)).rstrip("\n")]
    bounds = _bounds(result.figures)
    if bounds:
        parts.append("What holds back where an aim was missed:")
        parts.append("\n".join(bounds))
    if result.notes:
        parts.append("\n".join(_item(note) for note in result.notes))
    return "\n\n".join(parts) + "\n"


def _bounds(figures: Sequence[Figure]) -> list[str]:
    """One line for each reason, with the measures that it holds back."""
    reasons: dict[str, list[str]] = {}
    for figure in figures:
        if figure.missed:
            reasons.setdefault(figure.bound or "not known yet", []).append(figure.what)
    return [_item(f"{'; '.join(names)}: {reason}.") for reason, names in reasons.items()]


def _item(text: str) -> str:
    return fill(text, _WIDTH, initial_indent="- ", subsequent_indent="  ", break_long_words=False, break_on_hyphens=False)


def _marked(name: str, text: str) -> str:
    return f"<!-- {name} -->\n\n{text}\n<!-- end of {name} -->\n"


def _sections(text: str) -> Mapping[str, str]:
    return {found["name"]: found["text"] for found in
            re.finditer(r"^<!-- (?P<name>[a-z-]+) -->\n\n(?P<text>.*?)\n<!-- end of (?P=name) -->$", text, re.DOTALL | re.MULTILINE)}
