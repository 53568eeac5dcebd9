"""Every field that the API accepts does what it says, as Slurm itself sees the job and as the script sees its world."""

import base64
import re
from collections.abc import Callable
from pathlib import Path

from bed.slurm import SlurmCluster
from product.scene import Scene, Thing


def shown(cluster: SlurmCluster, job: Thing) -> dict[str, str]:
    """What `scontrol show job` says, by field."""
    text = cluster.run("scontrol", "-o", "show", "job", job.status["run"]["id"]).stdout
    return dict(re.findall(r"(\S+?)=(\S*)", text))


def test_resources_are_what_slurm_gives(scene: Scene, slurm: Callable[..., SlurmCluster]) -> None:
    """Else a user would get, and pay for, other resources than they asked for."""
    cluster = slurm()
    scene.cluster(cluster)
    for node, feature in zip(cluster.nodes, ("old", "new"), strict=True):
        cluster.run("scontrol", "update", f"nodename={node}", f"availablefeatures={feature}", f"activefeatures={feature}", user=False)
    script = "#!/bin/bash\nenv | grep ^SLURM_ | sort\n"
    wide = scene.job("wide", script, partition="gpu", nodes=2, ntasks=4, ntasksPerNode=2, cpusPerTask=2, memory="1500M", gpus=4,
                     timeLimit="90m")
    narrow = scene.job("narrow", script, constraint="new", gres="gpu:a100:2", memory="1Gi", timeLimit="0-20:00:00",
                       extraOptions={"nice": "100", "mail-type": "NONE", "overcommit": ""}, partition="debug,gpu")
    alone = scene.job("alone", script, exclusive=True, cpusPerTask=1)
    for job in (wide, narrow, alone):
        job.wait("Complete")
    seen = shown(cluster, wide)
    assert {name: seen[name] for name in ("Partition", "NumNodes", "NumTasks", "CPUs/Task", "TimeLimit", "MinMemoryNode")} == {
        "Partition": "gpu", "NumNodes": "2", "NumTasks": "4", "CPUs/Task": "2", "TimeLimit": "01:30:00", "MinMemoryNode": "1431M"}
    assert seen["TresPerJob"] == "gres/gpu:4"
    given = {"SLURM_NTASKS_PER_NODE=2", "SLURM_GPUS=4", "SLURM_CPUS_PER_TASK=2", "SLURM_JOB_NUM_NODES=2"}
    assert given <= set(wide.status["logs"]["tail"].split())
    seen = shown(cluster, narrow)
    assert (seen["Features"], seen["NodeList"], seen["TimeLimit"], seen["MinMemoryNode"]) == ("new", cluster.nodes[1], "20:00:00", "1G")
    assert seen["Nice"] == "100"
    assert seen["TresPerNode"] == "gres/gpu:a100:2"
    seen = shown(cluster, alone)
    assert seen["OverSubscribe"] == "NO"
    assert seen["AllocTRES"].startswith("cpu=8,")


def test_account_and_quality_of_service_are_those_asked_for(scene: Scene, slurm: Callable[..., SlurmCluster]) -> None:
    """Else work would be charged to the wrong account."""
    cluster = slurm(accounting=True, extra=("AccountingStorageEnforce=associations,limits,qos",))
    admin = ("sacctmgr", "-i")
    for words in (("add", "account", "physics", "chemistry"), ("add", "qos", "urgent"),
                  ("add", "user", "user", "account=physics,chemistry", "defaultaccount=chemistry"),
                  ("modify", "user", "user", "set", "qos=normal,urgent")):
        cluster.run(*admin, *words, user=False)
    scene.cluster(cluster, slurm={"defaultAccount": "physics", "defaultPartition": "gpu", "accounting": "Required"})
    default = scene.job("default")
    named = scene.job("named", account="chemistry", qos="urgent", partition="debug")
    lines = scene.job("lines", "#!/bin/sh\n#SBATCH -A chemistry --qos=urgent\n#SBATCH -p debug\ntrue\n")
    wrong = scene.job("wrong", account="alchemy")
    for job in (default, named, lines):
        job.wait("Complete")
    assert {name: shown(cluster, default)[name] for name in ("Account", "Partition", "QOS")} == {
        "Account": "physics", "Partition": "gpu", "QOS": "normal"}
    for job in (named, lines):
        seen = shown(cluster, job)
        assert (seen["Account"], seen["QOS"], seen["Partition"]) == ("chemistry", "urgent", "debug")
    assert "Invalid account" in wrong.wait("Failed", reason="SubmissionRejected")["message"]


def test_files_and_folders_are_where_the_job_says(scene: Scene, hpc: SlurmCluster) -> None:
    """Else a user would search for their output."""
    scene.cluster(hpc)
    script = "pwd\necho problem >&2\n[ ! \"$SLURM_JOB_NAME\" ] || echo \"$SLURM_JOB_NAME\" >~/called-$SLURM_JOB_ID\n"
    home = "/srv/c/home"
    hpc.run("mkdir", "-p", f"{home}/wörk dir", f"{home}/abs")
    spec = scene.job("spec", f"#!/bin/sh\n{script}", workingDir="~/wörk dir", stdoutPath="logs/%x of %u on %N %%/%j-%A.out",
                     stderrPath=f"{home}/abs/%x.err")
    own = f"#SBATCH -o 'l/%x-%j.txt' --error=l/err.txt\n#SBATCH --job-name=named -D {home}/abs\n"
    lines = scene.job("lines", f"#!/bin/sh\n{own}{script}")
    mixed = scene.job("mixed", f"#!/bin/sh\n#SBATCH --output=no.txt --chdir=/tmp\n{script}", workingDir=f"{home}/abs", stdoutPath="yes.txt")
    for job in (spec, lines, mixed):
        job.wait_ended()
    number, node = spec.status["run"]["id"], spec.status["run"]["node"]
    assert spec.status["logs"] == {
        "stdoutPath": f"{home}/wörk dir/logs/spec of user on {node} %/{number}-{number}.out", "stderrPath": f"{home}/abs/spec.err",
        "bytes": len(f"{home}/wörk dir\n".encode()), "tail": f"{home}/wörk dir\n"}
    assert (hpc.home / "abs/spec.err").read_text() == "problem\n"
    assert lines.status["logs"]["stdoutPath"] == f"{home}/abs/l/named-{lines.status['run']['id']}.txt"
    for job, name in ((spec, "spec"), (lines, "named")):
        assert (hpc.home / f"called-{job.status['run']['id']}").read_text() == f"{name}\n", "a script may go by its job's name"
    assert (lines.status["logs"]["tail"], (hpc.home / "abs/l/err.txt").read_text()) == (f"{home}/abs\n", "problem\n")
    assert mixed.status["logs"]["stdoutPath"] == f"{home}/abs/yes.txt"
    assert mixed.status["logs"]["tail"] == f"{home}/abs\nproblem\n"


def test_output_that_cannot_be_written_fails_the_job_before_its_script_starts(scene: Scene, hpc: SlurmCluster) -> None:
    """Else a script would run for hours with its results going nowhere."""
    scene.cluster(hpc)
    output = scene.job("output", "#!/bin/sh\ntouch ~/ran-anyway\n", stdoutPath="/proc/no/such.out")
    folder = scene.job("folder", "#!/bin/sh\ntouch ~/ran-anyway\n", workingDir="/no/such/folder")
    assert "/proc/no/such.out" in output.wait("Failed", reason="OutputNotWritable")["message"]
    assert "workingDir" in folder.wait("Failed", reason="OutputNotWritable")["message"]
    assert not (hpc.home / "ran-anyway").exists()


def test_output_that_only_a_compute_node_cannot_open_is_named_with_the_node(own: SlurmCluster, scene: Scene) -> None:
    """Else a user would read that the job left the queue without having started, and look for the reason in vain."""
    own.run("mkdir", "-m", "777", "/srv/c/scratch", "/srv/c/scratch/my out", user=False)
    slurmd = own.node(1)
    slurmd.kill()
    command = f"mount -t tmpfs -o mode=755 tmpfs /srv/c/scratch; exec {' '.join(slurmd.argv)}"
    own.run("unshare", "--mount", "sh", "-ec", command, user=False)
    scene.cluster(own)
    job = scene.job("output", "#!/bin/sh\ntouch ~/ran-anyway\n", stdoutPath="/srv/c/scratch/my out/%j.txt", infrastructureRetries=0)
    said = job.wait("Failed", reason="OutputNotWritable", seconds=90)["message"]
    assert f"/srv/c/scratch/my out/{job.status['run']['id']}.txt on {own.nodes[0]}" in said
    assert job.status.get("failures", 0) == 0, "an attempt that never ran is none that failed"
    assert not (own.home / "ran-anyway").exists()


def test_lines_of_the_script_count_where_the_spec_is_silent(scene: Scene, hpc: SlurmCluster) -> None:
    """Else a script that works under sbatch would get other resources here."""
    scene.cluster(hpc)
    script = ("#!/bin/bash\n#SBATCH --ntasks=2 -c 2\n#\n#SBATCH --time=0:30:00   # half an hour\n\n#SBATCH -p gpu --mem=300M\n"
              "true\n#SBATCH -n 5\n")
    job = scene.job("lines", script, cpusPerTask=1, memory="200Mi")
    job.wait("Complete")
    seen = shown(hpc, job)
    assert {name: seen[name] for name in ("NumTasks", "CPUs/Task", "TimeLimit", "Partition", "MinMemoryNode")} == {
        "NumTasks": "2", "CPUs/Task": "1", "TimeLimit": "00:30:00", "Partition": "gpu", "MinMemoryNode": "200M"}


HARMLESS = ("--export=ALL", "--open-mode=append", "--no-requeue", "--get-user-env", '--exclude=""', "--quiet", "--output=%7j-%J-%2a.%A.txt")


def _of_harmless(job_id: str) -> str:
    """The file that the pattern in HARMLESS means for a job that is part of no array."""
    return f"{job_id:0>7}-{job_id}-4294967294.{job_id}.txt"


def test_lines_that_change_nothing_are_taken_as_sbatch_takes_them(scene: Scene, hpc: SlurmCluster) -> None:
    """Else a script that works under sbatch would be refused here for a line that does no harm, or write its output elsewhere."""
    scene.cluster(hpc)
    script = "".join(["#!/bin/sh\n", *(f"#SBATCH {line}\n" for line in HARMLESS), "echo $SLURM_JOB_ID\n"])
    (hpc.home / "harmless.sh").write_text(script)
    hpc.run("sbatch", "--wait", "harmless.sh")
    [theirs] = hpc.home.glob("*.txt")
    job = scene.job("harmless", script)
    job.wait("Complete")
    ours = Path(job.status["logs"]["stdoutPath"])
    assert theirs.name == _of_harmless(theirs.read_text().strip()), "what sbatch makes of the pattern"
    assert ours.name == _of_harmless(job.status["run"]["id"])


def test_a_line_that_cannot_be_honoured_is_named(scene: Scene, hpc: SlurmCluster) -> None:
    """Else a user would get a job that is not the one they wrote down."""
    scene.cluster(hpc)
    array = scene.job("array", "#!/bin/bash\n#SBATCH --array=1-10\ntrue\n")
    short = scene.job("short", "#!/bin/bash\n\n#SBATCH --job=x\ntrue\n")
    assert "line 2 of the script (#SBATCH): --array is refused" in array.wait("Failed", reason="InvalidScript")["message"]
    assert "line 3" in short.wait("Failed", reason="InvalidScript")["message"]
    assert not [row for row in hpc.squeue_all() if row.name.endswith((f"{array.uid}-1", f"{short.uid}-1"))]


def test_a_script_comes_from_a_config_map(scene: Scene, hpc: SlurmCluster) -> None:
    """Else a script could not be kept beside its Jobs."""
    scene.cluster(hpc)
    job = scene.job("ref", scriptRef={"name": "scripts", "key": "run.sh"}, env=[{"name": "WHO", "value": "world"}])
    assert "create it" in job.wait("Submitted", "False", reason="ScriptRefNotFound")["message"]
    scene.config_map("scripts", {"other.sh": "#!/bin/sh\n", "bad.sh": "#!/bin/sh\r\ntrue\r\n"})
    bad = scene.job("bad", scriptRef={"name": "scripts", "key": "bad.sh"})
    assert "Windows line ends" in bad.wait("Failed", reason="InvalidScript")["message"]
    job.wait("Submitted", "False", reason="ScriptRefNotFound", says="it has bad.sh, other.sh")
    binary = base64.b64encode("#!/bin/sh\necho für\n".encode("latin-1")).decode()
    scene.api.merge(f"/api/v1/namespaces/{scene.namespace}/configmaps/scripts", {"binaryData": {"old.sh": binary}})
    old = scene.job("old", scriptRef={"name": "scripts", "key": "old.sh"})
    assert "iconv" in old.wait("Failed", reason="InvalidScript")["message"]
    scene.config_map("scripts", {"run.sh": "#!/bin/sh\necho hello $WHO\n"})
    job.wait("Complete")
    assert job.status["logs"]["tail"] == "hello world\n"
