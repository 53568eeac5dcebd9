"""A script finds the world that it finds under plain sbatch."""

from collections.abc import Callable

from bed.slurm import SlurmCluster
from product.scene import Scene, Thing
from product.waiting import until

PROFILE = """\
echo chatter of the profile
export FROM_PROFILE='of the profile' EDITOR=ed
PATH=$HOME/bin:$PATH
module() { echo "module $*"; }
export -f module 2>/dev/null
"""

WORLD = """\
#!/bin/bash
echo "cwd $(pwd)"; echo "umask $(umask)"; echo "home $HOME $USER $LOGNAME $SHELL"; echo "path $PATH"
echo "limits $(ulimit -Sn) $(ulimit -Su) $(ulimit -Sc) $(ulimit -Hn)"
echo "stdin $(readlink /proc/$$/fd/0)"; echo "arguments $#"; echo "editor $EDITOR, $FROM_PROFILE"
module load cuda
srun --quiet bash -c 'echo "step $EDITOR $SLURM_PROCID $(pwd)"' | sort
echo "stays" > written; stat -c 'mode %a %U' written; rm written
echo "signals $(grep -E 'Sig(Ign|Blk)' /proc/$$/status | tr -s '\\n\\t' '  ')"
env | grep -E '^(SLURM|SBATCH|SSH|LANG|LC_|TZ|FL_|fl_)' | sort
"""

OTHER_EACH_TIME = ("SLURM_JOB_ID=", "SLURM_JOBID=", "SLURM_TASK_PID=", "SLURM_JOB_START_TIME=", "SLURM_JOB_END_TIME=")
OURS_DIFFER = ("LC_ALL=",)
"""Fairlead finds a job by its name, so that is another one; the bed's own shell sets LC_ALL."""


PROFILES = {
    "/bin/bash": (".bash_profile", "export FROM_PROFILE=yes"), "/bin/dash": (".profile", "export FROM_PROFILE=yes"),
    "/usr/bin/tcsh": (".login", "setenv FROM_PROFILE yes"), "/usr/bin/zsh": (".zprofile", "export FROM_PROFILE=yes"),
    "/usr/bin/fish": (".config/fish/config.fish", "set -gx FROM_PROFILE yes"),
}


def plain(cluster: SlurmCluster, script: str, *options: str) -> str:
    """What the script prints under plain sbatch, called in the user's login shell at home."""
    (cluster.home / "plain.sh").write_text(script)
    cluster.run("bash", "-lc", 'exec sbatch --wait --output=plain.out "$@" plain.sh', "bash", *options)
    return (cluster.home / "plain.out").read_text()


def comparable(text: str) -> list[str]:
    return [line for line in text.splitlines() if not line.startswith(OTHER_EACH_TIME + OURS_DIFFER)]


def test_a_script_sees_what_it_sees_under_sbatch(scene: Scene, slurm: Callable[..., SlurmCluster]) -> None:
    """Else scripts that have worked for years would fail here: modules, limits, umask, working folder, Slurm's variables."""
    cluster = slurm()
    (cluster.home / ".bash_profile").write_text(PROFILE)
    scene.cluster(cluster)
    job = scene.job("world", WORLD, ntasks=2)
    job.wait("Complete")
    ours = (cluster.home / f"world-{job.status['run']['id']}.out").read_text()
    theirs = plain(cluster, WORLD, "--ntasks=2", "--job-name=world")
    assert "module load cuda" in ours
    assert "step ed 1 /srv/c/home" in ours
    assert "\n".join(comparable(ours)) == "\n".join(comparable(theirs))


def test_every_login_shell_will_do(scene: Scene, slurm: Callable[..., SlurmCluster]) -> None:
    """Else users of another shell than bash could not use Fairlead at all."""
    cluster = slurm()
    script = '#!/bin/bash\necho "$SHELL $FROM_PROFILE $WORD"\n'
    jobs: dict[str, tuple[Thing, Thing]] = {}
    for number, (shell, (profile, line)) in enumerate(PROFILES.items()):
        cluster.set_login_shell(shell)
        (cluster.home / profile).parent.mkdir(parents=True, exist_ok=True)
        (cluster.home / profile).write_text(f"echo chatter\n{line}\n")
        name = shell.rpartition("/")[2]
        scene.cluster(cluster, name, connection={"connectTimeoutSeconds": 3 + number})   # an address, and a login, of its own
        login = scene.job(f"{name}-login", script, cluster=name, env=[{"name": "WORD", "value": "a 'b' \"c\" $d"}])
        bare = scene.job(f"{name}-bare", script, cluster=name, loginShell=False, env=[{"name": "FROM_PROFILE", "value": "no"}])
        for job in (login, bare):
            job.wait("Submitted")
        jobs[shell] = login, bare
    for shell, (login, bare) in jobs.items():
        login.wait("Complete")
        bare.wait("Complete")
        assert login.status["logs"]["tail"] == f"{shell} yes a 'b' \"c\" $d\n"
        assert bare.status["logs"]["tail"] == f"{shell} no \n"


def test_what_the_profile_sets_does_not_beat_the_jobs_own_environment(scene: Scene, slurm: Callable[..., SlurmCluster]) -> None:
    """Else `env` would be ignored wherever a profile says something too."""
    cluster = slurm()
    (cluster.home / ".bash_profile").write_text(PROFILE)
    scene.cluster(cluster)
    job = scene.job("own", "#!/bin/sh\necho $EDITOR\n", env=[{"name": "EDITOR", "value": "vi"}])
    job.wait("Complete")
    assert job.status["logs"]["tail"] == "vi\n"


def test_a_profile_that_fails_the_shell_fails_the_job(scene: Scene, slurm: Callable[..., SlurmCluster]) -> None:
    """Else a job whose script never ran would count as a success."""
    cluster = slurm()
    scene.cluster(cluster)
    (cluster.home / ".bash_profile").write_text('[ -n "$SLURM_JOB_ID" ] && exit 0\n')
    job = scene.job("silent", "#!/bin/sh\necho never\n")
    assert "loginShell: false" in job.wait("Failed", reason="EnvironmentFailure", seconds=90)["message"]
    assert job.status["infrastructureFailures"] == 4


def background(job: Thing, cluster: SlurmCluster) -> bool:
    return any("sleep 4242" in row for row in cluster.run("ps", "-eo", "args", user=False).stdout.splitlines()) or job.read() is None


def test_children_left_behind_do_not_outlive_the_job(scene: Scene, hpc: SlurmCluster) -> None:
    """Else a forgotten background process would keep a GPU after its Job."""
    scene.cluster(hpc)
    job = scene.job("left", "#!/bin/bash\nsleep 4242 &\nnohup sleep 4242 > /dev/null 2>&1 &\necho done\n")
    job.wait("Complete")
    until(lambda: not background(job, hpc), "the background processes to be gone")
