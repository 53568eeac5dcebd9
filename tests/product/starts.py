"""Which starts of a Job's script there were, as the script itself has written them down."""

from pathlib import Path

from bed.login import LoginNode


def written(file: Path) -> str:
    """What a script, or Slurm for it, has written into a file so far: nothing before it is there."""
    try:
        return file.read_text(encoding="utf-8")
    except FileNotFoundError:
        return ""


def starts(node: LoginNode, name: str = "starts") -> list[str]:
    """The words that scripts have written into the file `name` of their user's home, one for each start, in their order."""
    return written(node.home / name).split()
