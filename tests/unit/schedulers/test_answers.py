"""What the scripts print for Slurm, read into the words of a Run: what is not as they write it counts as not there."""

import pytest

from fairlead.domain.errors import RemoteFault, Unanswered
from fairlead.domain.run.answers import AccountingState, CancelAnswer, Probe, ProbeProblem, Remnant, SubmitAnswer, SubmitWord
from fairlead.domain.run.installation import Installation
from fairlead.domain.run.run import Owner, RunKey, RunState, StopWord, Tree
from fairlead.schedulers import answers
from fairlead.schedulers.fence import Answer, Row
from fairlead.schedulers.slurm.answers import VOCABULARY, observation

UID = "0123abcd-0000-4000-8000-00000000000a"
KEY = RunKey(UID, 1)
NAME = str(KEY)
MARKER = "ab" * 16
HERE = Installation("here", "6e1a7b9c-0000-4000-8000-000000000001", b"s" * 32)


def answer(*rows: tuple[str, ...]) -> Answer:
    return Answer(tuple(Row(kind, fields) for kind, *fields in rows))  # type: ignore[arg-type]


@pytest.mark.parametrize(("fields", "expected"), [
    (("submitted", "17"), SubmitAnswer(SubmitWord.SUBMITTED, "17")),
    (("claimed", "17"), SubmitAnswer(SubmitWord.CLAIMED, "17")),
    (("alive", "17"), SubmitAnswer(SubmitWord.ALIVE, "17")),
    (("revoked",), SubmitAnswer(SubmitWord.REVOKED)),
    (("not-yet",), SubmitAnswer(SubmitWord.NOT_YET)),
    (("busy", "1", "sbatch did not answer"), SubmitAnswer(SubmitWord.BUSY, text="sbatch did not answer")),
    (("refused", "1", "sbatch: error: Invalid account"), SubmitAnswer(SubmitWord.REFUSED, text="Invalid account")),
    (("refused", "1", "sbatch: error: a\x1esbatch: error: Invalid qos"), SubmitAnswer(SubmitWord.REFUSED, text="a; Invalid qos")),
    (("refused", "124", "sbatch: error: x, sleeping and retrying"), SubmitAnswer(SubmitWord.WAITING, text="x, sleeping and retrying")),
    (("refused", "1", "flux capacitor missing"), SubmitAnswer(SubmitWord.UNSURE, text="flux capacitor missing")),
    (("refused", "124", ""), SubmitAnswer(SubmitWord.UNKNOWN)),
    (("refused", "x", "y"), SubmitAnswer(SubmitWord.UNKNOWN, text="y")),
    (("submitted", "17; rm"), SubmitAnswer(SubmitWord.UNKNOWN)),
    (("submitted", ""), SubmitAnswer(SubmitWord.UNKNOWN)),
    (("complete", "17"), SubmitAnswer(SubmitWord.UNKNOWN)),
    (("unknown", "1", "it\x1b[31m broke"), SubmitAnswer(SubmitWord.UNKNOWN, text="it broke")),
], ids=lambda value: " ".join(value)[:40] if isinstance(value, tuple) else "")
def test_a_submission(fields: tuple[str, ...], expected: SubmitAnswer) -> None:
    """A word taken wrong submits twice, or never."""
    assert answers.submitted(answer(("submit", NAME, *fields)), [KEY], VOCABULARY) == {KEY: expected}


def test_a_key_without_an_answer_is_unknown() -> None:
    """A cut batch would count as refused, or as done."""
    found = answers.submitted(answer(("submit", str(KEY.next), "submitted", "9"), ("submit", "x", "submitted", "9")), [KEY], VOCABULARY)
    assert found[KEY].word is SubmitWord.UNKNOWN
    assert not answers.cancelled(answer(), [KEY])[KEY].known


def test_no_tree_is_every_keys_answer() -> None:
    """A wrong mount would look like an empty cluster."""
    lost = answer(("no-tree", "/w holds no marker"))
    assert answers.submitted(lost, [KEY], VOCABULARY)[KEY] == SubmitAnswer(SubmitWord.NO_TREE, text="/w holds no marker")
    assert answers.cancelled(lost, [KEY])[KEY] == CancelAnswer(known=False, text="/w holds no marker")
    for read in (lambda: observation(lost, "here", {}), lambda: answers.removed(lost, "here", VOCABULARY)):
        with pytest.raises(RemoteFault, match="holds no marker"):
            read()


@pytest.mark.parametrize(("rows", "expected"), [
    ((("ended", NAME, "17"), ("ended", NAME, "18"), ("ended", str(KEY.next), "9"), ("cancel", NAME, "done", "17.ab", "")),
     CancelAnswer(known=True, claim="17", ids=("17", "18"))),
    ((("cancel", NAME, "done", "revoked"),), CancelAnswer(known=True, revoked=True)),
    ((("cancel", NAME, "unknown", "revoked", "squeue did not answer"),),
     CancelAnswer(known=False, revoked=True, text="squeue did not answer")),
    ((("ended", NAME, "-x"), ("ended", NAME, "18"), ("cancel", NAME, "done", "-x.ab")), CancelAnswer(known=True, ids=("18",))),
    ((("trouble", NAME, "Access denied"), ("cancel", NAME, "done", "17.ab")), CancelAnswer(known=True, claim="17", text="Access denied")),
    ((("cancel", NAME, "orphaned"),), CancelAnswer(known=True, orphaned=True)),
], ids=["claimed", "revoked", "not known", "what is no id", "scancel was refused", "left alone"])
def test_a_cancellation(rows: tuple[tuple[str, ...], ...], expected: CancelAnswer) -> None:
    """A Job would be called cancelled that runs."""
    assert answers.cancelled(answer(*rows), [KEY]) == {KEY: expected}


def test_sentinels_are_read_by_their_file_names() -> None:
    """FINRC: the end of one start would be taken for the end of another."""
    seen = observation(answer(
        ("run", NAME, "present", "17.abc", "16", "", "suspend over"),
        ("started-0", NAME, "17 0 1700000001 n1"), ("finished-0", NAME, "17 0 143 1700000002"),
        ("started-1", NAME, "17 1 1700000003 n2"), ("finished-1", NAME, "17 0 0 1700000004"),
        ("finished-1", NAME, "17 1 0"), ("finished-1", NAME, "17 1 x 9"), ("finished-1", NAME, ""),
        ("finished-1", "x", "17 1 0 9"),
        ("log", NAME, "12", "/o", "/e", "1b5b"),
    ), "here", {KEY: "16"})
    found = seen.sentinels[KEY]
    assert (found.claim, found.id, found.stop, found.revoked) == ("17", "16", StopWord.SUSPEND, False)
    assert [(start.restart, start.host) for start in found.started] == [(0, "n1"), (1, "n2")]
    assert [(ended.restart, ended.exit_code) for ended in found.finished] == [(0, 143)]
    assert found.log is not None
    assert (found.log.size, found.log.tail) == (12, b"\x1b[")


def test_a_key_that_nobody_asked_for_is_left_out() -> None:
    """A host could talk us into another object's end."""
    seen = observation(answer(("run", NAME, "present", "17.abc")), "here", {KEY.next: ""})
    assert seen.sentinels == {}


def test_a_log_that_cannot_be_read_is_no_error() -> None:
    """One odd file would stop all polls."""
    found = observation(answer(("run", NAME, "present"), ("log", NAME, "", "/o", "/e", "zz")), "here", {KEY: ""}).sentinels[KEY]
    assert found.log is not None
    assert (found.log.size, found.log.tail) == (None, b"")


def test_the_claimed_id_is_the_one_that_accounting_is_believed_of() -> None:
    """Rule 0: of two submissions the one that ran counts."""
    rows = (("sacct", f"16|CANCELLED|0:0|None||hello-{KEY}"), ("sacct", f"17|TIMEOUT|0:15|None||hello-{KEY}"))
    seen = observation(answer(("run", NAME, "present", "17.abc", "16"), *rows), "here", {KEY: "16"})
    assert (seen.records[KEY].id, seen.records[KEY].state) == ("17", RunState.TIMED_OUT)


def test_a_listing_that_failed_is_no_observation() -> None:
    """Every Job would look gone."""
    with pytest.raises(Unanswered, match="Unable to contact"):
        observation(answer(("failed", "1", "slurm_load_jobs error: Unable to contact")), "here", {})


@pytest.mark.parametrize(("rows", "expected"), [
    ((("tree", "/h/w/here", MARKER), ("version", "slurm-wlm 24.11.5"), ("accounting", "available")),
     Probe(Tree("/h/w/here", MARKER), "24.11.5", accounting=AccountingState.AVAILABLE)),
    ((("problem", "not-writable", "no"),), Probe(None, problem=ProbeProblem.NOT_WRITABLE, text="no")),
    ((("problem", "not-writable", "full"), ("tree", "/t", MARKER)),
     Probe(Tree("/t", MARKER), problem=ProbeProblem.NOT_WRITABLE, text="full")),
    ((("problem", "not-writable", "full"), ("tree", "/t", MARKER), ("problem", "not-ours", "a clone")),
     Probe(None, problem=ProbeProblem.NOT_OURS, text="a clone")),
    ((("tree", "/t", MARKER), ("problem", "scheduler-down", "DOWN")),
     Probe(Tree("/t", MARKER), problem=ProbeProblem.SCHEDULER_DOWN, text="DOWN")),
    ((("tree", "/t", "not hex"),), Probe(None, problem=ProbeProblem.NOT_OURS)),
    ((("problem", "gremlins", "x"),), Probe(None, problem=ProbeProblem.NOT_OURS, text="x")),
], ids=["all is well", "not writable", "full", "full and not ours", "scheduler down", "a marker that is none", "an unknown problem"])
def test_a_probe(rows: tuple[tuple[str, ...], ...], expected: Probe) -> None:
    """A person would look for the fault in the wrong place."""
    assert answers.probe(answer(*rows)) == expected


def test_a_sweep() -> None:
    """A live Job's directory would be swept, or a dead one's stay; what a script writes there would count as our word."""
    stone, bare, odd = (RunKey(UID, attempt) for attempt in (2, 3, 4))
    proof = HERE.proof_of_owner(KEY, Owner("ns", "hello", UID))
    found = answers.removed(answer(
        ("buried", str(stone)), ("kept", str(odd)),
        ("remnant", NAME, f"ns hello {UID} {proof}", "", HERE.proof_of_leave(KEY)), ("remnant", str(stone), "", "1"),
        ("remnant", str(bare), "", "", HERE.proof_of_leave(KEY)), ("remnant", str(odd), f"ns hello {UID} {proof}", "", "yes"),
        ("remnant", str(odd.next), f"ns hello another-uid {proof}", ""), ("remnant", str(odd.next.next), f"ns hello {UID}", ""),
        ("remnant", "lost+found", "", ""), ("remnant", f"{UID}-999999", "", ""), ("strange", "7"),
        ("marked", "RUNNING", f"fairlead:here:{stone}"), ("marked", "FAILED", f"fairlead:here:{RunKey(UID, 9)}"),
        ("marked", "RUNNING", f"fairlead:there:{RunKey(UID, 8)}"), ("listed", "0"),
    ), HERE, VOCABULARY)
    assert (found.keys, found.complete, found.strange) == (frozenset({stone}), True, 7)
    assert set(found.remnants) == {
        Remnant(KEY, Owner("ns", "hello", UID), tombstone=False, orphaned=True), Remnant(stone, None, tombstone=False, listed=True),
        Remnant(bare, None, tombstone=False), Remnant(odd, None, tombstone=False), Remnant(odd.next, None, tombstone=False),
        Remnant(odd.next.next, None, tombstone=False),
    }


LATER = Owner("ns", "hello", UID, "Later")


@pytest.mark.parametrize(("words", "owner", "foreign"), [
    (f"ns hello {UID} Later", LATER, False), (f"ns hello {UID} Job", Owner("ns", "hello", UID), False),
    (f"ns hello {UID}", None, True), (f"ns hello {UID} Later more", None, True), (f"v2 uid={UID}", None, True), ("one", None, True),
    (f"ns hello {UID} ../../x", None, True), ("ns hello another-uid Later", None, True),
], ids=["a kind", "a Job's, said", "none of it", "more words", "another form", "a word", "no kind", "another object's"])
def test_a_mark_of_a_later_release_is_known_for_ours(words: str, owner: Owner | None, foreign: bool) -> None:
    """An older controller would end what a newer one runs; or a script would be spared for what it has written itself."""
    proof, others = HERE.proof_of_mark(KEY, words), HERE.proof_of_mark(KEY.next, words)
    proved, forged = Remnant(KEY, owner, tombstone=False, foreign=foreign), Remnant(KEY, None, tombstone=False)
    texts = {f"{words} {proof}": proved, f"{words} {others}": forged, f"{words} {'0' * 64}": forged, words: forged, proof: forged}
    for text, expected in texts.items():
        found = answers.removed(answer(("remnant", NAME, text, "", ""), ("listed", "0")), HERE, VOCABULARY)
        assert found.remnants == (expected,), text


@pytest.mark.parametrize(("at", "kept"), [
    ("1700000001", 1700000001), ("253402300799", 253402300799), ("253402300800", None), ("999999999999", None),
])
def test_a_time_that_cannot_be_is_none_and_the_end_counts_all_the_same(at: str, kept: int | None) -> None:
    """A script that plants such a time would have no end for ever; or nobody would see that it ended."""
    rows = (("started-0", NAME, f"7 0 {at} n1"), ("finished-0", NAME, f"7 0 3 {at}"), ("run", NAME, "present", "7.a"))
    found = answers.sentinels(answer(*rows), VOCABULARY)
    assert (found[KEY].started[0].at, found[KEY].finished[0].at, found[KEY].finished[0].exit_code) == (kept, kept, 3)


@pytest.mark.parametrize("words", ["7 0 256 1", "7 0 -1 1", "7 1000000 0 1", "7 0 0 1234567890123", "7 0 0", "x 0 0 1"])
def test_an_end_out_of_range_is_none(words: str) -> None:
    """An exit code that cannot be would be shown, or refused by the API server."""
    restart = words.split()[1]
    assert answers.sentinels(answer((f"finished-{restart}", NAME, words), ("run", NAME, "present", "7.a")), VOCABULARY)[KEY].finished == ()


@pytest.mark.parametrize(("words", "kept"), [
    ("7 0 0 1", set()), ("7 0 0 1 TERM", {"TERM"}), ("7 0 123 1 TERM,unbegun", {"TERM", "unbegun"}), ("7 0 0 1 USR1 later words", {"USR1"}),
])
def test_what_a_wrapper_adds_to_an_end_is_read(words: str, kept: set[str]) -> None:
    """A controller of before an update would not see how a Job ended, nor one of after it."""
    [end] = answers.sentinels(answer(("finished-0", NAME, words), ("run", NAME, "present", "7.a")), VOCABULARY)[KEY].finished
    assert end.words == kept


def test_of_many_starts_the_last_ones_count() -> None:
    """A job that was requeued a hundred times would count as running in an earlier life."""
    rows = [(f"started-{number}", NAME, f"7 {number} 1 n1") for number in range(100)]
    found = answers.sentinels(answer(*rows, ("run", NAME, "present", "7.a")), VOCABULARY)
    assert [each.restart for each in found[KEY].started] == list(range(36, 100))
