"""What a far end could say in the place of what our scripts print: usual rows about one key, and the worst values for each field."""

import re
from collections.abc import Iterator, Sequence
from typing import Final

from fairlead.schedulers.fence import Answer, Row
from product.objects import KEY

NAME: Final = str(KEY)
WORST: Final = [
    "", "-1", "0", "999999999999", "9" * 5000, "٣", "x" * 5000, "\x1b[31m" * 900, "\x1b]0;" + "x" * 5000, "\u202egnp", "a\nb\0\ud800",
    "\x1e" * 3000, "/tmp/\x1b[2J\x07" + "d/" * 3000, "🙂" * 4000, "RUNNING", "COMPLETED", "CANCELLED by 0", "PENDING", "JobHeldUser",
    "revoked", "deadline", "6" * 40_000, "256:300",
]
USUAL: tuple[tuple[str, ...], ...] = (
    ("job", "7", "RUNNING", "1700000000", "1700000000", "n1", "None", f"fairlead:here:{NAME}"),
    ("job", NAME, "7", "RUNNING", "1700000000", "Priority", "n1", "Cgroup"),
    ("started-0", NAME, "7 0 1700000000 n1"), ("finished-0", NAME, "7 0 0 1700000001"), ("run", NAME, "present", "7.ab", "7", "1 no", ""),
    ("log", NAME, "12", "/home/a.out", "/home/a.err", "6869"),
    ("scontrol", NAME, f"JobId=7 JobName=x-{NAME} JobState=FAILED ExitCode=1:0 Reason=None"),
    ("sacct", f"7|TIMEOUT|0:15|None||{NAME}"), ("outcome", NAME, "7 TIMEOUT 0 1700000001", "Cgroup"),
    ("submit", NAME, "submitted", "7", "no"), ("submit", NAME, "refused", "1", "no"), ("submit", NAME, "unknown", "1", "no"),
)
"""Rows about one key as our scripts print them."""
SITE: tuple[tuple[str, ...], ...] = (
    ("tree", "/w/here", "ab" * 16), ("problem", "scheduler-down", "why"), ("version", "slurm 24.11.5"),
    ("accounting", "available"),
)
"""Rows about a site."""


def changed(rows: Sequence[tuple[str, ...]], value: str) -> Iterator[list[tuple[str, ...]]]:
    """The rows with `value` in the place of each field in turn, and of each word of a field. With and without the job in the listing."""
    for place, row in enumerate(rows):
        for index in range(1, len(row)):
            words = re.split(r"([ |=])", row[index])
            for at in range(0, len(words), 2):
                field = "".join((*words[:at], value, *words[at + 1:]))
                new = (row[0].replace("-0", f"-{value}") if "-0" in row[0] and at == 2 else row[0], *row[1:index], field, *row[index + 1:])
                yield [*rows[:place], new, *rows[place + 1:]]


def answer(rows: Sequence[tuple[str, ...]]) -> Answer:
    """As the fence gives it."""
    return Answer(tuple(Row(kind, tuple(each.encode("utf-8", "replace").decode()[:40_000] for each in fields)) for kind, *fields in rows))
