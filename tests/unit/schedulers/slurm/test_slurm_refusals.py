"""If sbatch's words are misread, a Job fails that could have run, waits for ever, or is submitted while it may exist already."""

import subprocess

import pytest
from slurm_golden import RELEASES, in_every_release, matching

from fairlead.domain.run.answers import SubmitWord
from fairlead.schedulers.slurm import refusals

WAITING = {
    "err-assoc-maxsubmit", "err-qos-maxsubmit", "err-partition-drain", "err-partition-inactive", "err-nofile",
    "maxjobs-array", "noconf-sbatch",
}
LOST = {"ctlddown-sbatch", "ctldhung-sbatch", "nomunge-sbatch"}
FULL = "sbatch: error: Slurm job queue full, sleeping and retrying"
FAILED = "sbatch: error: Batch job submission failed: "
REFUSALS = [case for pattern in ("err-*", "sbatch-*", "*-sbatch", "maxjobs-*") for case in matching(pattern) if case.name != "help-sbatch"]


@pytest.mark.parametrize("case", REFUSALS, ids=str)
def test_every_refusal_of_a_real_release_is_understood(case):
    expected = SubmitWord.WAITING if case.name in WAITING else SubmitWord.UNKNOWN if case.name in LOST else SubmitWord.REFUSED
    assert refusals.classify(case.exit_code, case.stderr) is expected


def test_the_captured_refusals_cover_each_release():
    assert {release: sum(case.release == release for case in REFUSALS) > 45 for release in RELEASES} == dict.fromkeys(RELEASES, True)


@pytest.mark.parametrize("full", in_every_release("maxjobs-array"), ids=str)
def test_an_sbatch_ended_while_it_waits_for_room_has_submitted_nothing(full):
    waiting = full.stderr.splitlines()[0]
    assert "sleeping and retrying" in waiting
    assert refusals.classify(124, waiting) is SubmitWord.WAITING


@pytest.mark.parametrize(("exit_code", "text", "word"), [
    pytest.param(0, "", SubmitWord.UNKNOWN, id="success without an id"),
    pytest.param(124, "", SubmitWord.UNKNOWN, id="ended by the time-out without a word"),
    pytest.param(137, "", SubmitWord.UNKNOWN, id="killed without a word"),
    pytest.param(137, FULL, SubmitWord.UNKNOWN, id="killed while it waits"),
    pytest.param(143, "sbatch: error: invalid partition specified: x", SubmitWord.UNKNOWN, id="ended by a signal in mid-sentence"),
    pytest.param(
        124, f"{FULL}\n{FAILED}Socket timed out on send/recv operation", SubmitWord.UNKNOWN,
        id="the controller went away after it had said wait",
    ),
    pytest.param(127, "sh: 1: sbatch: not found", SubmitWord.UNKNOWN, id="no sbatch any more"),
    pytest.param(1, "", SubmitWord.UNSURE, id="no without a word"),
    pytest.param(1, "sbatch: error: lua: come back when the moon is full", SubmitWord.UNSURE, id="a site's own words"),
    pytest.param(1, f"{FAILED}Unspecified error", SubmitWord.UNSURE, id="an unspecified error"),
    pytest.param(1, f"{FAILED}Rate limit exceeded, please retry later", SubmitWord.WAITING, id="rate limit"),
    pytest.param(1, f"{FAILED}System submissions disabled", SubmitWord.WAITING, id="a site in maintenance"),
    pytest.param(1, "sbatch: error: QOSMaxSubmitJobPerUserLimit", SubmitWord.WAITING, id="too many jobs of one user"),
    pytest.param(
        1, f"sbatch: error: QOSMaxCpuPerJobLimit\n{FAILED}Job violates accounting/QOS policy (job submit limit, ...)",
        SubmitWord.REFUSED, id="more than the policy gives to any one job",
    ),
    pytest.param(1, f"{FAILED}Invalid qos specification", SubmitWord.REFUSED, id="no such qos"),
    pytest.param(1, f"{FAILED}Message receive failure", SubmitWord.UNKNOWN, id="the answer was lost"),
])
def test_what_sbatch_said(exit_code, text, word):
    assert refusals.classify(exit_code, text) is word


@pytest.mark.parametrize(("text", "shown"), [
    pytest.param(
        "sbatch: error: invalid partition specified: nope\nsbatch: error: Batch job submission failed: Invalid partition name specified\n",
        "invalid partition specified: nope; Batch job submission failed: Invalid partition name specified", id="two lines",
    ),
    pytest.param(
        "sbatch: unrecognized option '--nope'\nTry \"sbatch --help\" for more information\n", "unrecognized option '--nope'", id="advice",
    ),
    pytest.param("sbatch: fatal: Could not establish a configuration source\n", "Could not establish a configuration source", id="fatal"),
    pytest.param("sbatch: error:x", "x", id="without a blank"),
    pytest.param("\x1b[31msbatch\x1b[0m: \x07a\x00b\r\nc\u202e", "sbatch: a b; c", id="control characters"),
    pytest.param("\x1b]0;title\x07words", "words", id="a terminal's title"),
    pytest.param("", "", id="nothing"),
    pytest.param("y" * 3000, "y" * 999 + "…", id="endless"),
])
def test_sbatchs_words_are_shown_plain(text, shown):
    assert refusals.sentence(text) == shown


@pytest.mark.parametrize("case", REFUSALS, ids=str)
def test_grep_finds_the_same_words_of_loss(case):
    grep = subprocess.run(["grep", "-E", "-q", "-e", refusals.LOST_WORDS], input=case.stderr, text=True, check=False)
    assert (grep.returncode == 0) == (case.name in LOST)
