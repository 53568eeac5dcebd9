"""ALIKE on real Slurm: nobody looks at how these scripts end, and Slurm has forgotten them, and keeps no books, when somebody comes."""

from collections.abc import Callable

import pytest

from bed.slurm import SlurmCluster
from product.controller import Controller
from product.scene import Scene
from product.waiting import until

POLITE = "#!/bin/bash\ntrap 'echo saved; exit 0' TERM\ntouch ~/up-{name}\nsleep 600 & wait\n"
GATED = "#!/bin/bash\ntouch ~/up-{name}\nuntil [ -e ~/go ]; do sleep 0.1; done\n{then}\n"
HUNGRY = "perl -e '$a = \"x\" x 400_000_000'\necho a worker ended with $?\nexit 0"
ENDS = {
    "limit": (POLITE, "Failed", "TimeLimitExceeded"),
    "cancelled": (POLITE, "Failed", "CancelledExternally"),
    "warned": (POLITE, "Complete", "Completed"),
    "hungry": (GATED.replace("{then}", HUNGRY), "Failed", "OOMKilled"),
    "good": (GATED.replace("{then}", "exit 0"), "Complete", "Completed"),
    "as-timeout": (GATED.replace("{then}", "exit 124"), "Failed", "NonZeroExitCode"),
    "itself": (GATED.replace("{then}", "kill -TERM $$"), "Failed", "Signaled"),
}


@pytest.mark.timeout(400)
def test_scripts_that_ended_unseen_have_the_verdict_that_slurm_gave(
        slurm: Callable[..., SlurmCluster], scene: Scene, controller: Controller) -> None:
    """A script that was cut short at its limit, or lost a child to its memory limit, was complete if nobody looked within MinJobAge."""
    cluster = slurm(proctrack="cgroup", min_job_age_seconds=2)
    scene.cluster(cluster)
    jobs = {name: scene.job(name, script.replace("{name}", name), timeLimit="2m", memory="60Mi") for name, (script, *_) in ENDS.items()}
    until(lambda: all((cluster.home / f"up-{name}").exists() for name in jobs), "all scripts to have begun")
    ids = {name: until(lambda job=job: job.status.get("run", {}).get("id"), "its id") for name, job in jobs.items()}
    controller.daemon.kill()
    cluster.run("touch", "go")
    cluster.run("scancel", ids["cancelled"])
    cluster.run("scancel", "-b", "-s", "TERM", ids["warned"])
    cluster.run("scontrol", "update", f"jobid={ids['limit']}", "endtime=now", user=False)
    until(lambda: not cluster.run("squeue", "-h", "-a", "-t", "all", "-o", "%i").stdout.split(), "Slurm to have forgotten all", 90, 0.5)
    controller.start()
    for name, (_, kind, reason) in ENDS.items():
        jobs[name].wait(kind, reason=reason)
    assert jobs["limit"].status["run"]["state"] == "TIMEOUT"
    assert "not watched" in jobs["good"].condition("Complete")["message"]
