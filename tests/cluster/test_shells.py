"""Login shells as sites have them, with dotfiles that talk."""

import pytest

from bed.login import LoginNode
from bed.slurm import SlurmCluster
from product.either import cluster_on
from product.scene import Scene

NOISE = "Welcome to the cluster! \\033[1mRead the news.\\033[0m"
QUIET = "no newline at its end"
DOTFILES = {
    "/bin/bash": (".bashrc", f"printf '{NOISE}\\n'; printf '{QUIET}'; printf '{NOISE}' >&2\n"),
    "/usr/bin/zsh": (".zshenv", f"printf '{NOISE}\\n'; printf '{QUIET}'\n"),
    "/usr/bin/fish": (".config/fish/config.fish", f"printf '{NOISE}\\n'; printf '{QUIET}'\n"),
    "/bin/tcsh": (".cshrc", f"printf '{NOISE}\\n'; printf '{QUIET}'\n"),
    "/bin/dash": (".profile", f"printf '{NOISE}\\n'; printf '{QUIET}'\n"),
}


@pytest.mark.parametrize("shell", [pytest.param(each, id=each.rpartition("/")[2]) for each in DOTFILES])
def test_a_noisy_login_shell_is_no_obstacle(node: LoginNode, scene: Scene, shell: str) -> None:
    """Else a user would have to change their shell, or take the news out of their dotfiles, to run a Job."""
    name, text = DOTFILES[shell]
    path = node.home / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
    node.set_login_shell(shell)
    cluster = cluster_on(node, scene)
    job = scene.job("hello", "#!/bin/sh\necho hello\n")
    assert job.wait_ended()["logs"]["tail"].endswith("hello\n")
    assert job.condition("Complete")["status"] == "True"
    assert "Welcome" not in str(cluster.status)


LOADER = """[ "$LD_LIBRARY_PATH" = /opt/slurm/lib ] || {
  echo "error while loading shared libraries: libslurmfull.so: cannot open shared object file" >&2; exit 127; }
[ "$SQUEUE_FORMAT" = "" ] || { echo "the output is another now" >&2; exit 1; }
exec $REAL "$@"
"""
EXPORTS = "export LD_LIBRARY_PATH=/opt/slurm/lib SQUEUE_FORMAT=%i\n"


def test_what_a_login_exports_for_its_slurm_reaches_it(own: SlurmCluster, scene: Scene) -> None:
    """Else no Cluster of a site whose Slurm lies beside the system's libraries would get ready, though `ssh login sbatch` works."""
    (own.home / ".bashrc").write_text(EXPORTS)
    (own.home / ".profile").write_text(EXPORTS)
    for command in ("sbatch", "squeue", "scontrol", "scancel", "sacct"):
        own.shim(command, LOADER)
    scene.cluster(own)
    scene.job("hello").wait("Complete")
    lasting = scene.job("lasting", "#!/bin/sh\nexec sleep 600\n")
    lasting.wait("Running")
    lasting.delete()
    assert own.jobs_active() == []


def test_a_login_shell_that_runs_nothing_is_named(own: SlurmCluster, scene: Scene) -> None:
    """Else an account that is closed for logins would look like a network fault."""
    own.set_login_shell("/usr/sbin/nologin")
    cluster = scene.cluster(own, ready=False)
    ready = cluster.wait("Ready", "False", reason="LoginShellFailed")
    assert "not available" in ready["message"], "the shell's own words"
    own.set_login_shell("/bin/bash")
    cluster.wait("Ready")
