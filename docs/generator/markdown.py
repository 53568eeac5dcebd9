"""The few forms of Markdown that the pages are made of."""

from collections.abc import Iterable, Sequence


def table(heads: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """A table; a cell is Markdown on one line."""
    lines = [heads, ["---"] * len(heads), *rows]
    return "\n".join("| " + " | ".join(cell(each) for each in line) + " |" for line in lines) + "\n"


def cell(text: str) -> str:
    """Text that cannot end a table's cell."""
    return " ".join(text.split()).replace("|", "\\|")


def code(text: object) -> str:
    """Text as it is, in a font of fixed width; empty text stays empty."""
    return f"`{text}`" if text != "" else ""


def folded(title: str, body: str) -> str:
    """A body that is shown when its title is clicked."""
    return f'??? info "{title}"\n\n' + "".join(f"    {line}\n" if line else "\n" for line in body.splitlines()) + "\n"
