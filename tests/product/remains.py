"""What is left of the product on a login node, as the machine itself shows it."""

from pathlib import Path

from bed.login import LoginNode
from bed.ownhost import OwnHost
from bed.slurm import SlurmCluster

FIXED = {"bin", "changes", "host", "layout", "marker", "runs", "tmp", "unended"}
"""What a work folder holds by itself: the constant scripts, its layout and mark, where wrappers tell of a change,
two folders, and on a bare host one for its queue. `unended`: a Run was cleaned up whose end nobody had seen, `by-*` whose it is."""


def remains_on(node: LoginNode | OwnHost, *, connected: bool) -> list[str]:
    """What is left, in words; `connected` allows the one connection that a Cluster keeps while it lives."""
    left: list[str] = []
    if isinstance(node, SlurmCluster):
        left += [f"Slurm job {job}" for job in node.jobs_active()]
    if not connected and (connections := node.connections()):
        left.append(f"{connections} SSH connections")
    for pid in sorted(node.user_pids()):
        command = _command(pid)
        if command and not (connected and _is_session(command)):
            left.append(f"process {pid}: {command}")
    return left + files_in(node.home)


def files_in(home: Path) -> list[str]:
    """What is left in a user's home, in words."""
    trees = sorted((home / ".fairlead").glob("*"))
    try:
        return [f"file {path.relative_to(home)}" for tree in trees for path in _strays(tree)]
    except FileNotFoundError:            # one goes with its Cluster just now
        return [f"file {tree.relative_to(home)}" for tree in trees]


def running(node: LoginNode, word: str) -> list[int]:
    """The user's processes that have this word in their command line."""
    return [pid for pid in sorted(node.user_pids()) if word in _command(pid)]


def _strays(tree: Path) -> list[Path]:
    strays = [each for each in tree.iterdir() if each.name not in FIXED and not each.name.startswith("by-")]
    strays += [*(tree / "tmp").iterdir(), *tree.glob("host/queue/*")]
    for run in (tree / "runs").iterdir():
        entries = sorted(each.name for each in run.iterdir())
        claim = run / "claim"
        if entries != ["claim"] or not claim.is_symlink() or str(claim.readlink()) != "revoked":
            strays.append(run)
    return strays


def _command(pid: int) -> str:
    try:
        return Path(f"/proc/{pid}/cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace").strip()
    except OSError:
        return ""


def _is_session(command: str) -> bool:
    return Path(command.split(":", maxsplit=1)[0]).name.startswith("sshd")
