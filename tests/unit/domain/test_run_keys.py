"""Keys: what is one, how many a Job may have, and what proves that a word about one is ours."""

from dataclasses import replace

import pytest

from fairlead.api.v1alpha1 import names
from fairlead.api.v1alpha1.reasons import JobReason
from fairlead.domain.gone.remains import Remains
from fairlead.domain.objects import plural_of
from fairlead.domain.pacing import Now, Pacing, Turn
from fairlead.domain.run.installation import Installation
from fairlead.domain.run.memory import Closing, Memory
from fairlead.domain.run.run import MOST_ATTEMPTS, Owner, RunKey
from product.objects import UID, a_job, submitted
from product.settled import closed

HERE = Installation("here", "one", b"s" * 32)
LAST = a_job(backoffLimit=9, status=submitted(attempt=MOST_ATTEMPTS))


@pytest.mark.parametrize(("text", "attempt"), [
    (f"{UID}-1", 1), (f"{UID}-{MOST_ATTEMPTS}", MOST_ATTEMPTS), (f"{UID}-{MOST_ATTEMPTS + 1}", None), (f"{UID}-999999", None),
    (f"{UID}-0", None), (f"{UID}-01", None), (f"{UID}--1", None), (f"{UID}-1 ", None), (f"{UID}-1\n", None), (f"{UID}-\u0661", None),
    (f"{UID.upper()}A-1", None), (f"../{UID}-1", None), ("", None), (f"{UID}-{'9' * 5000}", None),
])
def test_only_what_a_job_can_have_is_a_key(text: str, attempt: int | None) -> None:
    """One `mkdir` made a million keys of one object, and the controller never came to anything else."""
    found = RunKey.parse(text)
    assert (found.attempt if found else None) == attempt


def test_of_an_object_that_is_gone_there_are_the_keys_that_were_found() -> None:
    """A made-up attempt would make a range up to it, and hide the one that follows the real ones."""
    job = a_job()
    keys = [each.attempt for each in Remains(job.ref, job.location, (1, 2, 700, MOST_ATTEMPTS)).keys]
    assert keys == [1, 2, 3, 700, 701, MOST_ATTEMPTS]
    assert len(LAST.keys) == MOST_ATTEMPTS


@pytest.mark.parametrize("reason", [JobReason.JOB_SUSPENDED, JobReason.NON_ZERO_EXIT_CODE, JobReason.LOST])
def test_after_the_last_attempt_there_is_none(reason: JobReason) -> None:
    """A Job that is suspended and resumed for ever would have an attempt that nobody takes for its own, and so begin anew."""
    outcome = closed(LAST, Memory(MOST_ATTEMPTS), Closing(reason, "x"), Turn(Now(0.0, 1_700_000_000.0), Pacing()))
    assert outcome.status is not None
    [failed] = [each for each in outcome.status.conditions if each.type == "Failed"]
    assert (failed.status, failed.reason) == ("True", JobReason.BACKOFF_LIMIT_EXCEEDED)
    assert str(MOST_ATTEMPTS) in failed.message


def test_a_proof_is_of_one_word_one_key_and_one_installation() -> None:
    """A script would copy that of another Run, and speak for Fairlead."""
    owner, one, two = Owner("lab", "hello", UID), RunKey(UID, 1), RunKey(UID, 2)
    other = replace(HERE, secret=b"t" * 32)
    proofs = {HERE.proof_of_owner(one, owner), HERE.proof_of_owner(two, owner), HERE.proof_of_owner(one, replace(owner, name="hell")),
              HERE.proof_of_owner(one, replace(owner, namespace="lab2")), HERE.proof_of_leave(one), HERE.proof_of_leave(two),
              HERE.check_of_leave(one), other.proof_of_owner(one, owner), other.proof_of_leave(one),
              HERE.proof_of_mark(one, f"lab hello {UID}"), HERE.proof_of_mark(one, f"lab hello {UID} Later"),
              HERE.proof_of_mark(two, f"lab hello {UID} Later"), other.proof_of_mark(one, f"lab hello {UID} Later")}
    assert len(proofs) == 13
    assert all(len(each) == 64 for each in proofs)
    assert "ssss" not in repr(HERE)


def test_a_jobs_mark_has_no_kind_and_that_of_another_kind_fits_a_sweep() -> None:
    """A controller of before kinds would take a Job's directory for nobody's; or the scripts would take the longest mark for none."""
    key, job = RunKey(UID, 1), Owner("lab", "hello", UID)
    assert HERE.mark_of(key, job) == f"lab hello {UID} {HERE.proof_of_owner(key, job)}"
    longest = Owner("n" * 63, "o" * 253, UID, "K" * 63)
    words = f"{longest.namespace} {longest.name} {UID} {longest.kind}"
    assert HERE.mark_of(key, longest) == f"{words} {HERE.proof_of_mark(key, words)}"
    assert len(HERE.mark_of(key, longest)) <= 512


def test_the_plural_of_a_kind_is_that_of_its_definition() -> None:
    """The API server would be asked for objects under a path that it does not know: all of them would count as gone."""
    assert [plural_of(kind) for kind in (names.JOB_KIND, names.CLUSTER_KIND)] == [names.JOB_PLURAL, names.CLUSTER_PLURAL]
