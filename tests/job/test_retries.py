"""Attempts: each under a key of its own, after a pause, as often as the Job allows and no more."""

import time
from datetime import datetime

from bed.slurm import SlurmCluster
from product.scene import Scene
from product.starts import starts
from product.waiting import until

FLAKY = "#!/bin/sh\necho $SLURM_JOB_ID >>~/{name}; [ $(wc -l <~/{name}) -ge {good} ] || exit 3\n"


def test_a_script_that_fails_is_tried_again_as_often_as_it_may(scene: Scene, hpc: SlurmCluster) -> None:
    """Else a flaky node would cost a night's work, or a broken script would run for ever."""
    scene.cluster(hpc)
    lucky = scene.job("lucky", FLAKY.format(name="lucky", good=3), backoffLimit=3)
    hopeless = scene.job("hopeless", FLAKY.format(name="hopeless", good=99), backoffLimit=1)
    status = lucky.wait_ended()
    assert lucky.condition("Complete")["status"] == "True", status
    assert (status["failures"], status["run"]["attempt"]) == (2, 3)
    assert [(each["attempt"], each["outcome"], each["exitCode"]) for each in status["attempts"]] == [
        (1, "NonZeroExitCode", 3), (2, "NonZeroExitCode", 3)]
    assert starts(hpc, "lucky") == [*(each["id"] for each in status["attempts"]), status["run"]["id"]]
    status = hopeless.wait_ended()
    failed = hopeless.condition("Failed")
    assert (failed["reason"], status["failures"]) == ("BackoffLimitExceeded", 2)
    assert "2 attempts failed, backoffLimit is 1; the last: the script exited with code 3" in failed["message"]
    assert len(starts(hpc, "hopeless")) == 2


def test_the_pause_before_the_next_attempt_is_shown_and_kept(scene: Scene, hpc: SlurmCluster) -> None:
    """Else a failing Job would hammer the cluster, and nobody could see when it goes on."""
    scene.cluster(hpc)
    job = scene.job("paused", FLAKY.format(name="paused", good=5), backoffLimit=4)
    seen: set[str] = set()

    def over() -> bool:
        status = job.status
        seen.update([status["nextRetryTime"]] if "nextRetryTime" in status else [])
        return status.get("phase") == "Complete"

    until(over, "the Job to succeed in its fifth attempt", 60)
    assert seen, "no nextRetryTime was ever shown"
    attempts = job.status["attempts"]
    ends = [datetime.fromisoformat(each["endTime"]).timestamp() for each in attempts]
    begins = [datetime.fromisoformat(each["startTime"]).timestamp() for each in attempts[1:]]
    pauses = [begin - end for end, begin in zip(ends, begins, strict=False)]
    assert pauses[-1] >= 1, f"0.3 s, doubled twice: {pauses}"


def test_an_attempt_that_never_ran_takes_nothing_from_the_backoff_limit(scene: Scene, hpc: SlurmCluster) -> None:
    """Else a node whose file system is away would fail Jobs whose scripts have never run."""
    scene.cluster(hpc)
    job = scene.job("unlucky", "#!/bin/sh\necho $SLURM_JOB_ID >>~/unlucky\n", infrastructureRetries=1, extraOptions={"begin": "now+1hour"})
    for attempt in (1, 2):
        until(lambda attempt=attempt: job.status.get("run", {}).get("attempt") == attempt, f"attempt {attempt}")
        number = job.run_id
        [script] = hpc.home.glob(f".fairlead/*/runs/{job.uid}-{attempt}/script")
        script.unlink()                         # the wrapper finds nothing to run on its node
        hpc.run("scontrol", "update", f"jobid={number}", "starttime=now", user=False)
    job.wait("Failed")
    status = job.status
    assert (status["infrastructureFailures"], status.get("failures"), status["run"]["attempt"]) == (2, None, 2), status
    assert starts(hpc, "unlucky") == []


def test_what_a_person_on_the_cluster_cancelled_is_not_tried_again(scene: Scene, hpc: SlurmCluster) -> None:
    """Else an administrator could not stop a Job."""
    scene.cluster(hpc)
    job = scene.job("unwanted", "#!/bin/sh\necho $SLURM_JOB_ID >>~/unwanted; exec sleep 300\n", backoffLimit=5)
    until(lambda: starts(hpc, "unwanted"), "the script to have started")
    hpc.run("scancel", starts(hpc, "unwanted")[0])
    job.wait_ended()
    time.sleep(1)
    assert (job.condition("Failed")["reason"], len(starts(hpc, "unwanted"))) == ("CancelledExternally", 1)
