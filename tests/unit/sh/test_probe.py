"""The probe: a tree that is made once, and found to be the same or not at all."""

from pathlib import Path

import pytest
from far_end import HERE, FarEnd

from fairlead.domain.run.answers import AccountingState, ProbeProblem
from fairlead.schedulers import sh
from fairlead.schedulers.seam import Place
from fairlead.schedulers.slurm.scheduler import BUILD


def test_a_tree_is_made_once_and_found_again(bare: FarEnd) -> None:
    """Without it, no Job could be submitted; made anew, all earlier Runs would be out of sight."""
    first = bare.probe()
    assert first.problem is None
    assert first.tree is not None
    assert first.tree.path == str(bare.tree)
    assert bare.tree.stat().st_mode & 0o777 == 0o700
    assert (first.version, first.accounting) == ("24.11.5", AccountingState.ABSENT)
    again = bare.probe(marker=first.tree.marker)
    assert again.tree == first.tree
    assert bare.probe().tree == first.tree


def test_the_wrapper_is_installed_by_its_content(far: FarEnd) -> None:
    """A pending job would start another release's wrapper otherwise."""
    assert (far.tree / "bin" / BUILD / "wrapper.sh").read_text() == sh.WRAPPER
    assert (far.tree / "bin" / BUILD / "enter.sh").read_text() == sh.ENTER


@pytest.mark.parametrize("made", ["layout", "wrapper.sh", "probe"])
def test_a_probe_that_is_ended_leaves_nothing_aside(bare: FarEnd, made: str) -> None:
    """Each controller that ends in that moment would leave a file on the login node for a day."""
    bare.shadow("mv", f'case $* in *.{made}.*) kill -TERM 0 ;; esac\nexec "$real" "$@"')
    assert b"tree" not in bare.send(bare.to_probe().stdin(), own_group=True), "it was not ended in that moment"
    known = {"marker", "layout", "wrapper.sh", "enter.sh"}
    assert [path for path in bare.tree.rglob("*") if path.is_file() and path.name not in known and not path.name.startswith("by-")] == []


def test_the_users_environment_does_not_say_where_the_tree_is(bare: FarEnd) -> None:
    """A profile that exports FOLDER would have the tree made elsewhere on this login node, and Runs start twice."""
    exchange = bare.slurm.probe("a" * 32, Place("~/work", HERE, "", "b" * 32))
    tree = exchange.parse(bare.send(exchange.stdin(), FOLDER="data", TREE="/", HOST="h", MACHINE="m")).tree
    assert tree is not None
    assert tree.path == str(bare.tree)


def test_another_marker_is_not_ours(far: FarEnd) -> None:
    """A wrong mount would be taken for the tree, and everything submitted again."""
    probe = far.probe(marker="f" * 32)
    assert (probe.problem, probe.tree) == (ProbeProblem.NOT_OURS, None)
    assert far.known.marker in probe.text


def test_a_tree_that_we_remember_is_never_made_again(far: FarEnd) -> None:
    """A home that is not mounted would get a second tree, and Runs would start twice."""
    marker = far.known.marker
    far.tree.rename(far.home / "elsewhere")
    assert far.probe(marker=marker).problem is ProbeProblem.NOT_OURS
    assert not far.tree.exists()


def test_a_lost_marker_is_not_made_again(far: FarEnd) -> None:
    """A purged scratch would pass for a new one."""
    marker = far.known.marker
    (far.tree / "marker").unlink()
    assert far.probe(marker=marker).problem is ProbeProblem.NOT_OURS
    assert not (far.tree / "marker").exists()


def test_a_newer_layout_is_left_alone(far: FarEnd) -> None:
    """An older release would misread Runs of a newer one."""
    (far.tree / "layout").write_text("2\n")
    probe = far.probe()
    assert (probe.problem, probe.tree) == (ProbeProblem.NOT_OURS, None)
    assert "layout 2" in probe.text


def test_a_folder_that_cannot_be_made_is_said(bare: FarEnd) -> None:
    """The user would see no reason for a Cluster that never gets ready."""
    (bare.home / "work").write_text("a file")
    probe = bare.probe()
    assert probe.problem is ProbeProblem.NOT_WRITABLE
    assert "work" in probe.text


def test_no_sbatch_is_said_and_the_tree_stands(far: FarEnd, tmp_path: Path) -> None:
    """The user would look for a network problem where binPath is missing."""
    (tmp_path / "bin" / "sbatch").unlink()
    assert far.probe().problem is ProbeProblem.NO_SCHEDULER


def test_a_ping_that_exits_0_and_says_down_is_down(far: FarEnd, tmp_path: Path) -> None:
    """Slurm 20.11 does that: a dead scheduler would look alive."""
    (tmp_path / "scontrol.ping").write_text("Slurmctld(primary) at ctl is DOWN\n")
    probe = far.probe()
    assert probe.problem is ProbeProblem.SCHEDULER_DOWN
    assert probe.tree is not None


def test_accounting_that_answers_is_available(far: FarEnd, tmp_path: Path) -> None:
    """The end of a job that left the queue could not be looked up."""
    (tmp_path / "sacct.rows").write_text("")
    assert far.probe().accounting is AccountingState.AVAILABLE
