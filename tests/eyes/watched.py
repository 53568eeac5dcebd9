"""Where a secret may show up: the command lines of all processes while something goes on, and every file below a folder."""

import stat
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

LOOK_SECONDS = 0.01


@contextmanager
def command_lines(*secrets: str) -> Iterator[list[str]]:
    """The command lines of this machine's processes that hold one of these words, looked at over and over while inside."""
    found: list[str] = []
    words, over = [word.encode() for word in secrets], threading.Event()

    def look() -> None:
        while not over.wait(LOOK_SECONDS):
            for path in Path("/proc").glob("[0-9]*/cmdline"):
                try:
                    line = path.read_bytes()
                except OSError:
                    continue
                if any(word in line for word in words):
                    found.append(line.replace(b"\0", b" ").decode(errors="replace"))

    looking = threading.Thread(target=look, daemon=True)
    looking.start()
    try:
        yield found
    finally:
        over.set()
        looking.join()


def files_with(folder: Path, *secrets: str) -> dict[Path, int]:
    """The files below a folder that hold one of these words, and their modes."""
    words, found = [word.encode() for word in secrets], dict[Path, int]()
    for path in folder.rglob("*"):
        try:
            mode = path.lstat().st_mode
            if stat.S_ISREG(mode) and any(word in path.read_bytes() for word in words):
                found[path] = mode
        except OSError:                  # gone meanwhile
            continue
    return found
