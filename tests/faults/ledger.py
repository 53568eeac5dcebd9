"""The ledger: what a Job's own script writes on the node, by shell builtins alone, outside of the home that faults take away.

    start KEY ID PID UPTIME      end KEY ID PID UPTIME CODE      beside KEY ID PID UPTIME (an earlier start was still alive)
"""

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from bed.login import LoginNode
from bed.slurmconf import INSIDE

FOLDER = "ledger"
GIVE_UP_SECONDS = 100

_SCRIPT = """#!/bin/sh
ledger={ledger} id=${{SLURM_JOB_ID:-none}}
key=${{0%/script}} key=${{key##*/}}
note() {{ read -r now _ </proc/uptime; echo "$1 $key $id $$ $now $2" >>$ledger.lines; }}
starts=0
if [ -e $ledger.lines ]; then
  while read -r word _ _ pid _; do
    [ "$word" = start ] || continue
    starts=$((starts + 1))
    [ "$pid" != $$ ] && [ -e "/proc/$pid" ] && note beside
  done <$ledger.lines
fi
note start
finish() {{ note end "$1"; exit "$1"; }}
{early}
[ $starts -lt {failures} ] && failing=1
tries=0
while [ ! -e $ledger.go ] && [ $tries -lt {tries} ]; do sleep 0.1; tries=$((tries + 1)); done
[ "$failing" ] && finish 1
{late}
finish 0
"""


@dataclass(frozen=True, slots=True)
class Line:
    """One line of the ledger; `code` of an end."""

    word: str
    key: str
    id: str
    pid: int
    uptime: float
    code: int | None


@dataclass(frozen=True, slots=True)
class Ledger:
    """The ledger of one Job on one cluster."""

    node: LoginNode
    name: str

    def open(self) -> "Ledger":
        """Make the folder, which everyone may write to."""
        folder = self.node.folder / FOLDER
        folder.mkdir(exist_ok=True)
        folder.chmod(0o1777)
        return self

    def script(self, *, early: str = "", late: str = "", failures: int = 0) -> str:
        """A user's script that waits until it may go; `early` comes before that, `late` after it. The first `failures` starts exit with 1.

        It gives up waiting after `GIVE_UP_SECONDS`.
        """
        ledger = f"{INSIDE}/{FOLDER}/{self.name}"
        return _SCRIPT.format(ledger=ledger, early=early, late=late, failures=failures, tries=GIVE_UP_SECONDS * 10)

    def go(self) -> None:
        """Let the script go on to its end, now and in later starts."""
        self._file("go").touch()

    def wait_again(self) -> None:
        """Later starts wait again."""
        self._file("go").unlink(missing_ok=True)

    def lines(self, word: str | None = None) -> list[Line]:
        """All lines so far, or those with one word."""
        file = self._file("lines")
        text = file.read_text(encoding="utf-8") if file.exists() else ""
        return [line for line in _parsed(text.splitlines()) if word in {None, line.word}]

    def _file(self, what: str) -> Path:
        return self.node.folder / FOLDER / f"{self.name}.{what}"


def _parsed(lines: Iterable[str]) -> Iterable[Line]:
    for line in lines:
        word, key, number, pid, uptime, *code = line.split()
        yield Line(word, key, number, int(pid), float(uptime), int(code[0]) if code else None)
