"""The oldest and the newest release of Slurm, and sites that track processes by control groups: submit, poll and cancel are the same."""

from collections.abc import Callable

import pytest

from bed.slurm import SlurmCluster
from product.scene import Scene
from product.waiting import until

KINDS = [
    pytest.param("20.11", {}, id="the oldest release"), pytest.param("22.05", {}, id="22.05"),
    pytest.param("26.05", {}, id="the newest release"),
    pytest.param("24.11", {"proctrack": "cgroup"}, id="control groups"),
    pytest.param("24.11", {"min_job_age_seconds": 2}, id="a site that forgets jobs at once"),
]


ASKS = """\
#!/bin/bash
#SBATCH --job-name=train-resnet
#SBATCH --output=%x-%j.log --comment="project 7"
echo "name=$SLURM_JOB_NAME"
scontrol show job $SLURM_JOB_ID | sed -n 's/^ *\\(StdOut\\|WorkDir\\)=/&/p'
echo "mine=$(squeue -h -n train-resnet -o %i) of $SLURM_JOB_ID"
echo "comment=$(squeue -h -j $SLURM_JOB_ID -o %k)"
"""


@pytest.mark.parametrize(("release", "config"), KINDS)
def test_a_jobs_life_is_the_same_everywhere(
    release: str, config: dict[str, object], scene: Scene, slurm: Callable[..., SlurmCluster],
) -> None:
    """Else a site would have to change before its users could use Fairlead."""
    cluster = slurm(release, **config)
    (cluster.home / ".bash_profile").write_text("module() { echo module $*; }; export -f module\n")
    assert scene.cluster(cluster).status["schedulerVersion"].startswith(release)
    good = scene.job("good", "#!/bin/bash\n#SBATCH --ntasks=2 --mem=200M\nmodule load x; echo $SLURM_NTASKS $WORD >&2\n",
                     env=[{"name": "WORD", "value": "a b"}], timeLimit="5m")
    bad = scene.job("bad", "#!/bin/sh\nexit 3\n")
    wrong = scene.job("wrong", partition="nowhere")
    waiting = scene.job("waiting", extraOptions={"begin": "now+1hour", "comment": "fairlead"})
    cancelled = scene.job("cancelled", "#!/bin/bash\n#SBATCH --comment=mine\ntouch ~/on; exec sleep 600\n")
    asks = scene.job("names", ASKS)
    polite = scene.job("polite", "#!/bin/bash\ntrap 'touch ~/saved; exit 0' TERM\ntouch ~/polite-on; sleep 600 & wait\n",
                       extraOptions={"comment": "mine"})
    good.wait("Complete")
    assert good.status["logs"]["tail"] == "module load x\n2 a b\n"
    asks.wait("Complete")
    number, folder = asks.status["run"]["id"], "/srv/c/home"
    assert sorted(asks.status["logs"]["tail"].split("\n")) == sorted([
        "name=train-resnet", f"   WorkDir={folder}", f"   StdOut={folder}/train-resnet-{number}.log", f"mine={number} of {number}",
        "comment=project 7", ""])
    assert [path.name for path in cluster.home.glob("train-resnet-*")] == [f"train-resnet-{number}.log"]
    bad.wait("Failed", reason="NonZeroExitCode")
    assert bad.status["run"]["exitCode"] == 3
    assert "nvalid partition" in wrong.wait("Failed", reason="SubmissionRejected")["message"]
    until(lambda: waiting.condition("Running").get("message") == "PENDING: BeginTime", "why it waits")
    until((cluster.home / "on").exists, "the script to have started")
    cluster.run("scancel", cancelled.run_id)
    cancelled.wait("Failed", reason="CancelledExternally")
    until((cluster.home / "polite-on").exists, "the script to have started")
    polite.delete(wait=False)
    waiting.delete()
    polite.wait_gone()
    assert (cluster.home / "saved").exists()
    assert cluster.jobs_active() == []


REFUSALS = """
failed='sbatch: error: Batch job submission failed:'
[ -e ~/told-1 ] || { echo "$failed Resource temporarily unavailable" >&2; exit 1; }
[ -e ~/told-2 ] || {
  echo 'sbatch: error: QOSMaxSubmitJobPerUserLimit' >&2; echo "$failed Job violates accounting/QOS policy (submit limit)" >&2; exit 1; }
[ -e ~/told-3 ] || { echo 'sbatch: error: something that nobody has seen before' >&2; exit 1; }
exec "$REAL" "$@"
"""
"""Each refusal is said until it was read."""


def test_refusals_for_now_are_asked_again(scene: Scene, slurm: Callable[..., SlurmCluster]) -> None:
    """Else a full queue would fail a Job that could run ten minutes later."""
    cluster = slurm()
    scene.cluster(cluster)
    cluster.shim("sbatch", REFUSALS)
    job = scene.job("patient", "#!/bin/sh\necho x >> ~/ran\n")
    for number, words in enumerate(("Resource temporarily unavailable", "QOSMaxSubmitJobPerUserLimit", "nobody has seen"), 1):
        job.wait("Submitted", "False", reason="SubmissionDeferred", says=words)
        (cluster.home / f"told-{number}").touch()
    job.wait("Complete")
    assert (cluster.home / "ran").read_text() == "x\n"


def test_a_full_queue_holds_nothing_up_for_good(scene: Scene, slurm: Callable[..., SlurmCluster]) -> None:
    """Else the Jobs that a site's MaxJobCount keeps out would be lost or run twice. (Slurm's own sbatch hangs for two minutes there.)"""
    cluster = slurm(max_job_count=2, min_job_age_seconds=2)
    scene.cluster(cluster)
    jobs = [scene.job(f"many-{n}", f"#!/bin/sh\necho {n} >> ~/ran; sleep 1\n") for n in range(3)]
    for job in jobs:
        job.wait("Complete", seconds=60)
    assert sorted((cluster.home / "ran").read_text().split()) == ["0", "1", "2"]
