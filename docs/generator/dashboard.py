"""A picture of the chart's dashboard: where each panel is, and what its lines are. Pure but for reading the file."""

import json
from collections.abc import Iterator, Mapping
from html import escape
from pathlib import Path
from typing import Any, Final

FILE: Final = Path(__file__).parents[2] / "charts" / "fairlead" / "files" / "dashboard.json"
_COLUMN, _LINE, _GAP, _MARGIN = 41, 11, 3, 8      # pixels: Grafana's grid has 24 columns
_TITLE, _SMALL = 6.9, 5.5                         # pixels that a letter takes at most, on average
_FONTS: Final = "system-ui, 'Segoe UI', 'DejaVu Sans', sans-serif"
_UNITS: Final = {"s": "seconds", "ops": "per second", "bytes": "bytes", "Bps": "bytes per second",
                 "percentunit": "share", "short": "", "none": ""}


def picture() -> str:
    """An SVG of it."""
    found = json.loads(FILE.read_text(encoding="utf-8"))
    panels = found["panels"]
    width = 24 * _COLUMN + 2 * _MARGIN
    height = max(each["gridPos"]["y"] + each["gridPos"]["h"] for each in panels) * _LINE + 2 * _MARGIN
    names = "; ".join(escape(each["title"]) for each in panels if each["type"] != "row")
    size = f'viewBox="0 0 {width} {height}" width="{width}" height="{height}"'
    return "\n".join([
        f'<svg xmlns="http://www.w3.org/2000/svg" {size} role="img" aria-labelledby="title about" font-family="{_FONTS}">',
        f'<title id="title">The panels of the dashboard {escape(found["title"])}</title>', f'<desc id="about">{names}</desc>',
        f'<rect width="{width}" height="{height}" rx="8" fill="#eef1f6"/>',
        *(line for panel in panels for line in _panel(panel)), "</svg>",
    ])


def _panel(panel: Mapping[str, Any]) -> Iterator[str]:
    at = panel["gridPos"]
    x, y, width = _MARGIN + at["x"] * _COLUMN, _MARGIN + at["y"] * _LINE, at["w"] * _COLUMN - _GAP
    if panel["type"] == "row":
        yield f'<text x="{x + 4}" y="{y + _LINE}" font-size="12" font-weight="700" fill="#3b5bdb">{escape(panel["title"])}</text>'
        return
    inner = width - 16
    yield f'<rect x="{x}" y="{y + _GAP}" width="{width}" height="{at["h"] * _LINE - _GAP}" rx="4" fill="#fff" stroke="#c3cede"/>'
    yield f'<text x="{x + 8}" y="{y + 18}" font-size="12" font-weight="600" fill="#1f2a44">{_cut(panel["title"], inner / _TITLE)}</text>'
    for number, line in enumerate(_lines(panel)[:(at["h"] * _LINE - 26) // 14]):
        yield f'<text x="{x + 8}" y="{y + 34 + 14 * number}" font-size="10" fill="#51607a">{_cut(line, inner / _SMALL)}</text>'


def _lines(panel: Mapping[str, Any]) -> list[str]:
    """Its unit, and what its lines are called: a label in braces stands for each of its values."""
    unit = panel.get("fieldConfig", {}).get("defaults", {}).get("unit", "")
    named = [each["legendFormat"].replace("{{", "{").replace("}}", "}") for each in panel.get("targets", ())]
    return [each for each in (_UNITS.get(unit, unit), *named) if each]


def _cut(text: str, letters: float) -> str:
    whole = text if len(text) <= letters else f"{text[:int(letters) - 1].rstrip()}…"
    return escape(whole)
