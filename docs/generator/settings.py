"""The page of the settings file: every setting with its default and what its docstring says."""

import ast
import inspect
import textwrap
from collections.abc import Iterator
from dataclasses import is_dataclass
from typing import Any

import yaml

from fairlead.app.settings import Settings
from generator.markdown import code, table

INTRODUCTION = """# Settings of controller and gateway

`fairlead controller --settings FILE` and `fairlead gateway --settings FILE` read a YAML file of these sections. `gateway`, `gateway_lease`
and `tunnels` are the gateway's, `kube` is both's, the others are the controller's; one file may hold all of them. Every setting has a
default that suits production, so a file holds only what is to differ; a name that does not exist ends the start with a sentence. Names end
in their unit.

```yaml
{example}```

What concerns one cluster (intervals of polls, time-outs of connections) stands in its [Cluster](cluster.md).
"""
EXAMPLE = {"engine": {"sweep_seconds": 1800}, "lease": {"duration_seconds": 30}}


def page() -> str:
    """The whole page."""
    parts = [INTRODUCTION.format(example=yaml.safe_dump(EXAMPLE, sort_keys=False))]
    for path, values in sections():
        rows = [[code(name), code(_number(getattr(values, name))), text] for name, text in docstrings(type(values)).items()]
        parts += [f"## {path}\n\n{_plain(type(values).__doc__)}\n", table(["Setting", "Default", "What it says"], rows)]
    return "\n".join(parts)


def sections() -> Iterator[tuple[str, Any]]:
    """Every section by its path in the file, with its defaults; sections inside others too."""
    whole = Settings()
    for name in Settings.model_fields:
        yield from _with_inner(name, getattr(whole, name))


def _with_inner(path: str, section: Any) -> Iterator[tuple[str, Any]]:
    yield path, section
    for name in type(section).__annotations__:
        if is_dataclass(inner := getattr(section, name, None)):
            yield from _with_inner(f"{path}.{name}", inner)


def docstrings(section: Any) -> dict[str, str]:
    """Every setting of a section but the sections in it, with the docstring below it, empty if it has none. Inherited ones come first."""
    found: dict[str, str] = {}
    for each in reversed(section.__mro__):
        if each.__module__.startswith("fairlead."):
            found |= _own_docstrings(each)
    return found


def _own_docstrings(section: Any) -> dict[str, str]:
    [body] = [node.body for node in ast.parse(textwrap.dedent(inspect.getsource(section))).body if isinstance(node, ast.ClassDef)]
    found: dict[str, str] = {}
    for node, following in zip(body, [*body[1:], ast.Pass()], strict=True):
        if isinstance(node, ast.AnnAssign) and isinstance(node.target, ast.Name) and not _is_section(node):
            is_text = isinstance(following, ast.Expr) and isinstance(following.value, ast.Constant)
            found[node.target.id] = _plain(following.value.value) if is_text else ""  # type: ignore[attr-defined]
    return found


def _is_section(node: ast.AnnAssign) -> bool:
    """Whether a field has another section for its default."""
    return isinstance(node.value, ast.Call) and any(each.arg == "default_factory" for each in node.value.keywords)


def _plain(text: str | None) -> str:
    return " ".join((text or "").split())


def _number(value: object) -> str:
    return f"{value:g}" if isinstance(value, float) else str(value)
