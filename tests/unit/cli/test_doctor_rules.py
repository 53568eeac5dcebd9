"""The rules of `fairlead doctor` as tables: what is found there, and how it comes out."""

import random
import re

import pytest

from fairlead.api.v1alpha1.cluster import ClusterSpec
from fairlead.api.v1alpha1.texts import clean
from fairlead.cli.doctor.checks import OF_FAR_END, at_far_end
from fairlead.cli.doctor.finding import Finding, Result
from fairlead.cli.doctor.view import View
from fairlead.schedulers import doctor

FENCE, NOW = "a" * 32, 1_700_000_000
OK, NOTE, WRONG, SKIPPED = Result.OK, Result.NOTE, Result.WRONG, Result.SKIPPED
LOGIN = ["begin 1700000000", "step login", "who alice 1000 login1", "shell /bin/bash", "path /usr/bin:/bin"]
PLACE = ["step work-dir", "work-dir /home/alice/.fairlead /home/alice - 1000 alice 700", "step disk",
         "disk /home nfs4 rw,nosuid 90000000 1000000 900000"]
TOOLS = ["step tools", *(f"tool {name} /usr/bin/{name}" for name in ("sbatch", "scontrol", "squeue", "scancel", "sacct"))]
SLURM = ["step scontrol", "version slurm_24.11.5", "up", "step partitions", "partition debug* up infinite 4",
         "partition gpu up 1-00:00:00 8", "step nodes", "nodes 12 0", "step submit", "submit 0 -", "step sacct", "accounting available",
         "step limits", "association c1 physics - 10 20", "end"]


def view(*lines: str, now: float = NOW, **spec: object) -> View:
    """What the far end says: a line for each row, in which - is an empty field."""
    fields = [["" if word == "-" else word.replace("_", " ") for word in line.split(" ")] for line in lines]
    text = "".join("\x1f".join([FENCE, *each]) + "\n" for each in fields)
    whole = {"type": "Slurm", "user": "alice", "authSecretRef": {"name": "key"}, "limits": {"maxActiveJobs": 20}, **spec}
    return View(ClusterSpec.model_validate(whole), doctor.read(text.encode(), FENCE), now, now + 0.2)


def found(*lines: str, **spec: object) -> dict[str, Finding]:
    return {each.check: each for each in at_far_end(view(*lines, **spec))}


def test_all_is_well() -> None:
    """Else a person would be sent to mend what is whole."""
    assert {each.verdict for each in found(*LOGIN, *PLACE, *TOOLS, *SLURM).values()} == {OK}


@pytest.mark.parametrize(("old", "new", "check", "verdict", "words"), [
    ("begin 1700000000", "begin 1700000090", "clock", NOTE, "90 s ahead of this machine's"),
    ("begin 1700000000", "begin 1699999900", "clock", NOTE, "99 s behind this machine's"),
    ("begin 1700000000", "begin 1700000003", "clock", OK, "within 5 s"),
    ("rw,nosuid 90000000", "rw,noexec 90000000", "exec", NOTE, "/home is mounted noexec"),
    ("90000000 1000000", "500 1000000", "space", WRONG, "/home is full (500 KiB are free)"),
    ("90000000 1000000", "50000 1000000", "space", NOTE, "has 48.8 MiB and 900000 files left"),
    ("1000000 900000", "1000000 0", "space", WRONG, "takes no more files"),
    ("1000000 900000", "0 0", "space", OK, "85.8 GiB are free"),
    ("step disk", "quota Disk_quotas_for_alice:_over", "space", WRONG, "over quota, it says: Disk quotas for alice: over"),
    ("disk /home nfs4", "disk /home xfs", "shared", NOTE, "/home is xfs, which the 12 compute nodes seldom share"),
    ("nodes 12 0", "nodes 1 1", "shared", OK, "the only compute node is this host"),
    ("tool sbatch /usr/bin/sbatch", "tool sbatch -", "sbatch", WRONG, "write its folder into spec.slurm.binPath"),
    ("tool squeue /usr/bin/squeue", "tool squeue -", "sbatch", WRONG, "squeue is not beside /usr/bin/sbatch"),
    ("partition debug* up", "partition debug up", "partitions", NOTE, "none is the site's default"),
    ("partition debug* up", "partition debug* down", "partitions", NOTE, "is not up"),
    ("submit 0 -", "submit 1 sbatch:_error:_Time_limit_specification_required", "submit", NOTE, "Time limit specification required"),
    ("accounting available", "accounting down sacct:_error:_no_connection", "sacct", NOTE, "it does not answer"),
    ("association c1 physics - 10 20", "association c1 physics gpu 10 5", "limits", NOTE, "write 5 into spec.limits.maxActiveJobs"),
    ("association c1 physics - 10 20", "x", "limits", NOTE, "no association of alice"),
], ids=lambda value: re.sub(r"\W+", " ", value)[:30] if isinstance(value, str) else "")
def test_one_thing_is_not_well(old: str, new: str, check: str, verdict: Result, words: str) -> None:
    """Else its line would say ok, or send a person the wrong way."""
    lines = [line.replace(old, new) for line in (*LOGIN, *PLACE, *TOOLS, *SLURM)]
    assert lines != [*LOGIN, *PLACE, *TOOLS, *SLURM]
    finding = found(*lines)[check]
    assert (finding.verdict, words in finding.words) == (verdict, True), finding


WORST = (b"", b"-", b"9" * 400, b"\xff\xfe\x00", b"\x1b]0;evil\x07", "\u202eevil".encode(), b"debug*", b"rw,noexec,ro", b"x" * 40_000,
         "\u0663".encode())
KINDS = sorted({line.split(" ")[0] for line in (*LOGIN, *PLACE, *TOOLS, *SLURM)} | {
    "open", "quota", "tree", "down", "partitions-unknown", "problem", "tools", "systemd", "ends-at-logout", "stays-in-scope", "means",
    "size"})


@pytest.mark.parametrize("kind", ["Slurm", "Process"])
def test_whatever_the_far_end_says_is_told_in_bounds(kind: str) -> None:
    """Else a host could end the command, or write into a person's terminal."""
    chance = random.Random(7)
    spec = {"type": kind, "user": "alice", "authSecretRef": {"name": "key"}}
    for _ in range(300):
        rows = [b"\x1f".join([FENCE.encode(), chance.choice(KINDS).encode(), *chance.choices(WORST, k=chance.randint(0, 7))])
                for _ in range(chance.randint(0, 40))]
        facts = doctor.read(b"\n".join([*rows, b""]), FENCE)
        seen = list(at_far_end(View(ClusterSpec.model_validate(spec), facts, NOW, NOW + 1)))
        assert len(seen) <= len(OF_FAR_END[kind])
        assert all(clean(each.words, 2000).isprintable() and len(each.words) < 20_000 for each in seen)


def test_of_what_hangs_the_name_is_said() -> None:
    """Else a person would be shown nothing but a time-out."""
    far = found(*LOGIN, "step work-dir")
    assert (far["shell"].verdict, far["workDir"].verdict, far["space"].verdict, far["sbatch"].verdict) == (OK, WRONG, SKIPPED, SKIPPED)
    assert "hung or broke off here" in far["workDir"].words


def test_each_check_stands_at_a_step_of_the_program() -> None:
    """Else one that hangs would not be told from one behind it."""
    for checks in OF_FAR_END.values():
        at = [doctor.STEPS.index(each.step) for each in checks]
        assert min(at) > 0
        names = [each.name for each in checks]
        assert all(names.index(need) < names.index(each.name) for each in checks for need in each.needs)
