"""Login nodes, scripts and options that mean harm by what they print and write: each costs its own Job or Cluster, and no other notices."""

import json
import random
from collections.abc import Callable
from typing import Any

import pytest

from bed.slurm import SlurmCluster
from bed.sshd import SshHost
from fairlead.domain.pacing import Pacing, Turn
from fairlead.domain.run.memory import Memory
from fairlead.schedulers.slurm import answers
from product import settled as settle
from product.controller import Controller
from product.objects import KEY, NOW, a_job, submitted
from product.scene import Scene, Thing
from product.tenants import JOBS_AND_STATUS, Tenant
from product.waiting import until
from product.worst_words import USUAL, WORST, changed
from product.worst_words import answer as said

TENANT = Callable[..., Tenant]

FLOOD = """
for option; do case $option in *job*%i*) fence=${option%%job*} ;; esac; done
row=$("$REAL" "$@" | grep fairlead: | head -n 1)
[ "$fence" ] && [ "$row" ] || exec "$REAL" "$@"
echo x >>"$HOME/floods"
yes "$row" | head -c 16777216
"""
"""In the place of squeue: 16 MiB of rows about a Job that was asked for, each behind the fence of its exec."""

REFUSAL = """
yes 'QOSMaxQOSMaxAssocMax' | tr -d '\\n' | head -c 65536 >&2
printf '\\033]0;owned\\007\\033[31m' >&2
exit 1
"""
"""In the place of sbatch: 64 KiB of words that begin like the names of limits, and escape codes."""

PLANTED = """#!/bin/sh
cd "$HOME"/.fairlead/*/runs/{uid}-1 || exit 9
escapes=$(printf '\\033]0;owned\\007\\033[2J')
{{
  read -r id restart at node
  printf '%s %s 999999999999 %s\\n' "$id" "$restart" "$node"
  printf '/tmp/%s%03000d\\n%s\\n' "$escapes" 7 "$escapes"
}} <started-0 >.planted && mv .planted started-0
"""
"""A script that rewrites what its wrapper wrote: a time that cannot be, and escape codes for paths."""

MANY = """#!/bin/sh
cd "$HOME"/.fairlead/*/runs/{uid}-1 || exit 9
for name in id stop refused started-1000000; do head -c 30000000 /dev/zero | tr '\\0' 7 >"$name"; done
: >started-99999999999999999999
"""
"""A script that makes files of megabytes without a line's end, and names of starts that no number is."""


def manifest(name: str, script: str, cluster: str = "hpc") -> dict[str, Any]:
    """A Job as its user creates it."""
    return {"metadata": {"name": name}, "spec": {"clusterRef": {"name": cluster}, "script": script}}


def require_clean(thing: dict[str, Any]) -> None:
    """No field of an object holds what a terminal would obey, or more than a person can read."""
    def look(value: Any, place: str) -> None:
        if isinstance(value, dict):
            for name, each in value.items():
                look(each, f"{place}.{name}")
        elif isinstance(value, list):
            for each in value:
                look(each, place)
        elif isinstance(value, str) and not place.endswith(".tail"):
            assert value.isprintable(), f"{place} holds control characters: {value!r:.80}"
            assert len(value) <= 4096, f"{place} holds {len(value)} characters"

    look(thing["status"], "status")


@pytest.mark.timeout(240)
def test_a_login_node_that_prints_without_end_stops_its_own_cluster_alone(
    own: SlurmCluster, hpc: SlurmCluster, scene: Scene, tenant: TENANT, controller: Controller,
) -> None:
    """Four megabytes of rows held up every cluster for 25 seconds; sixteen for ever."""
    liar = scene.cluster(own, "liar")
    scene.cluster(hpc)
    person, process = tenant(scene), controller.daemon.pid
    watched = person.creates(manifest("watched", "#!/bin/sh\nuntil [ -e ~/seen ]; do sleep 0.1; done\n", "liar"))
    watched.wait("Submitted")
    own.shim("squeue", FLOOD)
    floods = own.home / "floods"
    until(floods.exists, "the first flood")
    honest = person.creates(manifest("honest", "#!/bin/sh\ntrue\n"))
    honest.wait("Complete", seconds=90)
    ready = liar.condition("Ready")          # what is no row of ours is left out on the login node, so the Cluster may stay ready
    assert len(ready["message"]) <= 1024
    assert not ready["message"] or ready["message"].isprintable()
    assert controller.daemon.pid == process, "the controller outlived it"
    own.unshim("squeue")
    own.shim("sbatch", REFUSAL)
    liar.wait("Ready")
    refused = person.creates(manifest("refused", "#!/bin/sh\ntrue\n", "liar"))
    refused.wait("Submitted", "False", reason="SubmissionDeferred", says="QOSMax")
    require_clean(refused.read() or {})
    own.unshim("sbatch")
    (own.home / "seen").touch()
    watched.wait("Complete")


@pytest.mark.timeout(240)
def test_a_number_of_thousands_of_digits_is_refused_and_the_job_beside_it_runs(
    hpc: SlurmCluster, bare: SshHost, host: SshHost, scene: Scene, tenant: TENANT,
) -> None:
    """It stopped the submissions of its Cluster, and placing for everybody, for ever; a limit of 30 digits was none."""
    scene.cluster(hpc)
    scene.bare_hosts(bare, host, name="boxes", slots=2)
    person = tenant(scene)
    for cluster in ("hpc", "boxes"):
        for number, line in enumerate(("--ntasks=" + "9" * 5000, "--ntasks=" + "9" * 4000, "--time=" + "9" * 30)):
            person.creates(manifest(f"bad-{cluster}-{number}", f"#!/bin/sh\n#SBATCH {line}\ntrue\n", cluster))
        person.creates(manifest(f"good-{cluster}", "#!/bin/sh\n#SBATCH --ntasks=1 --time=5\ntrue\n", cluster))
    for name in [each["metadata"]["name"] for each in scene.jobs()]:
        thing = Thing(person.at, "jobs", name)
        if name.startswith("good"):
            thing.wait("Complete")
        else:
            thing.wait("Failed", reason="InvalidScript", says="line 2 of the script (#SBATCH)")
            require_clean(thing.read() or {})


@pytest.mark.timeout(240)
def test_a_script_that_rewrites_its_own_record_has_an_end_and_a_clean_status(hpc: SlurmCluster, scene: Scene, tenant: TENANT) -> None:
    """The API server refused its status, and the Job had no end for ever; `kubectl describe` handed escape codes to a terminal."""
    cluster = scene.cluster(hpc)
    person = tenant(scene)
    jobs = {}
    for name, script in (("planted", PLANTED), ("many", MANY)):
        what = {"clusterRef": {"name": "hpc"}, "scriptRef": {"name": name, "key": "script"}}
        jobs[name] = person.creates({"metadata": {"name": name}, "spec": what})
        scene.config_map(name, {"script": script.format(uid=jobs[name].uid)})
    jobs["many"].wait_ended()
    job = jobs["planted"]
    status = job.wait_ended()
    assert job.condition("Complete").get("status") == "True", status
    assert "startTime" not in status, "it cannot have started in the year 33658"
    assert status["endTime"].startswith("20")
    assert status["logs"]["stdoutPath"].startswith("/tmp/")
    for each in jobs.values():
        require_clean(each.read() or {})
        for event in Thing(scene, "jobs", each.name).events():
            assert event["message"].isprintable()
    assert cluster.condition("Ready")["status"] == "True", "the others' polls go on"


def test_a_real_api_server_takes_whatever_status_is_made_of_a_far_ends_words(scene: Scene, tenant: TENANT) -> None:
    """What the schema in our tests lets through and the API server does not would leave a Job as it was for ever."""
    person = tenant(scene, JOBS_AND_STATUS)
    job = person.creates(manifest("any", "#!/bin/sh\n", "none"))
    job.wait("Submitted", "False")
    chance, written = random.Random(1), 0
    rows = [row for row in USUAL if row[0] != "job"]
    for words in chance.sample([each for value in WORST for each in changed(rows, value)], 150):
        observation = answers.observation(said(words), "here", {KEY: "7"})
        outcome = settle.observed(a_job(status=submitted()), Memory(claim="7", absent_since=-1e9), observation, Turn(NOW, Pacing()))
        if outcome.status is None:
            continue
        status = outcome.status.model_dump(mode="json", by_alias=True, exclude_none=True)
        path = f"{job.path}/status"
        answered, told = person.at.api.request("PATCH", path, {"status": status}, "application/merge-patch+json")
        assert answered == 200, f"{told}: {json.dumps(status)[:2000]}"
        written += 1
    assert written > 50
