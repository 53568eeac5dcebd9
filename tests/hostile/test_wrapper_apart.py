"""BEGUN on real parts: whatever a Job or a profile sets, no script runs twice by it, and none that never ran passes for a success."""

import pytest

from bed.login import LoginNode
from bed.slurm import SlurmCluster
from bed.sshd import SshHost
from product.either import cluster_on
from product.scene import Scene
from product.starts import starts

OURS = ("FL_RUN", "FL_ENTER", "FL_DIR", "FL_OUT", "FL_ERR", "FL_KEEP", "FL_PROFILE", "FL_GROUP", "fl_out", "fl_login", "run", "start",
        "pid")
SCRIPT = "#!/bin/bash\necho $$ >> ~/{name}-starts\ntr '\\0' '\\n' </proc/$$/environ | grep '={name}-value$'\nexit {code}\n"


@pytest.fixture(params=["Slurm", "bare host"])
def place(request: pytest.FixtureRequest) -> LoginNode:
    """A node whose user's dotfiles a test may write."""
    chosen = request.getfixturevalue("own" if request.param == "Slurm" else "host")
    assert isinstance(chosen, SlurmCluster | SshHost)
    return chosen


def test_a_jobs_own_variables_and_a_profiles_run_it_once_and_arrive(place: LoginNode, scene: Scene) -> None:
    """A Job with FL_PROFILE in its env, or in the profile, ran four times at backoffLimit 0; others lost their output."""
    lines = "".join(f"export {each}=theirs-value\n" for each in OURS)
    (place.home / ".bash_profile").write_text(f"{lines}set -e\nulimit -c 0\nrm() {{ :; }}; export -f rm\n")
    cluster_on(place, scene)
    env = [{"name": each, "value": "mine-value"} for each in (*OURS, "status", "OPTIND", "RANDOM")]
    mine = scene.job("mine", SCRIPT.format(name="mine", code=0), env=env)
    theirs = scene.job("theirs", SCRIPT.format(name="theirs", code=123), infrastructureRetries=3)
    assert mine.wait_ended()["phase"] == "Complete", mine.status
    assert theirs.wait("Failed", reason="NonZeroExitCode")["message"] == "the script exited with code 123"
    seen = {line.partition("=")[0] for line in mine.status["logs"]["tail"].splitlines()}
    assert seen == {each["name"] for each in env}
    assert sorted(theirs.status["logs"]["tail"].splitlines()) == sorted(f"{each}=theirs-value" for each in OURS)
    assert (len(starts(place, "mine-starts")), len(starts(place, "theirs-starts"))) == (1, 1)


def test_a_profile_that_ends_before_the_script_is_no_success_and_proved(place: LoginNode, scene: Scene) -> None:
    """A Job would be complete that never ran; or be called a failure of its own script, and not be tried again."""
    (place.home / ".bash_profile").write_text("[ -e ~/well ] || { touch ~/next && mv ~/next ~/well; exit 0; }\n")
    cluster_on(place, scene)
    job = scene.job("early", SCRIPT.format(name="early", code=0), infrastructureRetries=1)
    job.wait_event("Retrying")
    job.wait("Complete", seconds=60)
    (place.home / "well").unlink()
    assert "before the script began" in scene.job("never", infrastructureRetries=0).wait("Failed", reason="EnvironmentFailure")["message"]
    assert len(starts(place, "early-starts")) == 1


def test_a_script_that_removes_dangling_links_has_run(place: LoginNode, scene: Scene) -> None:
    """Its claim is one of them: without it the Job would count as never begun, and run four times."""
    cluster_on(place, scene)
    job = scene.job("tidy", "#!/bin/bash\necho $$ >> ~/tidy-starts\nfind ~ -xtype l -delete\n")
    job.wait("Complete")
    assert len(starts(place, "tidy-starts")) == 1


def test_a_run_whose_directory_was_emptied_may_have_run(place: LoginNode, scene: Scene) -> None:
    """A purge by age, or a script that clears up too much, takes the claim too: the script would be run four times, though it has ended."""
    cluster_on(place, scene)
    job = scene.job("emptied", '#!/bin/bash\necho $$ >> ~/emptied-starts\nfind "${0%/*}" -mindepth 1 -delete\n', infrastructureRetries=3)
    job.wait("Failed", reason="Lost", says="emptied", seconds=60)
    assert len(starts(place, "emptied-starts")) == 1


SPOILED = {
    "closed": 'chmod 500 "$run"',
    "shut": 'chmod 000 "$run"',
    "piped": 'rm -f "$run"/.finished-*; mkfifo "$run/.finished-0" "$run/stop"',
    "full": 'rm -f "$run"/.finished-*; ln -s /dev/full "$run/.finished-0"',
    "folder": 'rm -f "$run"/.finished-*; mkdir "$run/.finished-0"',
    "revoked": 'ln -sfn revoked "$run/claim"',
    "alone": "kill -KILL $PPID; sleep 0.5",
}
"""What a script does to its own Run, by name."""
KEPT = ("closed", "shut", "revoked")
"""After these its wrapper has its word all the same."""


def test_a_script_that_spoils_its_own_run_runs_once_and_nothing_of_it_is_left(place: LoginNode, scene: Scene) -> None:
    """It would run again, have no end for ever, or leave a directory that nobody can take down."""
    cluster_on(place, scene, **({} if isinstance(place, SlurmCluster) else {"slots": 8}))
    jobs = {name: scene.job(name, f"#!/bin/bash\nrun=${{0%/*}}\necho $$ >> ~/{name}-starts\n{line}\nexit 0\n", infrastructureRetries=2)
            for name, line in SPOILED.items()}
    ends = {name: job.wait_ended(90)["phase"] for name, job in jobs.items()}
    assert ends == {name: "Complete" if name in KEPT else "Failed" for name in SPOILED}, [job.status for job in jobs.values()]
    assert {name: len(starts(place, f"{name}-starts")) for name in SPOILED} == dict.fromkeys(SPOILED, 1)
