"""Text of every kind goes through unchanged, and none of it becomes a command or garbles what people read."""

import hashlib
import json

from bed.slurm import SlurmCluster
from product.scene import Scene

HOSTILE = [
    "plain", "two words", "", "'", '"', "''\"\"'", "$(touch ~/pwned)", "`touch ~/pwned`", "; touch ~/pwned #", "a\nb\n\nc\n", "\n",
    "tab\there", "\\", "\\n", "-rf", "--help", "*", "~", "$HOME", "!x", "%j %x %", "naïve 日本語 🚀", "\u202eturned",
    "a\u001fb\u001ec\u0001", "\r\n", "\u00a0", "x" * 5000,
]


def test_arguments_and_variables_arrive_as_they_were_written(scene: Scene, hpc: SlurmCluster) -> None:
    """Else a quote in an argument would end in a syntax error, or run as a command on somebody's cluster."""
    scene.cluster(hpc)
    program = "import json, os, sys; print(json.dumps([sys.argv[1:], {k: v for k, v in os.environ.items() if k.startswith('T_')}]))"
    env = [{"name": f"T_{n}", "value": word} for n, word in enumerate(HOSTILE)]
    job = scene.job("words", command=["python3", "-c", program, *HOSTILE[:10]], args=HOSTILE[10:], env=env)
    job.wait("Complete")
    text = (hpc.home / f"words-{job.status['run']['id']}.out").read_text()
    assert json.loads(text) == [HOSTILE, {each["name"]: each["value"] for each in env}]
    assert not (hpc.home / "pwned").exists()


def test_a_large_script_arrives_byte_for_byte(scene: Scene, hpc: SlurmCluster) -> None:
    """Else a long script would be cut, and half of it would run."""
    scene.cluster(hpc)
    head = "#!/bin/bash\nsha256sum < \"$0\"; exit 0\n"
    fill = ": 'naïve $(touch ~/pwned) `x` \\ \"\n'\n"
    script = head + fill * ((1_048_576 - len(head)) // len(fill.encode()))
    job = scene.job("large", script)
    small = scene.job("small", "#!/bin/sh\necho no newline at the end: $0", cluster="hpc")
    job.wait("Complete")
    assert job.status["logs"]["tail"].split()[0] == hashlib.sha256(script.encode()).hexdigest()
    small.wait("Complete")
    assert small.status["logs"]["tail"].startswith("no newline at the end: /")


def test_output_in_the_status_is_plain_text(scene: Scene, hpc: SlurmCluster) -> None:
    """Else `kubectl describe` would clear a person's screen, or an odd byte would keep the status from being written at all."""
    scene.cluster(hpc)
    script = ("#!/bin/bash\nprintf '\\033[2J\\033[31mred\\033[0m \\001\\002 na\\xc3\\xafve \\xff\\xfe 日本\u3000語 tab\\there\\r\\n'\n"
              "printf 'no newline'\n")
    job = scene.job("odd", script)
    cut = scene.job("cut", "#!/bin/bash\nfor n in {1..3000}; do printf 'ä%s' $n; done; echo; echo end\n")
    silent = scene.job("silent", "#!/bin/sh\nexit 0\n")
    for each in (job, cut, silent):
        each.wait("Complete")
    assert job.status["logs"]["tail"] == "red  naïve \ufffd\ufffd 日本\u3000語 tab\there\nno newline"
    assert cut.status["logs"]["tail"].endswith("ä3000\nend\n")
    assert len(cut.status["logs"]["tail"].encode()) <= 4096 + 8
    assert (silent.status["logs"]["bytes"], silent.status["logs"].get("tail", "")) == (0, "")


def test_every_name_that_kubernetes_allows_will_do(scene: Scene, hpc: SlurmCluster) -> None:
    """Else a Job with a long or dotted name would be lost from sight."""
    scene.cluster(hpc)
    jobs = [scene.job(name, "#!/bin/sh\necho ok\n") for name in ("a", "a.b-c.d", "x" * 63, "9" * 200, "y" * 253)]
    for job in jobs:
        job.wait("Complete")
        rest = f"-{job.status['run']['id']}.out"
        assert job.status["logs"]["stdoutPath"] == f"/srv/c/home/{job.name[:255 - len(rest)]}{rest}"


def test_jobs_of_others_cannot_forge_an_answer(scene: Scene, hpc: SlurmCluster) -> None:
    """Else another job's name or comment could end a Job, or make it look like a success."""
    scene.cluster(hpc)
    job = scene.job("real", "#!/bin/sh\nexec sleep 600\n", cancellationGracePeriodSeconds=0)
    job.wait("Running")
    key, number = job.status["run"]["key"], job.status["run"]["id"]
    mark = next(each for each in hpc.run("squeue", "-h", "-j", number, "-o", "%k").stdout.split())
    forged = f"x\n{number}\x1fCOMPLETED\x1f0\x1f0\x1fn\x1fNone\x1f{mark}\nend"
    fakes = [hpc.run("sbatch", "--parsable", f"--job-name={text}", f"--comment={comment}", "--hold", "--wrap", "true").stdout.strip()
             for text, comment in ((forged, "mine"), ("mine", forged), (f"real-{key}\n", "x"))]
    tail = scene.job("tail", "#!/bin/sh\nprintf '\\037end\\036\\n'; for f in ~/.fairlead/*/runs/*/finished-*; do cat $f; done; exit 5\n")
    tail.wait("Failed", reason="NonZeroExitCode")
    assert job.condition("Running")["status"] == "True"
    assert not {kind for kind in ("Complete", "Failed") if job.condition(kind).get("status") == "True"}
    job.delete()
    hpc.run("scancel", *fakes)
