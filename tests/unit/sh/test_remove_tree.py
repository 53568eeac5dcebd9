"""The script that takes a whole tree away: with its Cluster, and with nothing in it that anybody needs."""

import os
import subprocess
import time
from dataclasses import replace
from pathlib import Path
from secrets import token_hex

import pytest
from far_end import HERE, FarEnd, key, submission

from fairlead.domain.errors import RemoteFault
from fairlead.domain.run.answers import CancelPhase, SubmitWord
from fairlead.domain.run.run import RunKey, StopWord, Tree
from fairlead.schedulers.seam import COMMAND, TreeRemoval, TreeRemoved, TreeState

KEY = key()
GONE = TreeRemoved(TreeState.GONE)


def take_away(far: FarEnd, tree: Tree, *owed: str) -> TreeRemoved:
    return far.exchange(far.slurm.remove_tree(token_hex(16), TreeRemoval(tree, HERE, owed)))


def why_it_stays(far: FarEnd, *owed: str) -> str:
    """Why the tree stays; it has to be whole, and where it was."""
    before = everything(far.tree)
    said = take_away(far, far.known, *owed)
    assert said.state is TreeState.STAYS
    assert everything(far.tree) == before
    assert [entry.name for entry in (far.home / "work").iterdir()] == [far.tree.name]
    return said.why


def everything(tree: Path) -> list[str]:
    return sorted(str(path.relative_to(tree)) for path in tree.rglob("*"))


def buried(far: FarEnd) -> RunKey:
    """A Run that was submitted, has run, and is down to its tombstone."""
    far.submit(submission())
    far.run_job("100", KEY)
    far.cancel(KEY, CancelPhase.END)
    assert far.remove(KEY, KEY.next).keys == {KEY, KEY.next}
    return KEY


def test_a_tree_of_tombstones_goes_whole_and_its_folder_is_made_anew(far: FarEnd) -> None:
    """A Cluster that was deleted left its tombstones and its tree for good; or the next one of its name could not use the folder."""
    buried(far)
    known = far.known
    assert take_away(far, known) == GONE
    assert list((far.home / "work").iterdir()) == []
    assert (far.home / "hello-100.out").read_text() == "hello\n"
    anew = far.probe()
    assert anew.problem is None
    assert anew.tree
    assert anew.tree.marker != known.marker


def test_what_comes_late_runs_nothing_in_what_is_there_instead(far: FarEnd) -> None:
    """A submission that hung, or a job that starts late, would run the script of a Job that is gone: its tombstone is gone, too."""
    far.submit(submission())
    command, known, code = far.wrapper_command("101", KEY), far.known, far.slurm.submit(token_hex(16), far.known, [submission()])
    far.cancel(KEY, CancelPhase.END)
    far.remove(KEY)
    assert take_away(far, known) == GONE
    for _ in range(2):
        assert far.exchange(code)[KEY].word is SubmitWord.NO_TREE
        done = subprocess.run(command, env=far.job_environment("101"), capture_output=True, check=False)
        assert done.returncode == 123, done
        far.probe()                      # and once more, where a new tree is
    assert list((far.tree / "runs").iterdir()) == []
    assert far.jobs() == ["100"], "sbatch was called"


def test_it_stays_for_whatever_is_needed_there(far: FarEnd) -> None:
    """What runs, was left alone, is owed or is another's would lose its directory, or be forgotten."""
    buried(far)
    assert "runs/" in why_it_stays(far, "no-such-uid", KEY.uid)
    stranger = far.tree / "runs" / "notes"
    for plant, clear in (
        (lambda: far.submit(submission(key(number=7))), lambda: far.remove(key(number=7))),
        (stranger.mkdir, stranger.rmdir),
        ((far.tree / "by-another").touch, (far.tree / "by-another").unlink),
        ((far.tree / "layout").unlink, lambda: (far.tree / "layout").write_text("1\n")),
        ((far.run_dir(KEY) / "kept").touch, (far.run_dir(KEY) / "kept").unlink),
    ):
        plant()
        assert why_it_stays(far)
        clear()
    claim = far.run_dir(KEY) / "claim"
    for target in ("100.abc", "x -> revoked", f"x\nl runs/{KEY}/claim -> revoked"):
        claim.unlink()
        claim.symlink_to(target)
        assert str(KEY) in why_it_stays(far)
    claim.unlink()
    assert str(KEY) in why_it_stays(far), "a directory whose submission may be on its way"
    claim.symlink_to("revoked")
    assert take_away(far, far.known) == GONE


def test_it_stays_as_long_as_a_run_may_live_whose_end_nobody_saw(far: FarEnd) -> None:
    """A script on a node that was cut off would run on for ever, once the node is back: its wrapper ends it by the tombstone."""
    far.submit(submission())
    (far.run_dir(KEY) / "claim").symlink_to("100.abc")
    (far.run_dir(KEY) / "started-0").write_text("100 1 node\n")
    far.cancel(KEY, CancelPhase.END, why=StopWord.CLOSE)
    assert far.remove(KEY).keys == {KEY}
    assert "nobody has seen" in why_it_stays(far)
    then = time.time() - 9 * 86400
    os.utime(far.tree / "unended", (then, then))
    assert take_away(far, far.known) == GONE


def test_nothing_that_was_planted_leads_out_of_it(far: FarEnd, tmp_path: Path) -> None:
    """A script's links would have the user's own files removed with the tree."""
    buried(far)
    precious = far.home / "precious"
    precious.mkdir()
    (precious / "thesis").write_text("all of it")
    (far.tree / "bin" / "out").symlink_to(precious)
    (far.tree / "tmp" / "deep").mkdir()
    (far.tree / "tmp" / "deep" / "up").symlink_to("../../../..")
    (far.tree / "tmp" / "shut").mkdir()
    (far.tree / "tmp" / "shut" / "file").touch()
    (far.tree / "tmp" / "shut").chmod(0)
    known = far.known
    aside = far.tree.parent / f".{far.tree.name}.gone.{known.marker}"
    aside.symlink_to(precious)
    assert take_away(far, known) == GONE
    assert (precious / "thesis").read_text() == "all of it"
    assert list((far.home / "work").iterdir()) == []


def test_one_that_was_cut_off_goes_on_where_it_was(far: FarEnd) -> None:
    """Half of a tree would stay for good; or what was made in its place meanwhile would go, too."""
    buried(far)
    known = far.known
    aside = far.tree.parent / f".{far.tree.name}.gone.{known.marker}"
    far.shadow("timeout", 'case "$*" in *rmdir*) exit 124 ;; esac; exec "$real" "$@"')
    assert take_away(far, known) == TreeRemoved(TreeState.MORE)
    assert aside.is_dir()
    assert not (aside / "marker").exists()
    assert far.probe().problem is None, "the folder can be used at once"
    fresh = far.submit(submission(key(number=7)))
    assert fresh.word is SubmitWord.SUBMITTED
    (far.root / "bin" / "timeout").unlink()
    assert take_away(far, known) == GONE
    assert not aside.exists()
    assert far.run_dir(key(number=7)).is_dir()


def test_what_was_begun_in_the_moment_of_the_rename_has_it_put_back(far: FarEnd) -> None:
    """Another Cluster's Run that was being submitted there would lose its directory."""
    buried(far)
    before = everything(far.tree)
    far.shadow("mv", f'"$real" "$@" || exit; case $1 in {far.tree}) mkdir "$2/runs/{key(number=7)}" ;; esac')
    said = take_away(far, far.known)
    assert said.state is TreeState.STAYS
    assert str(key(number=7)) in said.why
    assert everything(far.tree) == sorted([*before, f"runs/{key(number=7)}"])


def test_another_folder_in_its_place_is_not_taken_for_it(far: FarEnd) -> None:
    """CD: a mount that changes in the middle would have the wrong folder removed."""
    buried(far)
    known = far.known
    far.shadow("mv", f'case $1 in {far.tree}) "$real" "$1" "$1.away"; mkdir "$1"; true >"$1/thesis" ;; esac; exec "$real" "$@"')
    said = take_away(far, known)
    assert said.state is TreeState.STAYS
    assert (far.tree / "thesis").exists()
    with pytest.raises(RemoteFault, match="no marker"):
        take_away(far, replace(known))
    assert (far.tree / "thesis").exists()


@pytest.mark.skipif(os.getuid() != 0, reason="only root can mount")
def test_what_somebody_has_mounted_there_is_not_entered(far: FarEnd) -> None:
    """A person's files on another file system would go with the tree."""
    buried(far)
    mounted = far.tree / "tmp" / "mounted"
    mounted.mkdir()
    sh = (f"mount -t tmpfs none {mounted} && touch {mounted}/thesis && {far.root}/tools/sh -c \"$0\" <{far.root}/stdin >{far.root}/said; "
          f"find {far.home}/work -name thesis")
    exchange = far.slurm.remove_tree(token_hex(16), TreeRemoval(far.known, HERE))
    (far.root / "stdin").write_bytes(exchange.stdin())
    paths = {"PATH": f"{far.environment()['PATH']}:/usr/bin:/bin"}
    done = subprocess.run(
        ["unshare", "--mount", "sh", "-c", sh, COMMAND], env=far.environment() | paths, capture_output=True, text=True, check=False)
    assert exchange.parse((far.root / "said").read_bytes()).state is TreeState.STAYS
    assert "/tmp/mounted/thesis" in done.stdout, done
