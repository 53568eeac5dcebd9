"""A Job on a bare host, as a user walks it."""

from bed.sshd import SshHost
from product.scene import Scene
from product.waiting import until


def test_a_job_runs_once_and_shows_its_output(host: SshHost, scene: Scene) -> None:
    """Else somebody with no more than an SSH host would not get their result, or would not see it."""
    scene.bare_host(host)
    job = scene.job("hello", "#!/bin/bash\necho hello from $FAIRLEAD_RUN >> ~/started\necho done\n")
    status = job.wait_ended()
    assert job.condition("Complete")["status"] == "True", status
    assert (host.home / "started").read_text() == f"hello from {job.uid}-1\n"
    assert (status["logs"]["tail"], status["run"]["exitCode"], status["run"]["id"]) == ("done\n", 0, "1")
    job.wait_event("Completed")
    assert [event["reason"] for event in job.events()] == ["Submitted", "Completed"]


def test_a_failing_script_shows_its_exit_code(host: SshHost, scene: Scene) -> None:
    """Else a user would take a failure for a success."""
    scene.bare_host(host)
    job = scene.job("bad", "#!/bin/sh\nexit 7\n")
    job.wait("Failed", reason="NonZeroExitCode")
    assert job.status["run"]["exitCode"] == 7


def test_a_deleted_job_ends_on_the_host(host: SshHost, scene: Scene) -> None:
    """Else deleted Jobs would go on using GPUs."""
    scene.bare_host(host)
    job = scene.job("long", "#!/bin/bash\nsleep 600\n", cancellationGracePeriodSeconds=2)
    job.wait("Running")
    job.delete()
    until(lambda: not any("sleep" in host.run("ps", "-o", "comm=", "-p", str(pid)).stdout for pid in host.user_pids()), "sleep to be gone")


def test_what_does_not_fit_waits_in_its_order(host: SshHost, scene: Scene) -> None:
    """Else Jobs would share a slot, or a later one would overtake."""
    scene.bare_host(host, slots=2)
    script = "#!/bin/sh\necho $0 >/dev/null; echo start %s >> ~/order; sleep 1; echo end %s >> ~/order\n"
    first = scene.job("a", script % ("a", "a"), cpusPerTask=2)
    first.wait("Submitted")
    second = scene.job("b", script % ("b", "b"), cpusPerTask=2)
    second.wait("Submitted")
    third = scene.job("c", script % ("c", "c"))
    for job in (first, second, third):
        job.wait("Complete")
    assert (host.home / "order").read_text().split("\n")[:4] == ["start a", "end a", "start b", "end b"]


def test_gpus_are_given_to_one_job_each(host: SshHost, scene: Scene) -> None:
    """Else two Jobs would share a GPU's memory."""
    scene.bare_host(host, slots=4, gpus=2)
    script = '#!/bin/sh\necho "gpus=$CUDA_VISIBLE_DEVICES"\nsleep 2\n'
    jobs = [scene.job(f"g{number}", script, gpus=1) for number in range(2)]
    both = scene.job("both", script, gpus=2)
    none = scene.job("none", script)
    seen = sorted(job.wait_ended()["logs"]["tail"] for job in jobs)
    assert seen == ["gpus=0\n", "gpus=1\n"]
    assert both.wait_ended()["logs"]["tail"] == "gpus=0,1\n"
    assert none.wait_ended()["logs"]["tail"] == "gpus=\n"
