"""The demo's story: apply, watch, read the output, delete, count what is left."""

import json
import time

from bed.errors import BedError
from product.remains import remains_on

from demo.stage import Stage, make_secret
from demo.teller import Teller

END_SECONDS = 60.0
LEFT_SECONDS = 30.0
JOB = "jobs.fairlead.dev/hello"


def tell(stage: Stage, teller: Teller) -> None:
    """One Job, from apply to its removal. Raises BedError when it does not go as it must."""
    kubectl = stage.plane.kubectl
    teller.step("A Job, as a user applies it")
    teller.command(make_secret(stage))
    teller.command("kubectl apply -f examples/01-hello/        # with host, user and host key filled in")
    teller.output(kubectl("apply", "--filename", str(stage.example)).stdout)
    _watch(stage, teller)
    teller.command("kubectl get flj hello -o wide")
    teller.output(kubectl("get", JOB, "-o", "wide").stdout)
    teller.command("kubectl get flj hello -o jsonpath='{.status.logs.tail}'")
    teller.output(kubectl("get", JOB, "-o", "jsonpath={.status.logs.tail}").stdout)
    teller.step("Its removal")
    teller.command("kubectl delete -f examples/01-hello/")
    teller.output(kubectl("delete", "--filename", str(stage.example), "--timeout=40s").stdout)
    _count(stage, teller)


def _watch(stage: Stage, teller: Teller) -> None:
    """Print each condition as it changes until the Job has ended."""
    until = time.monotonic() + END_SECONDS
    seen: dict[str, str] = {}
    while time.monotonic() < until:
        job = json.loads(stage.plane.kubectl("get", JOB, "-o", "json").stdout)
        conditions = {each["type"]: each for each in job.get("status", {}).get("conditions", [])}
        for kind, each in conditions.items():
            text = f"{kind}={each['status']}  {each['reason']}" + (f": {each['message']}" if each.get("message") else "")
            if seen.get(kind) != text:
                seen[kind] = text
                teller.note(f"  {text}")
        if conditions.get("Complete", {}).get("status") == "True":
            return
        if conditions.get("Failed", {}).get("status") == "True":
            raise BedError(f"the Job failed: {conditions['Failed'].get('message')}")
        time.sleep(0.1)
    raise BedError(f"the Job did not end in {END_SECONDS:g} s; seen last: {seen}")


def _count(stage: Stage, teller: Teller) -> None:
    """What is left of the Job and its Cluster, as the machine shows it: nothing but tombstones and what the user's script wrote."""
    teller.step("What is left on the cluster")
    until = time.monotonic() + LEFT_SECONDS
    while (left := remains_on(stage.cluster, connected=False)) and time.monotonic() < until:
        time.sleep(0.1)
    processes = [each for each in left if each.startswith("process")]
    jobs = [each for each in left if each.startswith("Slurm job")]
    connections = [each for each in left if "connection" in each and not each.startswith("process")]
    files = [each for each in left if each.startswith("file")]
    objects = stage.plane.kubectl("get", "fairlead", "--all-namespaces", "--output=name").stdout.split()
    counts = (("processes", processes), ("Slurm jobs", jobs), ("connections", connections), ("files but tombstones", files), ("objects", objects))
    for what, found in counts:
        teller.note(f"  {what}: {len(found)}")
    if any(found for _, found in counts):
        raise BedError("something is left: " + "; ".join(each for _, found in counts for each in found))
