"""The remove script: tombstones that keep late starts out, and what a sweep finds."""

import os
from pathlib import Path

from far_end import FarEnd, key, submission

from fairlead.domain.run.answers import CancelPhase, Remnant, SubmitWord

KEY = key()


def test_a_directory_goes_down_to_its_tombstone(far: FarEnd) -> None:
    """Secrets and scripts would stay; or a late submission would find nothing that stops it."""
    far.submit(submission(env={"SECRET": "s"}))
    far.run_job("100", KEY)
    far.cancel(KEY, CancelPhase.END)
    assert far.remove(KEY).keys == {KEY}
    assert [entry.name for entry in far.run_dir(KEY).iterdir()] == ["claim"]
    assert (far.run_dir(KEY) / "claim").readlink() == Path("revoked")
    assert (far.home / "hello-100.out").read_text() == "hello\n"
    assert far.submit(submission(resubmit=True)).word is SubmitWord.REVOKED
    assert far.remove(KEY).keys == {KEY}


def test_no_start_can_win_at_any_moment_of_it(far: FarEnd) -> None:
    """RENAME: between the old claim's removal and the tombstone a late job would claim the key of a deleted object."""
    far.submit(submission())
    far.run_job("100", KEY)
    claim = far.run_dir(KEY) / "claim"
    spy = far.root / "bin" / "rm"
    spy.write_text(f"#!/bin/sh\nreadlink {claim} >>{far.root}/seen\nln -s 9.late {claim} 2>/dev/null\nexec /bin/rm \"$@\"\n")
    spy.chmod(0o755)
    far.remove(KEY)
    assert set((far.root / "seen").read_text().split()) == {"revoked"}
    assert claim.readlink() == Path("revoked")


def test_a_key_without_a_directory_gets_a_tombstone(far: FarEnd) -> None:
    """TOMB: a submission that wakes up late would find nothing that stops it."""
    assert far.remove(KEY).keys == {KEY}
    assert far.submit(submission()).word is SubmitWord.REVOKED


def test_tombstones_go_after_their_days_and_nothing_else_does(far: FarEnd) -> None:
    """Directories would pile up; or a live Job's directory would go."""
    live, closed, old, young = (key(number=number) for number in range(1, 5))
    far.submit_all([submission(live), submission(closed)])
    far.cancel(closed, CancelPhase.REVOKE)
    far.remove(old, young)
    (far.tree / "tmp" / "left").mkdir()
    ages = {far.run_dir(live): 30, far.run_dir(closed): 30, far.run_dir(old): 9, far.run_dir(young): 5, far.tree / "tmp" / "left": 3}
    for path, days in ages.items():
        then = path.stat().st_mtime - days * 86400
        os.utime(path, (then, then))
    far.remove(sweep=True)
    assert sorted(entry.name for entry in (far.tree / "runs").iterdir()) == sorted(map(str, (live, closed, young)))
    assert list((far.tree / "tmp").iterdir()) == []


def test_a_sweep_lists_directories_and_marked_jobs(far: FarEnd) -> None:
    """What a lost object has left on the cluster would stay there for ever."""
    mine, bare, stone, job, commented = (key(number=number) for number in range(1, 6))
    far.submit(submission(mine))
    far.run_dir(bare).mkdir()
    far.remove(stone)
    far.set_job("70", "RUNNING", job)
    far.set_job("71", "COMPLETED", stone)
    far.set_job("72", "RUNNING", key(number=9), comment="fairlead:elsewhere:x")    # another installation's, by the same login
    far.remove(commented)
    far.set_job("73", "PENDING", commented, comment="its user's own")
    swept = far.remove(sweep=True)
    assert swept.complete
    assert set(swept.remnants) == {
        Remnant(mine, submission(mine).owner, tombstone=False, listed=True), Remnant(bare, None, tombstone=False),
        Remnant(job, None, tombstone=False, listed=True), Remnant(commented, None, tombstone=False, listed=True),
    }


def test_a_sweep_without_a_listing_is_not_complete(far: FarEnd) -> None:
    """What is missing in it would be taken for gone."""
    far.say("squeue", 1, "slurm_load_jobs error: Unable to contact slurm controller (connect failure)")
    assert not far.remove(sweep=True).complete
