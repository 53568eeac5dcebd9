"""The demo's story: apply, watch, read the output, delete, count what is left."""

import os
import subprocess
import sys
import time

from bed.errors import BedError
from demo.kinds import PROCESS, SLURM
from demo.stage import Stage, make_secret
from demo.teller import Teller
from product.api import GROUP, Api
from product.remains import remains_on

END_SECONDS = 60.0
LEFT_SECONDS = 30.0
LOOK_SECONDS = 0.05
JOB = "jobs.fairlead.dev/hello"
CONDITIONS = ("Submitted", "Running", "Complete", "Failed", "Ready")
"""A Job's conditions in the order of its life."""
KINDS = (("processes", "process "), ("Slurm jobs", "Slurm job "), ("files but tombstones", "file "))
"""What may be left on a host, and how a sentence about it begins."""
UNKNOWN_TO = {SLURM: (), PROCESS: ("Slurm jobs",)}


def tell(stage: Stage, teller: Teller) -> None:
    """One Job, from apply to its removal. Raises BedError when it does not go as it must."""
    kubectl = stage.plane.kubectl
    teller.step("A Cluster and a Job, as a user applies them")
    teller.command(make_secret(stage))
    teller.command(f"kubectl apply -f examples/{stage.kind.example}/   # filled in for this bed")
    teller.output(kubectl("apply", "--filename", str(stage.example)).stdout)
    teller.step("The Job's conditions, as they change")
    _watch(stage, teller)
    teller.command("kubectl get flj hello")
    teller.output(kubectl("get", JOB).stdout)
    teller.command("fairlead logs default/hello")
    teller.output(_logs(stage))
    teller.step("Its removal")
    teller.command(f"kubectl delete -f examples/{stage.kind.example}/")
    teller.output(kubectl("delete", "--filename", str(stage.example), "--timeout=40s").stdout)
    _count(stage, teller)


def _watch(stage: Stage, teller: Teller) -> None:
    """Print each condition as it changes until the Job has ended."""
    until = time.monotonic() + END_SECONDS
    told: dict[str, str] = {}
    api = Api(stage.plane.kubeconfig)
    try:
        while time.monotonic() < until:
            conditions = _conditions(api)
            for kind in CONDITIONS:
                if kind in conditions and told.get(kind) != conditions[kind]:
                    told[kind] = conditions[kind]
                    teller.note(f"  {kind:9}  {conditions[kind]}")
            if conditions.get("Complete", "").startswith("True"):
                return
            if conditions.get("Failed", "").startswith("True"):
                raise BedError(f"the Job failed: {conditions['Failed']}")
            time.sleep(LOOK_SECONDS)
    finally:
        api.close()
    raise BedError(f"the Job did not end in {END_SECONDS:g} s; seen last: {told}")


def _conditions(api: Api) -> dict[str, str]:
    """Each condition's status, reason and message in a line, by its type."""
    job = api.get(f"{GROUP}/namespaces/default/jobs/hello") or {}
    return {each["type"]: f"{each['status']:5}  {each['reason']}" + (f": {each['message']}" if each.get("message") else "")
            for each in job.get("status", {}).get("conditions", [])}


def _logs(stage: Stage) -> str:
    """What `fairlead logs` prints. Raises BedError with its own words."""
    argv = [sys.executable, "-m", "fairlead", "logs", "default/hello", "--kubeconfig", str(stage.plane.kubeconfig)]
    env = {**os.environ, **stage.bed.env, "TMPDIR": str(stage.bed.folder)}  # whatever it leaves when it is killed goes with the bed
    done = subprocess.run(argv, env=env, stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False)
    if done.returncode:
        raise BedError(f"`fairlead logs` ended with {done.returncode}: {done.stderr.strip()}")
    return done.stdout


def _count(stage: Stage, teller: Teller) -> None:
    """What is left of the Job and its Cluster, as the machine shows it: nothing but tombstones and what the user's script wrote."""
    teller.step("What is left of them")
    until = time.monotonic() + LEFT_SECONDS
    while (left := remains_on(stage.host, connected=False)) and time.monotonic() < until:
        time.sleep(LOOK_SECONDS)
    objects = stage.plane.kubectl("get", "fairlead", "--all-namespaces", "--output=name").stdout.split()
    counts = {what: sum(each.startswith(begin) for each in left) for what, begin in KINDS if what not in UNKNOWN_TO[stage.kind]}
    counts |= {"SSH connections": stage.host.connections(), "objects in Kubernetes": len(objects)}
    for what, found in counts.items():
        teller.note(f"  {what}: {found}")
    if left or objects:
        raise BedError("something is left: " + "; ".join((*left, *objects)))
