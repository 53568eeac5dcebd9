"""The look of `fairlead doctor`: under each shell it comes to its end, says what is there, and changes nothing."""

from secrets import token_hex

from far_end import FarEnd

from fairlead.api.v1alpha1.cluster import ClusterSpec
from fairlead.domain.run.run import Tree
from fairlead.schedulers import doctor
from fairlead.schedulers.doctor import Facts
from fairlead.schedulers.seam import Exchange


def look(far: FarEnd, tree: Tree | None = None, **spec: object) -> Facts:
    fence = token_hex(16)
    whole = {"type": "Slurm", "user": "root", "authSecretRef": {"name": "key"}, "workDir": "~/work", **spec}
    code = doctor.program(fence, ClusterSpec.model_validate(whole), tree=tree)
    return doctor.read(far.send(Exchange("doctor", code, b"", 0.0, 0, bytes).stdin()), fence)


def entries(far: FarEnd) -> list[tuple[str, int]]:
    return sorted((str(each), each.lstat().st_mtime_ns) for each in (far.home, *far.home.rglob("*")))


def test_what_is_there_is_said_and_nothing_is_changed(bare: FarEnd) -> None:
    """Else a person would be told of a folder that is not there, or find one that nobody has asked for."""
    (bare.root / "sbatch.says").write_text("0\nJob 1 to start\n")     # so that no job is made of it
    before = entries(bare)
    facts = look(bare)
    assert facts.whole
    assert (facts.text("work-dir"), facts.text("work-dir", 1)) == (f"{bare.home}/work", str(bare.home))
    assert facts.text("path") == bare.environment()["PATH"]
    assert (facts.has("up"), facts.text("accounting"), facts.has("partitions-unknown")) == (True, "absent", True)
    assert {row[0]: row[1] for row in facts.table("tool", 2)}["sbatch"]
    assert entries(bare) == before
    assert bare.jobs() == []


def test_a_tree_that_is_known_is_looked_at(far: FarEnd) -> None:
    """Else a home that is not mounted would look well."""
    assert look(far, far.known).text("tree", 1) == "same"
    assert look(far, Tree(far.known.path, "f" * 32)).text("tree", 1) == "other"
    far.tree.rename(far.home / "aside")
    assert look(far, Tree(str(far.tree), "f" * 32)).text("tree", 1) == "gone"


def test_an_answer_that_was_cut_says_how_far_it_came() -> None:
    """Else a person would not learn at what a login node hangs."""
    fence = "a" * 32
    rows = [("begin", "1700000000"), ("step", "login"), ("shell", "/bin/sh"), ("step", "disk")]
    text = "welcome\n" + "".join("\x1f".join((fence, *row)) + "\n" for row in rows) + f"{fence}\x1fdisk\x1f/ho"
    facts = doctor.read(text.encode(), fence)
    assert (facts.whole, facts.step, facts.noise_bytes, facts.has("disk")) == (False, "disk", 8, False)
    nothing = doctor.read(b"not ours", fence)
    assert (nothing.whole, nothing.step, nothing.noise_bytes, dict(nothing.rows)) == (False, "", 8, {})
