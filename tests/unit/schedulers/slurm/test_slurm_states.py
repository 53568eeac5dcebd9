"""If a state's word is misread, a Job ends that still runs, or waits for one that has ended."""

import pytest
from slurm_golden import captured, in_every_release

from fairlead.domain.run.run import RunState
from fairlead.schedulers.slurm import states

BASE_STATES = {
    "BOOT_FAIL", "CANCELLED", "COMPLETED", "DEADLINE", "FAILED", "NODE_FAIL", "OUT_OF_MEMORY", "PENDING", "PREEMPTED", "RUNNING",
    "SUSPENDED", "TIMEOUT",
}
FLAGS = {
    "COMPLETING", "CONFIGURING", "LAUNCH_FAILED", "POWER_UP_NODE", "RECONFIG_FAIL", "REQUEUED", "REQUEUE_FED", "REQUEUE_HOLD", "RESIZING",
    "RESV_DEL_HOLD", "REVOKED", "SIGNALING", "SPECIAL_EXIT", "STAGE_OUT", "STOPPED", "UPDATE_DB",
}
ENDS = {
    "BOOT_FAIL", "CANCELLED", "COMPLETED", "DEADLINE", "FAILED", "NODE_FAIL", "OUT_OF_MEMORY", "PREEMPTED", "TIMEOUT",
    "LAUNCH_FAILED", "RECONFIG_FAIL", "REVOKED",
}


def test_every_documented_word_is_known():
    assert len(BASE_STATES) == 12
    assert len(FLAGS) == 16
    assert states.WORDS.keys() >= BASE_STATES | FLAGS
    assert RunState.UNKNOWN not in states.WORDS.values()


def test_every_word_that_the_newest_release_lists_is_known():
    words = captured("helpstate-squeue", "26.05.5").stdout.upper().split()
    assert len(words) > 20
    assert set(words) <= states.WORDS.keys()


@pytest.mark.parametrize("word", sorted(states.WORDS))
def test_only_words_of_the_end_are_terminal(word):
    assert states.read(word).is_terminal == (word in ENDS)


@pytest.mark.parametrize(("word", "state"), [
    pytest.param("CANCELLED by 1000", RunState.CANCELLED, id="cancelled by a user, as sacct says it"),
    pytest.param("CANCELLED+", RunState.CANCELLED, id="cut by a narrow column"),
    pytest.param("COMPLETING", RunState.FINISHING, id="completing is not completed"),
    pytest.param("CONFIGURING", RunState.STARTING, id="CF is not F"),
    pytest.param("PREEMPTED", RunState.PREEMPTED, id="preempted for good: one that runs again is PENDING"),
    pytest.param("TIMEOUT", RunState.TIMED_OUT, id="its own time limit"),
    pytest.param("DEADLINE", RunState.TIMED_OUT, id="its deadline"),
    pytest.param("REVOKED", RunState.CANCELLED, id="runs elsewhere in the federation"),
])
def test_a_word_as_printed(word, state):
    assert states.read(word) is state


@pytest.mark.parametrize("word", [
    "", " ", "COMPLETE", "COMPLETED ", "completed", "CD", "F", "?", "FINISHED", "COMPLETED by", "COMPLETED|FAILED", "\x1b[31mFAILED",
])
def test_a_word_that_is_not_in_the_table_never_ends_a_run(word):
    assert states.read(word) is RunState.UNKNOWN
    assert not states.read(word).is_terminal


@pytest.mark.parametrize(("reason", "state"), [
    pytest.param("JobHeldUser", RunState.HELD, id="held by its user"),
    pytest.param("JobHeldAdmin", RunState.HELD, id="held by an operator"),
    pytest.param("job requeued in held state", RunState.HELD, id="requeued and held"),
    pytest.param("job_requeued_in_held_state", RunState.HELD, id="requeued and held, in scontrol's writing"),
    pytest.param("user env retrieval failed requeued held", RunState.HELD, id="no login environment on the node"),
    pytest.param("PartitionTimeLimit", RunState.STUCK, id="asks for more time than the partition gives"),
    pytest.param("QOSMaxWallDurationPerJobLimit", RunState.STUCK, id="asks for more time than its QOS gives"),
    pytest.param("AssocMaxCpuPerJobLimit", RunState.STUCK, id="asks for more than its account gives to one job"),
    pytest.param("QOSMinCpuNotSatisfied", RunState.STUCK, id="asks for less than its QOS begins at"),
    pytest.param("AccountNotAllowed", RunState.STUCK, id="its account may not use the partition"),
    pytest.param("QOSMaxJobsPerUserLimit", RunState.PENDING, id="others of its user run"),
    pytest.param("AssocMaxJobsLimit", RunState.PENDING, id="others of its account run"),
    pytest.param("QOSGrpCpuLimit", RunState.PENDING, id="others of its QOS run"),
    pytest.param("PartitionNodeLimit", RunState.PENDING, id="nodes may be down for a while"),
    pytest.param("Priority", RunState.PENDING, id="waits its turn"),
    pytest.param("BeginTime", RunState.PENDING, id="waits after a requeue"),
])
def test_a_pending_job_is_told_apart_by_its_reason(reason, state):
    assert states.read("PENDING", reason) is state


def test_an_old_hold_reason_does_not_hide_that_a_job_ended():
    assert states.read("CANCELLED", "JobHeldUser") is RunState.CANCELLED


@pytest.mark.parametrize("listing", in_every_release("squeue-final-o") + in_every_release("squeue-all-o"), ids=str)
def test_real_listings_hold_no_unknown_word(listing):
    words = {row.split("\x1f")[4] for row in listing.stdout.splitlines()}
    assert len(words) >= 4
    assert RunState.UNKNOWN not in {states.read(word) for word in words}
