"""What scripts are tested with is what it is taken for, and nothing else of this machine."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from unit.sh.tools import SHELLS, lacks, shell_program

FOREIGN = ("sbatch", "squeue", "scancel", "scontrol", "sacct", "systemd-run", "busctl", "flock", "timeout", "mkdir", *SHELLS)


def shim(folder: Path, name: str, script: str) -> Path:
    path = folder / name
    path.write_text(f"#!/bin/sh\n{script}\n")
    path.chmod(0o755)
    return path


@pytest.mark.parametrize("shell", SHELLS)
def test_every_shell_is_what_it_is_called(shell: str) -> None:
    """A rule would be said to hold under three shells, and hold under one."""
    assert [other for other in SHELLS if not lacks(shell_program(shell), other)] == [shell]


def test_a_shell_that_does_not_look_into_its_path_is_not_tested_with(tmp_path: Path) -> None:
    """What a test puts in a command's place would not be met: it fails on hosts whose busybox is Debian's busybox-static."""
    alone = shim(tmp_path, "bash", f"PATH=/usr/bin:/bin exec {shutil.which('bash')} \"$@\"")
    assert "runs commands of its own" in lacks(alone, "bash")


def test_nothing_of_who_starts_the_tests_is_met(tmp_path: Path) -> None:
    """On a host that has Slurm, or shims, or for somebody with settings, tests would speak of those."""
    for name in FOREIGN:
        shim(tmp_path, name, f'echo "$0 $*" >>{tmp_path}/met; exit 1')
    for name in (".profile", ".bashrc", ".bash_profile", "settings"):
        (tmp_path / name).write_text(f"echo {name} >>{tmp_path}/met\n")
    theirs = {name: str(tmp_path / "settings") for name in ("ENV", "BASH_ENV", "SLURM_CONF", "KUBECONFIG", "GIT_CONFIG_GLOBAL")}
    theirs |= {"HOME": str(tmp_path), "LC_ALL": "tr_TR.UTF-8", "TZ": "Asia/Kathmandu", "CDPATH": "/tmp", "POSIXLY_CORRECT": "1"}
    some = [f"{Path(__file__).parent}/test_{name}.py" for name in ("host", "probe")]
    pytest_ = [sys.executable, "-m", "pytest", *some, "-q", "-x", "-k", "sbatch or killed or clock", "-p", "no:cacheprovider"]
    done = subprocess.run(
        ["/bin/sh", "-c", 'umask 077; ulimit -n 256; trap "" HUP TERM; exec "$@"', "sh", *pytest_], capture_output=True, text=True,
        check=False, env={**os.environ, **theirs, "PATH": f"{tmp_path}:{os.environ['PATH']}"},
    )
    assert done.returncode == 0, done.stdout
    assert not (tmp_path / "met").exists(), (tmp_path / "met").read_text()
