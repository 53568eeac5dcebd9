"""How a Job ends, whoever ends it: the reason in its status is the one that a person has to act on."""

from collections.abc import Callable

from bed.slurm import SlurmCluster
from product.scene import Scene
from product.starts import written
from product.waiting import until


def test_exit_codes_and_signals_are_told_apart(scene: Scene, hpc: SlurmCluster) -> None:
    """Else a user would look for a crash in a script that only said no, or the other way round."""
    scene.cluster(hpc)
    code = scene.job("code", "#!/bin/sh\necho before; exit 7\n")
    killed = scene.job("killed", "#!/bin/bash\nkill -KILL $$\n")
    crashed = scene.job("crashed", "#!/bin/sh\nsh -c 'kill -SEGV $$'\n")
    missing = scene.job("missing", command=["/no/such/program", "x"])
    assert code.wait("Failed", reason="NonZeroExitCode")["message"] == "the script exited with code 7"
    assert (code.status["run"]["exitCode"], code.status["run"].get("signal"), code.status["logs"]["tail"]) == (7, None, "before\n")
    assert code.condition("Ready")["status"] == "False"
    assert code.condition("Stalled")["status"] == "True"
    assert "ended by SIGKILL" in killed.wait("Failed", reason="Signaled")["message"]
    assert (killed.status["run"]["exitCode"], killed.status["run"]["signal"]) == (137, 9)
    assert "SIGSEGV" in crashed.wait("Failed", reason="Signaled")["message"]
    assert missing.wait("Failed", reason="NonZeroExitCode")["message"] == "the script exited with code 127"
    assert "/no/such/program" in missing.status["logs"]["tail"]
    code.wait_event("NonZeroExitCode")
    assert [(event["type"], event["reason"]) for event in code.events()] == [("Normal", "Submitted"), ("Warning", "NonZeroExitCode")]


POLITE = """#!/bin/bash
trap 'trap "" TERM; echo saved; exit 3' TERM
echo begun
while :; do sleep 600 & wait; done    # Slurm tells all processes to end: sleep may be gone first
"""


def test_a_job_past_its_time_limit_says_so(scene: Scene, hpc: SlurmCluster) -> None:
    """Else a user would look for a fault in a script that only needed more time. (Slurm looks at limits each half minute.)"""
    scene.cluster(hpc)
    deaf = scene.job("deaf", "#!/bin/bash\ntrap '' TERM\necho begun\nwhile :; do sleep 1; done\n", timeLimit="1m")
    polite = scene.job("polite", POLITE, timeLimit="1m")
    for job in (deaf, polite):
        job.wait("Running")
        output = hpc.home / f"{job.name}-{job.run_id}.out"
        until(lambda output=output: written(output) == "begun\n", "the script to have started")
        hpc.run("scontrol", "update", f"jobid={job.status['run']['id']}", "endtime=now", user=False)
    for job in (deaf, polite):
        assert "raise timeLimit" in job.wait("Failed", reason="TimeLimitExceeded", seconds=60)["message"]
        assert job.status["run"]["state"] == "TIMEOUT"
    said = [line for line in polite.status["logs"]["tail"].splitlines() if not line.startswith("slurmstepd")]   # as under plain sbatch
    assert (polite.status["run"]["exitCode"], said) == (3, ["begun", "saved"])


def test_a_job_that_outgrows_its_memory_says_so(scene: Scene, slurm: Callable[..., SlurmCluster]) -> None:
    """Else a user would see `Killed` and not know that memory was the reason."""
    cluster = slurm(proctrack="cgroup")
    scene.cluster(cluster)
    hungry = scene.job("hungry", "#!/bin/sh\nexec perl -e '$a = \"x\" x 400_000_000; sleep 30'\n", memory="60Mi")
    assert "raise memory" in hungry.wait("Failed", reason="OOMKilled")["message"]
    assert hungry.status["run"]["exitCode"] == 137


def test_a_job_whose_node_fails_says_so(scene: Scene, slurm: Callable[..., SlurmCluster]) -> None:
    """Else a user would search their script for a fault of the machine."""
    cluster = slurm()
    scene.cluster(cluster)
    job = scene.job("unlucky", "#!/bin/sh\n: >begun\nexec sleep 600\n")
    job.wait("Running")
    until((cluster.home / "begun").exists, "the script to begin: before that, another attempt would follow")
    node = until(lambda: job.status["run"].get("node"), "the node in the status")
    cluster.run("scontrol", "update", f"nodename={node}", "state=down", "reason=test", user=False)
    assert job.wait("Failed", reason="NodeFailure")["message"].startswith("a node of the job failed")


def test_a_job_that_somebody_cancels_on_the_cluster_says_so(scene: Scene, hpc: SlurmCluster) -> None:
    """Else a user whose job an operator has ended would run it again and again."""
    scene.cluster(hpc)
    waiting = scene.job("waiting", "#!/bin/sh\necho never\n", extraOptions={"begin": "now+1hour"})
    running = scene.job("running", "#!/bin/bash\ntrap 'exit 0' TERM\n: >on-running\nsleep 600 & wait\n")
    deaf = scene.job("deaf", "#!/bin/sh\ntrap '' TERM\n: >on-deaf\nexec sleep 600\n")
    waiting.wait("Running", "False", reason="Queued")
    for job in (running, deaf):
        job.wait("Running")
        until((hpc.home / f"on-{job.name}").exists, "the script to have started")
    hpc.run("scancel", *(job.status["run"]["id"] for job in (waiting, running, deaf)))
    assert "before it started" in waiting.wait("Failed", reason="CancelledExternally")["message"]
    assert "somebody cancelled" in running.wait("Failed", reason="CancelledExternally")["message"]
    assert "somebody cancelled" in deaf.wait("Failed", reason="CancelledExternally")["message"]


def test_why_a_job_waits_is_in_its_status(scene: Scene, hpc: SlurmCluster) -> None:
    """Else a user would have to log in to learn why nothing happens."""
    scene.cluster(hpc)
    job = scene.job("later", "#!/bin/sh\necho now\n", extraOptions={"begin": "now+1hour"})
    until(lambda: job.condition("Running").get("message") == "PENDING: BeginTime", f"the reason: {job.status}")
    assert (job.status["run"]["state"], job.status["run"]["reason"], job.status["phase"]) == ("PENDING", "BeginTime", "Queued")
    until(lambda: job.status.get("estimatedStartTime", "") > job.status["submitTime"], "when it is to start")
    hpc.run("scontrol", "update", f"jobid={job.status['run']['id']}", "starttime=now")
    job.wait("Complete")
    assert "reason" not in job.status["run"]
    assert "estimatedStartTime" not in job.status


def test_a_held_job_asks_for_a_person(scene: Scene, hpc: SlurmCluster) -> None:
    """Else a Job that an operator has to release would look as if it waited its turn."""
    scene.cluster(hpc)
    job = scene.job("later", "#!/bin/sh\necho now\n", extraOptions={"begin": "now+1hour"})
    job.wait("Submitted")
    number = job.status["run"]["id"]
    hpc.run("scontrol", "hold", number, user=False)
    assert "JobHeldAdmin" in job.wait("Held")["message"]
    job.wait_event("Held")
    hpc.run("scontrol", "release", number, user=False)
    hpc.run("scontrol", "update", f"jobid={number}", "starttime=now", user=False)
    job.wait("Complete")
    assert job.condition("Held")["status"] == "False"


def test_a_suspended_job_goes_on(scene: Scene, hpc: SlurmCluster) -> None:
    """Else a Job that the scheduler stops for a while would be taken for lost."""
    scene.cluster(hpc)
    job = scene.job("stopped", "#!/bin/sh\nwhile [ ! -e go ]; do sleep 0.2; done; rm go\n")
    job.wait("Running")
    number = job.status["run"]["id"]
    hpc.run("scontrol", "suspend", number, user=False)
    job.wait("Suspended")
    hpc.run("scontrol", "resume", number, user=False)
    job.wait("Suspended", "False")
    hpc.run("touch", "go")
    job.wait("Complete")
