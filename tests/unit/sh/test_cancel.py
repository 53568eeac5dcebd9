"""The cancel script: revoke, ask, end; safe to repeat from the start; nobody else's job is touched."""

import shutil
import time
from pathlib import Path

import pytest
from far_end import FAKES, FarEnd, key, submission, wait_for

from fairlead.domain.run.answers import CancelAnswer, CancelPhase, SubmitWord
from fairlead.domain.run.run import StopWord
from fairlead.schedulers.seam import Cancellation

KEY = key()
NAME = "--name=hello"


def claim(far: FarEnd, job_id: str) -> None:
    (far.run_dir(KEY) / "claim").symlink_to(f"{job_id}.abc")


def test_a_key_that_was_never_begun_never_will_be(far: FarEnd) -> None:
    """A submission that is still on its way would start after the Job was deleted."""
    assert far.cancel(KEY, CancelPhase.ASK) == CancelAnswer(known=True, revoked=True)
    assert (far.run_dir(KEY) / "claim").readlink() == Path("revoked")
    assert far.submit(submission()).word is SubmitWord.REVOKED
    assert far.jobs() == []


def test_revoking_alone_cancels_nothing(far: FarEnd) -> None:
    """A claimed Job is to be watched on, and may be requeued."""
    far.submit(submission())
    claim(far, "100")
    before = len(far.calls("squeue"))
    assert far.cancel(KEY, CancelPhase.REVOKE) == CancelAnswer(known=True, claim="100")
    assert (far.calls("scancel"), len(far.calls("squeue")) - before) == ([], 0)
    assert not (far.run_dir(KEY) / "stop").exists()


def test_a_running_job_is_asked_first_and_ended_then(far: FarEnd) -> None:
    """Its clean-up would not run; or it would never end."""
    far.submit(submission())
    claim(far, "100")
    far.set_job("100", "RUNNING", KEY)
    assert far.cancel(KEY, CancelPhase.ASK) == CancelAnswer(known=True, claim="100", ids=("100",))
    assert far.calls("scancel") == [f"{NAME} -t RUNNING --full -s TERM 100"]
    assert (far.run_dir(KEY) / "stop").exists()
    assert far.cancel(KEY, CancelPhase.END).ids == ("100",)
    assert far.calls("scancel")[1:] == [f"{NAME} 100"]
    assert far.cancel(KEY, CancelPhase.END).ids == ()


def test_a_waiting_job_is_cancelled_at_once(far: FarEnd) -> None:
    """To a waiting job a signal would be tried again for 95 seconds."""
    far.submit(submission())
    assert far.cancel(KEY, CancelPhase.ASK) == CancelAnswer(known=True, revoked=True, ids=("100",))
    assert far.calls("scancel") == [f"{NAME} 100"]


def test_every_listed_job_of_the_key_is_cancelled(far: FarEnd) -> None:
    """A duplicate would stay in the queue for ever."""
    far.submit(submission())
    far.set_job("200", "SUSPENDED", KEY)
    assert set(far.cancel(KEY, CancelPhase.END).ids) == {"100", "200"}


@pytest.mark.parametrize("rewritten", [{"name": "site"}, {"comment": "site"}, {"command": "site"},
                                       {"comment": "site", "command": f"runs/{KEY}/wrapper.sh /home/ann/my tree/here"}], ids=str)
def test_one_mark_is_enough(far: FarEnd, rewritten: dict[str, str]) -> None:
    """A site's plugin may rewrite names or comments; the job would outlive its object."""
    far.set_job("55", "PENDING", KEY, **rewritten)
    assert far.cancel(KEY, CancelPhase.END).ids == ("55",)


@pytest.mark.parametrize("comment", ["theirs", f"fairlead:here:{key(number=7)}", f"{KEY}"])
def test_a_comment_of_its_users_own_is_no_obstacle(far: FarEnd, comment: str) -> None:
    """A Job with `#SBATCH --comment` would outlive its object, or take another's along."""
    far.set_job("55", "PENDING", KEY, comment=comment)
    far.set_job("56", "PENDING", key(number=7), comment=f"fairlead:here:{KEY}")
    far.set_job("57", "PENDING", key(number=8), comment=comment)
    assert far.cancel(KEY, CancelPhase.END).ids == ("55",)
    assert far.calls("scancel") == [f"{NAME} 55"]


@pytest.mark.parametrize("comment", [None, "site"])
def test_a_job_of_an_earlier_release_is_known_by_its_name_too(far: FarEnd, comment: str | None) -> None:
    """What was in the queue when the controller was upgraded would stay there after its object."""
    far.set_former_job("55", "PENDING", KEY)
    if comment:
        far.set_job("55", "PENDING", KEY, name=f"hello-{KEY}", comment=comment, command="bin/0123456789abcdef/wrapper.sh")
    assert far.cancel(KEY, CancelPhase.END).ids == ("55",)
    assert far.calls("scancel") == [f"--name=hello-{KEY} 55"]


def test_a_name_of_another_s_key_is_no_mark(far: FarEnd) -> None:
    """Whoever names his Job as an earlier release named another's would keep that one's deletion waiting for his."""
    far.submit(submission())
    far.set_job("55", "PENDING", key(number=7), name=f"hello-{KEY}", comment="site")
    assert far.cancel(KEY, CancelPhase.END).ids == ("100",)


def test_a_listing_that_is_old_is_not_enough(far: FarEnd) -> None:
    """NAME: slurmctld may have come back from an older state meanwhile, and given the id to another job of that name."""
    far.submit(submission())
    far.shadow("awk", 'sleep 2\nexec "$real" "$@"')
    answer = far.cancel(KEY, CancelPhase.END)
    assert (answer.known, answer.ids, far.calls("scancel")) == (True, (), []), "it is not there any more"
    (far.root / "scontrol.job").write_text(f"JobId=100 JobName=hello Comment=fairlead:here:{KEY}0 Command=runs/{KEY}0/wrapper.sh Power=\n")
    answer = far.cancel(KEY, CancelPhase.END)
    assert (answer.ids, answer.text, far.calls("scancel")) == ((), f"job 100 does not carry {KEY} any more", [])
    for name in (f"hello-{KEY}", f"x Command=runs/{KEY}/wrapper.sh "):
        (far.root / "scontrol.job").write_text(f"JobId=100 JobName={name} Comment=site Command=runs/{key(number=7)}/wrapper.sh Power=\n")
        assert far.cancel(KEY, CancelPhase.END).ids == (), "a name is its user's own"
    (far.root / "scontrol.job").write_text(f"JobId=100 JobName=hello Comment=site Command=runs/{KEY}/wrapper.sh Power=\n")
    assert far.cancel(KEY, CancelPhase.END).ids == ("100",)
    assert far.calls("scancel") == [f"{NAME} 100"]


@pytest.mark.parametrize("name", [" hello", "hello ", "-", "two\nlines", "two\n", "a\x1fb"], ids=repr)
def test_a_name_that_scancel_cannot_be_told_is_no_obstacle(far: FarEnd, name: str) -> None:
    """scancel would find no such name, say nothing, and the job would outlive its object."""
    def cancel() -> CancelAnswer:
        return far.exchange(far.slurm.cancel("a" * 32, far.known, [Cancellation(KEY, CancelPhase.END)]))[KEY]

    fence = "a" * 32
    rows = (("55", f"runs/{KEY}/wrapper.sh", name), ("56", "runs/x/wrapper.sh", "hello"))
    (far.root / "squeue.noise").write_text("".join(
        f"{fence}\x1f{job_id}\x1fPENDING\x1f{path}\x1f{fence}\x1f{called}\x1f{fence}\x1ftwo\x1f\nlines\n" for job_id, path, called in rows))
    assert not cancel().ids
    assert far.calls("scancel") == [], "not by its id alone, unless it was seen to be ours right before"
    (far.root / "scontrol.job").write_text(f"JobId=55 JobName={name} Command=runs/{KEY}/wrapper.sh Power=\n")
    assert cancel().ids == ("55",)
    assert far.calls("scancel") == ["55"]


def test_a_name_with_blanks_and_patterns_is_told_as_it_is(far: FarEnd) -> None:
    """It would become two words, or one that matches others."""
    far.set_job("55", "PENDING", KEY, name="train  'res*net'  \\d, v2")
    assert far.cancel(KEY, CancelPhase.END).ids == ("55",)
    assert far.calls("scancel") == ["--name=train  'res*net'  \\d, v2 55"]


def test_a_job_without_any_of_its_marks_is_known_by_its_log(far: FarEnd) -> None:
    """On a site whose plugin rewrites name and comment a deleted Job would stay in the queue, and be in Terminating for ever."""
    far.submit(submission())
    far.set_job("100", "PENDING", KEY, name="the site's own", comment="site", command="bin/0123456789abcdef/wrapper.sh")
    (far.root / "scontrol.job").write_text(f"JobId=100 JobName=x StdErr=/home/ann/tree/here/runs/{KEY}/slurm-100.log "
                                           f"StdOut=/home/ann/tree/here/runs/{KEY}/slurm-100.log Power=\n")
    assert far.cancel(KEY, CancelPhase.ASK) == CancelAnswer(known=True, revoked=True, ids=("100",))
    assert far.calls("scancel") == ["--name=the site's own 100"]


def test_an_id_that_is_another_jobs_now_is_left_alone(far: FarEnd) -> None:
    """NAME: a scheduler that lost its state gives the id of our lost job to somebody else's."""
    far.submit(submission())
    claim(far, "100")
    far.set_job("100", "RUNNING", KEY, comment="theirs", command="theirs")   # by the same name
    for phase in (CancelPhase.ASK, CancelPhase.END):
        assert far.cancel(KEY, phase) == CancelAnswer(known=True, claim="100")
    assert far.calls("scancel") == []


def test_neither_are_jobs_with_a_similar_key(far: FarEnd) -> None:
    """Attempt 1 would take attempt 12 along; another installation's Job would be ours."""
    twelve = key(12)
    far.set_job("60", "RUNNING", twelve)
    far.set_job("61", "RUNNING", twelve, name="theirs", comment=f"fairlead:elsewhere:{KEY}")
    rest = f"62\x1fRUNNING\x1fruns/{KEY}/wrapper.sh\x1f{'0' * 32}\x1fhello-{KEY}\x1f{'0' * 32}\x1ffairlead:here:{KEY}"
    forged = ("", "", f"\x1f{rest}", f"{'0' * 32}\x1f{rest}", f"{'0' * 32}{rest}", "")
    for number, path in enumerate((f"/runs/{KEY}/wrapper.sh", f"runs/{KEY}/wrapper.sh.old", f"runs/{KEY}/other.sh"), start=63):
        far.set_job(str(number), "RUNNING", twelve, comment="theirs", command=path)
    (far.root / "squeue.noise").write_text("\n".join(forged))
    assert far.cancel(KEY, CancelPhase.END).ids == ()


def test_only_the_named_duplicate_is_cancelled(far: FarEnd) -> None:
    """DUP: the job that claimed the key would be cancelled with it; or the key be revoked under it."""
    far.submit(submission())
    for job_id in ("100", "101"):
        far.set_job(job_id, "PENDING", KEY)
    far.set_job("102", "PENDING", key(2))
    assert far.cancel(KEY, CancelPhase.END, "101", "102", "999").ids == ("101",)
    assert far.calls("scancel") == [f"{NAME} 101"]
    assert not (far.run_dir(KEY) / "claim").is_symlink()


def test_without_a_listing_the_revocation_stands_and_nothing_is_known(far: FarEnd) -> None:
    """A job would be called cancelled that is in the queue."""
    far.submit(submission())
    far.say("squeue", 1, "slurm_load_jobs error: Unable to contact slurm controller (connect failure)")
    answer = far.cancel(KEY, CancelPhase.END)
    assert (answer.known, answer.revoked, answer.ids) == (False, True, ())
    assert "Unable to contact slurm controller" in answer.text


def test_a_refused_scancel_is_said_and_names_no_id(far: FarEnd) -> None:
    """The user would not see why the job does not end."""
    far.submit(submission())
    far.say("scancel", 210, "scancel: error: Kill job error on job id 100: Access/permission denied")
    answer = far.cancel(KEY, CancelPhase.END)
    assert (answer.known, answer.ids) == (True, ())
    assert "Access/permission denied" in answer.text


def test_one_that_scancel_hangs_on_keeps_what_comes_behind_for_later(far: FarEnd) -> None:
    """Each of a hundred Jobs would wait for its own time-out, or one that was ended be told as one that was not; what hangs would stay."""
    of = [key(number=20 + number) for number in range(8)]
    far.submit_all([submission(one) for one in of])
    shutil.copy(FAKES / "scancel", far.root / "bin" / "answers")
    far.shadow("scancel", 'case $* in *" 105") exec sleep 30 ;; esac\nexec "${0%/*}/answers" "$@"')
    answers = far.exchange(far.slurm.cancel("a" * 32, far.known, [Cancellation(one, CancelPhase.END) for one in of]))
    assert all(answer.known and answer.revoked for answer in answers.values())
    assert [answers[one].ids for one in of[:5]] == [(str(100 + number),) for number in range(5)]
    assert answers[of[5]].ids == ()
    assert any("did not answer" in answer.text for answer in answers.values())
    wait_for(lambda: far.processes() == [])
    (far.root / "bin" / "scancel").unlink()
    shutil.copy(FAKES / "scancel", far.root / "bin")
    answers = far.exchange(far.slurm.cancel("a" * 32, far.known, [Cancellation(one, CancelPhase.END) for one in of]))
    assert answers[of[5]].ids == ("105",)
    assert not [job for job in far.jobs() if "CANCELLED" not in (far.root / "jobs" / job).read_text()]


def test_a_batch_is_one_listing(far: FarEnd) -> None:
    """A namespace with hundreds of Jobs would take minutes to delete."""
    of = [key(number=20 + number) for number in range(5)]
    far.submit_all([submission(one) for one in of])
    before = len(far.calls("squeue"))
    answers = far.exchange(far.slurm.cancel("a" * 32, far.known, [Cancellation(one, CancelPhase.END) for one in of]))
    assert [len(answers[one].ids) for one in of] == [1] * 5
    assert len(far.calls("squeue")) - before == 1


def test_another_tree_gets_nothing(far: FarEnd) -> None:
    """A revocation in the wrong tree stops nobody, and would be believed."""
    known = far.known
    (far.tree / "marker").write_text("f" * 32 + "\nhere\n")
    answer = far.exchange(far.slurm.cancel("a" * 32, known, [Cancellation(KEY, CancelPhase.END)]))[KEY]
    assert not answer.known
    assert list((far.tree / "runs").iterdir()) == []


def stop_of(far: FarEnd) -> str:
    return (far.run_dir(KEY) / "stop").read_text().strip()


def has_ended(far: FarEnd, *, requeue: bool = False) -> None:
    """As its wrapper leaves it: `env` is kept for a start that may follow."""
    if not requeue:
        (far.run_dir(KEY) / "env").unlink()
    restart = 0
    (far.run_dir(KEY) / f"started-{restart}").write_text(f"100 {restart} 1700000000 n1\n/o\n/e\n")
    (far.run_dir(KEY) / f"finished-{restart}").write_text(f"100 {restart} 0 1700000001\n")


def test_why_it_was_told_to_end_stays_beside_it(far: FarEnd) -> None:
    """A controller that is killed in the middle would call a Job failed that was set aside."""
    far.submit(submission())
    claim(far, "100")
    far.set_job("100", "RUNNING", KEY)
    far.cancel(KEY, CancelPhase.ASK, why=StopWord.SUSPEND)
    assert stop_of(far) == "suspend"
    far.cancel(KEY, CancelPhase.END, why=StopWord.DEADLINE)
    assert stop_of(far) == "suspend over", "the first word stands"
    far.forget_job("100")
    assert far.observe({KEY: "100"}).sentinels[KEY].stop is StopWord.SUSPEND


def test_one_that_waits_and_is_set_aside_says_so_too(far: FarEnd) -> None:
    """A withdrawn attempt would be taken for one that the cluster had lost."""
    far.submit(submission())
    assert far.cancel(KEY, CancelPhase.ASK, why=StopWord.SUSPEND) == CancelAnswer(known=True, revoked=True, ids=("100",))
    assert stop_of(far) == "suspend"


def test_an_end_that_was_there_before_counts(far: FarEnd) -> None:
    """A Job that is complete would run again, since it was suspended a moment too late."""
    far.submit(submission())
    claim(far, "100")
    has_ended(far)
    far.cancel(KEY, CancelPhase.ASK, why=StopWord.SUSPEND)
    assert stop_of(far) == "late"


def test_the_end_of_a_run_that_waits_to_start_again_does_not_count(far: FarEnd) -> None:
    """FINRC: a requeued Job that is suspended while it waits would be called failed, or complete, for the end of its first life."""
    far.submit(submission(requeue=True))
    claim(far, "100")
    has_ended(far, requeue=True)
    far.set_job("100", "PENDING", KEY)
    assert far.cancel(KEY, CancelPhase.ASK, why=StopWord.SUSPEND).ids == ("100",)
    assert stop_of(far) == "suspend"


def test_the_end_of_a_run_that_does_not_start_again_counts_though_it_might(far: FarEnd) -> None:
    far.submit(submission(requeue=True))
    claim(far, "100")
    has_ended(far, requeue=True)
    far.forget_job("100")
    far.cancel(KEY, CancelPhase.ASK, why=StopWord.SUSPEND)
    assert stop_of(far) == "late"


def test_the_end_of_an_earlier_start_does_not_count(far: FarEnd) -> None:
    """FINRC: a Job that was requeued and runs would be taken for one that has ended."""
    far.submit(submission())
    claim(far, "100")
    has_ended(far)
    (far.run_dir(KEY) / "started-1").write_text("100 1 1700000002 n1\n/o\n/e\n")
    far.cancel(KEY, CancelPhase.ASK, why=StopWord.SUSPEND)
    assert stop_of(far) == "suspend"


def test_what_is_left_alone_is_marked_and_nothing_else_follows(far: FarEnd) -> None:
    """The sweep would end a job that was to run on; or the next attempt of a Job that is gone would start."""
    far.submit(submission())
    claim(far, "100")
    far.set_job("100", "RUNNING", KEY)
    assert far.cancel(KEY, CancelPhase.ORPHAN) == CancelAnswer(known=True, claim="100", orphaned=True)
    assert far.cancel(key(2), CancelPhase.ORPHAN) == CancelAnswer(known=True, revoked=True)
    assert far.cancel(KEY, CancelPhase.ORPHAN) == CancelAnswer(known=True, orphaned=True), "safe to repeat"
    assert (far.calls("scancel"), (far.run_dir(KEY) / "stop").exists()) == ([], False)
    assert far.submit(submission(key(2), previous_is_lost=True)).word is SubmitWord.REVOKED


def test_one_that_was_never_handed_in_is_revoked_and_not_left(far: FarEnd) -> None:
    """A directory with nothing in it would be taken for a Run that goes on, and stay for ever."""
    far.run_dir(KEY).mkdir(parents=True)
    assert far.cancel(KEY, CancelPhase.ORPHAN) == CancelAnswer(known=True, revoked=True)


@pytest.mark.parametrize("phase", [CancelPhase.ASK, CancelPhase.END])
def test_what_was_left_alone_meanwhile_is_not_cancelled(far: FarEnd, phase: CancelPhase) -> None:
    """RELOOK: a sweep that saw the directory before the mark, and the object gone after it, would end a job that was to run on."""
    far.submit(submission())
    far.set_job("100", "PENDING", KEY)
    far.cancel(KEY, CancelPhase.ORPHAN)
    assert far.cancel(KEY, phase) == CancelAnswer(known=True, orphaned=True)
    assert (far.calls("scancel"), (far.run_dir(KEY) / "claim").is_symlink()) == ([], False)
    assert far.remove(KEY).keys == frozenset()
    assert (far.run_dir(KEY) / "script").exists()


def test_a_second_submission_does_not_take_the_mark_away(far: FarEnd) -> None:
    """MARK: a submission that was on its way would have the sweep end what was left alone."""
    far.submit(submission())
    far.cancel(KEY, CancelPhase.ORPHAN)
    far.submit(submission(resubmit=True))
    [remnant] = [each for each in far.remove(sweep=True).remnants if each.key == KEY]
    assert remnant.orphaned


def test_of_many_that_hang_few_are_called(far: FarEnd) -> None:
    """A slurmctld that hangs would hold up the exec for each Job once, and be asked by all of them as soon as it goes on."""
    of = [key(number=number) for number in range(20, 40)]
    far.submit_all([submission(one) for one in of])
    far.shadow("scancel", f'echo "$*" >>{far.root}/scancel.calls; exec sleep 60')
    began = time.monotonic()
    far.exchange(far.slurm.cancel("a" * 32, far.known, [Cancellation(one, CancelPhase.END) for one in of]))
    assert time.monotonic() - began < len(of) / 2 * far.timeouts.scancel_seconds, "they are waited for one after another"
    assert len(far.calls("scancel")) <= 4


def test_those_that_run_are_ended_once_all_that_wait_are(far: FarEnd) -> None:
    """A node that becomes free would start one that is to be ended, too: deleted while it waited, it would run for a moment."""
    of = [key(number=number) for number in range(20, 40)]
    far.submit_all([submission(one) for one in of])
    ids = far.jobs()
    for place, (one, job_id) in enumerate(zip(of, ids, strict=True)):
        if place % 2:
            far.set_job(job_id, "RUNNING", one)
    far.exchange(far.slurm.cancel("a" * 32, far.known, [Cancellation(one, CancelPhase.END) for one in of]))
    called = [call.split()[-1] for call in far.calls("scancel")]
    assert sorted(called) == sorted(ids)
    assert set(called[:10]) == set(ids[::2])
