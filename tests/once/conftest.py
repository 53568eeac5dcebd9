"""A ledger that the Jobs themselves keep on the cluster."""

from bed.slurm import SlurmCluster

LEDGER = "starts.txt"
SCRIPT = f"#!/bin/sh\necho \"$SLURM_JOB_NAME $SLURM_JOB_ID\" >> ~/{LEDGER}\nsleep {{seconds}}\n"


def script(seconds: float = 0) -> str:
    """A user's script that writes each of its starts into the ledger."""
    return SCRIPT.format(seconds=seconds)


def starts(cluster: SlurmCluster, uid: str) -> list[str]:
    """The ledger's lines about one Job: one for each time that its script was started."""
    path = cluster.home / LEDGER
    return [line for line in path.read_text(encoding="utf-8").splitlines() if uid in line] if path.exists() else []
