"""`values.yaml`, and the table of the same values for the documentation."""

from __future__ import annotations

import json
import textwrap
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import yaml

from generator.chart.values import Section, Values
from generator.markdown import code, table

HEADER = "# Made by `make crds` from docs/generator/chart/values.py; change it there.\n"
_WIDTH = 118


@dataclass(frozen=True, slots=True)
class Value:
    """One value, or a section of some."""

    path: tuple[str, ...]
    says: str
    default: Any
    is_section: bool


def values() -> Iterator[Value]:
    """Every value with its section before it, in the order of the model."""
    yield from _of((), Values())


def render() -> str:
    """The text of `values.yaml`: above each value what it says, and what it is if nobody says otherwise."""
    lines = [HEADER.rstrip()]
    for value in values():
        indent = "  " * (len(value.path) - 1)
        said = textwrap.wrap(value.says, _WIDTH - len(indent), break_long_words=False, break_on_hyphens=False)
        begins_section = lines[-1].endswith(f"{''.join(value.path[-2:-1])}:") and len(value.path) > 1
        lines += [*([] if begins_section else [""]), *(f"{indent}# {line}" for line in said)]
        lines.append(f"{indent}{value.path[-1]}:" if value.is_section else textwrap.indent(_entry(value), indent))
    return "\n".join(lines) + "\n"


def reference() -> str:
    """A table of every value that can be set."""
    rows = [[code(".".join(value.path)), code(json.dumps(value.default)), value.says] for value in values() if not value.is_section]
    return table(["Value", "Default", "What it says"], rows)


def _of(path: tuple[str, ...], section: Section) -> Iterator[Value]:
    for name, field in type(section).model_fields.items():
        content = getattr(section, name)
        here, says = (*path, str(field.alias)), " ".join(str(field.description).split())
        if isinstance(content, Section):
            yield Value(here, says, None, is_section=True)
            yield from _of(here, content)
        else:
            yield Value(here, says, content if isinstance(content, str | int | list | dict) else {}, is_section=False)


def _entry(value: Value) -> str:
    """The value as YAML; an empty one in one line."""
    return yaml.safe_dump({value.path[-1]: value.default}, sort_keys=False, width=120).rstrip()
