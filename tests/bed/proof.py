"""Whether a root is what it is taken for: `python -m bed.proof 24.11 FOLDER` runs its daemons once, accounting included.

Debian's suites move: a library that was exchanged there has let slurmdbd end at its start, and a suite that is not yet stable goes on to
the next release of Slurm. So no root enters the cache before a job's end has come out of its accounting.
"""

import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

from bed import signals
from bed.errors import BedError
from bed.slurm import SlurmCluster
from bed.slurmconf import SlurmConfig
from bed.state import Bed

FAILED = 2
_PATIENCE_SECONDS = 60.0
_MADE_OF = ("slurmctld", "libmariadb3", "mariadb-server-core*", "openssh-server")


def prove(version: str, folder: Path) -> str:
    """What the root is made of, once a job has come by ssh, run, and ended in the accounting.

    Raises BedError where that does not happen, or where its Slurm is of another release.
    """
    said = subprocess.run(["chroot", str(folder), "slurmctld", "-V"], capture_output=True, text=True, check=False)
    if not said.stdout.startswith(f"slurm-wlm {version}."):
        raise BedError(f"Slurm {version} was wanted, and the root has {(said.stdout or said.stderr).strip()!r}")
    with Bed.create(f"proof of a root with Slurm {version}") as bed:
        cluster = SlurmCluster.start(bed, version, config=SlurmConfig(nodes=1, accounting=True, root=folder))
        job_id = cluster.ssh("sbatch --parsable -o /dev/null --wrap 'exit 3'").stdout.strip().partition(";")[0]
        asked = ("sacct", "-X", "-n", "-P", "-S", "now-1hours", "-o", "JobID,State,ExitCode")
        _until(lambda: cluster.run(*asked, check=False).stdout.strip(), f"{job_id}|FAILED|3:0")
        listed = cluster.run("dpkg-query", "-W", "-f", "${Package} ${Version}\n", *_MADE_OF, check=False).stdout
        return ", ".join(line for line in listed.splitlines() if len(line.split()) == len(("package", "version")))


def _until(asked: Callable[[], str], wanted: str) -> None:
    deadline = time.monotonic() + _PATIENCE_SECONDS
    while (told := asked()) != wanted:
        if time.monotonic() > deadline:
            raise BedError(f"accounting tells {told!r} of a job where {wanted!r} is true")
        time.sleep(0.05)


def main() -> None:
    """Prints what the root is made of, or says what lacks and ends with 2."""
    signals.end_in_order()
    try:
        print(prove(sys.argv[1], Path(sys.argv[2])))
    except BedError as error:
        print(f"bed: {' '.join(str(error).split())}", file=sys.stderr)
        sys.exit(FAILED)
    except KeyboardInterrupt:
        sys.exit(signals.INTERRUPTED)


if __name__ == "__main__":
    main()
