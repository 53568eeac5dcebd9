"""How findings are shown: lines for people, wrapped and coloured on a terminal alone, or JSON for programs; and progress meanwhile."""

import json
import os
import shutil
import sys
import textwrap
from collections.abc import Mapping, Sequence
from typing import Any, Final

import click

from fairlead.api.v1alpha1.texts import clean
from fairlead.cli.doctor.finding import Finding, Result
from fairlead.cli.doctor.way import Target, worst

_COLOURS: Final[Mapping[Result, Mapping[str, Any]]] = {
    Result.OK: {"fg": "green"}, Result.NOTE: {"fg": "yellow"}, Result.WRONG: {"fg": "red", "bold": True}, Result.SKIPPED: {"dim": True},
}
_VERDICT_WIDTH: Final = max(map(len, Result))
_LEAST_WIDTH: Final = 40
_WORDS_CHARACTERS: Final = 2000


class Progress:
    """One line on standard error that says what is waited for, on a terminal alone; gone when there is something to show."""

    def __init__(self) -> None:
        self._on = sys.stderr.isatty() and os.environ.get("TERM") != "dumb"
        self._shown = ""

    def tell(self, words: str) -> None:
        """Show this in the place of what was shown."""
        width = shutil.get_terminal_size().columns - 1
        line = clean(words, width)
        if self._on and line != self._shown:
            self._shown = line
            click.echo(f"\r\x1b[K{line}", nl=False, err=True)

    def clear(self) -> None:
        """Take it away."""
        if self._shown:
            self._shown = ""
            click.echo("\r\x1b[K", nl=False, err=True)


def text(target: Target, findings: Sequence[Finding]) -> str:
    """One host's lines. Off a terminal each is one line, however long, for who searches it."""
    is_terminal = sys.stdout.isatty()
    coloured = is_terminal and not os.environ.get("NO_COLOR") and os.environ.get("TERM") != "dumb"
    width = max(shutil.get_terminal_size().columns, _LEAST_WIDTH) if is_terminal else 0
    column = max((len(each.check) for each in findings), default=0)
    lines = [target.title if not target.cluster else f"{target.cluster}: {target.title}"]
    for each in findings:
        head = f"  {each.verdict:{_VERDICT_WIDTH}}  {each.check:{column}}  "
        words = clean(each.words, _WORDS_CHARACTERS)
        wrapped = textwrap.wrap(words, width - len(head), break_on_hyphens=False) if width else [words]
        painted = head.replace(each.verdict, click.style(each.verdict, **_COLOURS[each.verdict]), 1) if coloured else head
        lines.append((painted + f"\n{' ' * len(head)}".join(wrapped)).rstrip())
    return "\n".join(lines)


def summary(reports: Sequence[Sequence[Finding]]) -> str:
    """The last line: how many of each."""
    counts = {verdict: sum(1 for findings in reports for each in findings if each.verdict is verdict) for verdict in Result}
    names = {Result.OK: "ok", Result.NOTE: "to note", Result.WRONG: "to change", Result.SKIPPED: "skipped"}
    return ", ".join(f"{counts[verdict]} {name}" for verdict, name in names.items() if counts[verdict])


def as_json(targets: Sequence[Target], reports: Sequence[Sequence[Finding]]) -> str:
    """An object for programs; its names stay."""
    return json.dumps({
        "ok": all(worst(each) is Result.OK for each in reports),
        "hosts": [{
            "cluster": target.cluster or None, "host": target.endpoint.host, "port": target.endpoint.port,
            "user": target.user or target.spec.user, "ok": worst(findings) is Result.OK,
            "checks": [{"check": each.check, "result": str(each.verdict), "message": clean(each.words, _WORDS_CHARACTERS)}
                       for each in findings],
        } for target, findings in zip(targets, reports, strict=True)],
    }, indent=2)
