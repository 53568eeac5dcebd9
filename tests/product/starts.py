"""Which starts of a Job's script there were, as the script itself has written them down."""

from bed.login import LoginNode


def starts(node: LoginNode, name: str = "starts") -> list[str]:
    """The words that scripts have written into the file `name` of their user's home, one for each start, in their order."""
    file = node.home / name
    return file.read_text(encoding="utf-8").split() if file.exists() else []
