"""Whether the work folder will do: whose it is, what may be run and written there, and whether compute nodes see it. Pure."""

from typing import Final

from fairlead.cli.doctor.finding import RuleFinding, note, ok, wrong
from fairlead.cli.doctor.view import View

_NETWORKED: Final = ("nfs", "lustre", "gpfs", "beegfs", "ceph", "wekafs", "panfs", "pvfs2", "orangefs", "afs", "cifs", "smb", "glusterfs",
                     "fuse.", "9p", "gfs2", "ocfs2")
"""Beginnings of the types of file systems that several machines can have, as /proc/mounts names them."""
_FULL_KIB: Final = 1024
_SCARCE_KIB: Final = 100 * 1024
_SCARCE_FILES: Final = 1000
_UNITS: Final = ("KiB", "MiB", "GiB", "TiB", "PiB")
ELSEWHERE: Final = "or name another folder in spec.workDir"


def folder(view: View) -> RuleFinding | None:
    """The folder, or that in which it would be made: there, of the right owner, and closed to others."""
    facts = view.facts
    wanted, near, may, owner, mode = (facts.text("work-dir", index) for index in (0, 1, 2, 4, 5))
    if not wanted:
        return None
    user = facts.text("who")
    there = wanted == near
    what = wanted if there else f"{wanted} is not there and cannot be made, since"
    if may == "none":
        return wrong(f"{near} is no folder: remove it, {ELSEWHERE}")
    if may and "ro" in _options(view):
        return wrong(f"{what} {facts.text('disk')} is mounted read-only: have it mounted to be written, {ELSEWHERE}")
    if may:
        subject = f"{what} belongs" if there else f"{what} {near} belongs"
        return wrong(f"{subject} to {owner} with mode {mode}, and {user} may not write there: have it given to {user}, {ELSEWHERE}")
    if facts.has("open"):
        return wrong(f"others than {user} can write to {facts.text('open')}, or own it, and so put their own in the place of {user}'s "
                     f"scripts: have it closed (owned by root or {user}, 'chmod go-w'), {ELSEWHERE}")
    return ok(f"{wanted} is {owner}'s, mode {mode}" if there else f"{wanted} can be made in {near}")


def executable(view: View) -> RuleFinding | None:
    """Whether programs may be run there."""
    mount = view.facts.text("disk")
    if not mount:
        return None
    if "noexec" in _options(view):
        return note(f"{mount} is mounted noexec: Jobs' scripts are read by what their first line names all the same, and no other program "
                    "can be started from there")
    return ok(f"programs may be run from {mount}")


def space(view: View) -> RuleFinding | None:
    """Room, files, and what the site's quota says."""
    facts = view.facts
    free, files, free_files = (facts.count("disk", index) for index in (3, 4, 5))
    mount = facts.text("disk")
    if facts.has("quota"):
        return wrong(f"over quota, it says: {facts.text('quota')}; make room there, {ELSEWHERE}")
    if free is None:
        return None
    if free < _FULL_KIB:
        return wrong(f"{mount} is full ({_size(free)} are free): make room there, {ELSEWHERE}")
    if files and free_files == 0:
        return wrong(f"{mount} takes no more files, whatever their size: remove some, {ELSEWHERE}")
    if free < _SCARCE_KIB or (files and free_files is not None and free_files < _SCARCE_FILES):
        return note(f"{mount} has {_size(free)} and {free_files if files else 'enough'} files left: make room before Jobs fail for it")
    return ok(f"{_size(free)} are free at {mount}")


def tree(view: View) -> RuleFinding | None:
    """Whether the folder that the Cluster remembers is the one that is there; nothing before it has one."""
    path, word = view.facts.text("tree"), view.facts.text("tree", 1)
    if not path:
        return None
    if word == "same":
        return ok(f"{path} has the mark that this Cluster knows")
    seen = "is gone, or its mark is" if word == "gone" else "has the mark of another"
    return wrong(f"{path} {seen}: have the file system mounted, or bring the folder back; Jobs wait until it is the one that "
                 "this Cluster knows")


def shared(view: View) -> RuleFinding | None:
    """Whether compute nodes see the folder, as far as a login node can know it."""
    facts = view.facts
    kind, mount = facts.text("disk", 1), facts.text("disk")
    nodes, own = facts.count("nodes"), facts.count("nodes", 1)
    if not mount or nodes is None:
        return None
    if nodes and nodes == own:
        return ok("the only compute node is this host")
    if kind.startswith(_NETWORKED):
        return ok(f"{mount} is {kind}, which compute nodes can have too")
    return note(f"{mount} is {kind or 'of a type that is not known'}, which the {nodes} compute nodes seldom share: ask the site, and name "
                "a folder in spec.workDir that they do share")


def _options(view: View) -> frozenset[str]:
    return frozenset(view.facts.text("disk", 2).split(","))


def _size(kib: int) -> str:
    amount, unit = float(kib), 0
    while amount >= 1024 and unit < len(_UNITS) - 1:
        amount, unit = amount / 1024, unit + 1
    return f"{amount:.3g} {_UNITS[unit]}"
