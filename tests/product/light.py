"""Hundreds of Slurm clusters that cost next to nothing: stand-ins for hosts, each with a Slurm without jobs, made of shell scripts."""

from pathlib import Path
from typing import Any, Final

from bed.standin import StandInHost
from product.scene import Scene, Thing

_SLURM: Final = {
    "sbatch": "exit 1",
    "scancel": "exit 0",
    "squeue": 'date +%s.%N >>"$HOME/polls"',
    "scontrol": 'case $1 in ping) echo "Slurmctld(primary) at here is UP" ;; *) echo "slurm 24.11.5" ;; esac',
    "sacct": 'echo "Slurm accounting storage is disabled" >&2; exit 1',
}
"""A Slurm without jobs, of which only the polls are seen."""


def _furnish(host: StandInHost) -> Path:
    """Give a stand-in its Slurm; the folder of its commands."""
    folder = host.home / "slurm"
    folder.mkdir()
    for name, text in _SLURM.items():
        command = folder / name
        command.write_text(f"#!/bin/sh\n{text}\n")
        command.chmod(0o755)
    return folder


def light_cluster(scene: Scene, name: str, host: StandInHost, **spec: Any) -> Thing:
    """A Cluster for a stand-in. Its home goes with the stand-in, so the scene need not look at it."""
    slurm = {"binPath": str(_furnish(host)), "accounting": "None"}
    cluster = scene.cluster(host, name, ready=False, slurm=slurm, **spec)  # type: ignore[arg-type]
    del scene.nodes[name]
    return cluster
