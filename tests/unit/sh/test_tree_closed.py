"""Whose the tree is: another API server's, or one that others than its user can change, is not worked in by any script."""

import os
import struct
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from secrets import token_hex
from typing import Final

import pytest
from far_end import HERE, FarEnd, key, submission

from fairlead.api.v1alpha1.cluster import ProcessHost
from fairlead.domain.errors import RemoteFault
from fairlead.domain.run.answers import CancelPhase, Probe, ProbeProblem, SubmitWord
from fairlead.schedulers import sh
from fairlead.schedulers.process.scheduler import Process
from fairlead.schedulers.seam import Place
from fairlead.schedulers.slurm.scheduler import BUILD

KEY = key()
STRANGER: Final = replace(HERE, api_server="0b5e3f51-0000-4000-8000-000000000002")
SOMEBODY: Final = 4711
"""A user id that nobody on a machine has."""


def refused(far: FarEnd, *, says: str) -> None:
    """No script works in the tree, and the probe says why."""
    assert far.submit(submission(key(2))).word is SubmitWord.NO_TREE
    assert not far.cancel(KEY, CancelPhase.END).known
    with pytest.raises(RemoteFault, match="not the one we know"):
        far.observe({KEY: ""})
    with pytest.raises(RemoteFault, match="not the one we know"):
        far.remove(KEY)
    ended = far.run_job("100", KEY)
    assert ended.code == 123
    assert not (far.home / "hello-100.out").exists()
    probe = far.probe(marker=far.known.marker)
    assert (probe.problem, probe.tree) == (ProbeProblem.NOT_SAFE, None)
    assert says in probe.text
    assert far.jobs() == ["100"]


OPENED: Final[dict[str, Callable[[FarEnd], Path]]] = {
    "a folder above": lambda far: far.home,
    "the work folder": lambda far: far.home / "work",
    "the tree": lambda far: far.tree,
    "the folder of Runs": lambda far: far.tree / "runs",
    "the folder of wrappers": lambda far: far.tree / "bin",
}


@pytest.mark.parametrize("bits", [0o020, 0o002], ids=["the group", "all others"])
@pytest.mark.parametrize("which", OPENED)
def test_a_folder_that_others_can_write_to_is_named_and_nothing_runs_there(far: FarEnd, which: str, bits: int) -> None:
    """A colleague could put a wrapper of his own in the place of ours: it would run as the user."""
    far.submit(submission())
    folder = OPENED[which](far)
    folder.chmod(0o700 | bits)
    refused(far, says=f"can write to {folder}, and so")
    folder.chmod(0o700)
    assert far.probe(marker=far.known.marker).problem is None
    assert far.run_job("100", KEY).code == 0


@pytest.mark.skipif(os.geteuid() != 0, reason="gives a folder to somebody else")
def test_a_folder_above_that_is_another_users_is_named(far: FarEnd) -> None:
    """He could put another in the tree's place."""
    far.submit(submission())
    os.chown(far.home / "work", SOMEBODY, -1)
    refused(far, says=f"{far.home}/work belongs to another user")


def test_a_folder_that_a_link_leads_through_counts_too(bare: FarEnd) -> None:
    """A link that others can replace leads elsewhere tomorrow."""
    (bare.home / "open").mkdir()
    (bare.home / "real").mkdir()
    (bare.home / "open" / "work").symlink_to(bare.home / "real")
    (bare.home / "work").symlink_to(bare.home / "open" / "work")
    assert bare.probe().problem is None
    (bare.home / "real").chmod(0o770)
    assert f"can write to {bare.home}/work, and so" in bare.probe().text


def test_a_sticky_folder_above_is_closed_enough(bare: FarEnd) -> None:
    """Below /tmp nobody could work otherwise."""
    (bare.home / "work").mkdir()
    (bare.home / "work").chmod(0o1777)
    assert bare.probe().problem is None


@pytest.mark.parametrize("folder", ["runs", "tmp", "bin"])
def test_a_link_in_the_place_of_a_folder_of_ours_is_not_followed(far: FarEnd, folder: str) -> None:
    """It would lead Runs out of the closed tree."""
    far.submit(submission())
    (far.tree / folder).rename(far.home / "aside")
    (far.tree / folder).symlink_to(far.home / "aside")
    assert far.submit(submission(key(2))).word is SubmitWord.NO_TREE
    assert f"{far.tree}/{folder} is not a folder" in far.probe().text


def test_folders_are_closed_also_where_the_one_above_says_otherwise(bare: FarEnd) -> None:
    """In a project's folder with a setgid bit nothing would ever run."""
    (bare.home / "work").mkdir()
    (bare.home / "work").chmod(0o2755)
    assert bare.probe().problem is None
    assert [(bare.tree / name).stat().st_mode & 0o777 for name in (".", "runs", "tmp", "bin", f"bin/{BUILD}")] == [0o700] * 5


def opened_by_acl(folder: Path) -> None:
    """Have all that is made in it open to its group, whatever the umask, as `setfacl -d` does."""
    nobody, entries = 0xFFFFFFFF, ((1, 7), (4, 7), (16, 7), (32, 0))   # owner, group, mask, others: linux/posix_acl.h
    value = struct.pack("<I", 2) + b"".join(struct.pack("<HHI", tag, rights, nobody) for tag, rights in entries)
    try:
        os.setxattr(folder, "system.posix_acl_default", value)
    except OSError as error:
        pytest.skip(f"no ACLs on this file system: {error}")


def test_a_default_acl_on_the_work_folder_keeps_no_job_from_running(bare: FarEnd) -> None:
    """On many a project's scratch every Job would fail, though the Cluster is ready."""
    (bare.home / "work").mkdir(0o700)
    opened_by_acl(bare.home / "work")
    assert bare.probe().problem is None
    assert bare.submit(submission()).word is SubmitWord.SUBMITTED
    assert bare.run_dir(KEY).stat().st_mode & 0o777 == 0o700
    bare.run_dir(KEY).chmod(0o770)   # as an older release has made it
    assert bare.run_job("100", KEY).code == 0
    bare.cancel(KEY.next, CancelPhase.END)
    bare.remove(KEY.next.next)
    assert [bare.run_dir(each).stat().st_mode & 0o777 for each in (KEY.next, KEY.next.next)] == [0o700] * 2


def test_a_default_acl_on_the_work_folder_does_not_lock_a_bare_host_out(bare: FarEnd) -> None:
    """Its own first probe would make a folder that every later one refuses."""
    (bare.home / "work").mkdir(0o700)
    opened_by_acl(bare.home / "work")
    for again in ("first", "second"):
        exchange = Process(HERE, ProcessHost(host="box", slots=1)).probe(token_hex(16), Place("~/work", HERE, "", token_hex(16)))
        assert exchange.parse(bare.send(exchange.stdin())).problem is not ProbeProblem.NOT_SAFE, again


def test_a_command_that_complains_is_not_a_folder_that_is_open(far: FarEnd) -> None:
    """Where a broken LD_PRELOAD makes every command complain, every Job would fail."""
    far.shadow("find", 'echo "ERROR: ld.so: object cannot be preloaded" >&2; exec $real "$@"')
    assert far.probe(marker=far.known.marker).problem is None
    assert far.submit(submission()).word is SubmitWord.SUBMITTED
    assert far.run_job("100", KEY).code == 0
    far.shadow("find", 'echo "no such option" >&2; exit 1')
    assert "cannot be looked at: no such option" in far.probe(marker=far.known.marker).text


@pytest.mark.parametrize("name", ["wrapper.sh", "enter.sh"])
@pytest.mark.parametrize("kind", ["file", "link", "pipe", "folder"])
def test_what_was_put_in_the_place_of_the_wrapper_is_replaced(far: FarEnd, name: str, kind: str) -> None:
    """What one script has planted would run in the place of every later Job."""
    there = far.tree / "bin" / BUILD / name
    text = {"wrapper.sh": sh.WRAPPER, "enter.sh": sh.ENTER}[name]
    there.unlink()
    match kind:
        case "file":
            there.write_text(f"{text}\n")
        case "link":
            (far.home / "evil").write_text(text)
            there.symlink_to(far.home / "evil")
        case "pipe":
            os.mkfifo(there)
        case _:
            there.mkdir()
    assert far.submit(submission()).word is SubmitWord.SUBMITTED
    assert there.is_file()
    assert not there.is_symlink()
    assert there.read_text() == text


def test_a_tree_of_another_api_server_is_told_with_both_names_and_not_touched(far: FarEnd) -> None:
    """Two installations of one name would end each other's Jobs, whose objects the other does not have."""
    far.submit(submission())
    before = everything(far.tree)
    for marker in ("", far.known.marker):
        probe = far.probe(marker=marker, installation=STRANGER)
        assert (probe.problem, probe.tree) == (ProbeProblem.NOT_OURS, None)
        assert all(word in probe.text for word in (HERE.api_server, STRANGER.api_server, "installation here", "--installation"))
    assert everything(far.tree) == before


def test_a_mark_that_names_no_api_server_is_ours_only_if_the_cluster_remembers_it(far: FarEnd) -> None:
    """Whoever came first would take the tree from the one whose Jobs run there."""
    marker, text = far.tree / "marker", "\n".join((far.known.marker, HERE.name, ""))
    marker.write_text(text)
    assert far.probe().problem is ProbeProblem.NOT_OURS
    assert far.probe(marker="f" * 32).problem is ProbeProblem.NOT_OURS
    assert marker.read_text() == text
    assert far.probe(marker=far.known.marker) == good(far)
    assert marker.read_text().splitlines() == [far.known.marker, HERE.name, HERE.api_server]


def good(far: FarEnd) -> Probe:
    """What a probe says when all is well."""
    return far.probe(marker=far.known.marker)


def everything(folder: Path) -> dict[str, tuple[int, int]]:
    """Every entry of a folder with its mode and the time of its last change."""
    return {str(entry): (entry.lstat().st_mode, entry.lstat().st_mtime_ns) for entry in sorted(folder.rglob("*"))}
