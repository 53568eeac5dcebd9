"""Another ordinary user of the login node, as nosy as one can be."""

from bed.slurmconf import INSIDE
from bed.sshd import SshHost
from product.remains import running as running_on
from product.scene import Scene
from product.waiting import until

COLLEAGUE = ("setpriv", "--reuid", "59001", "--regid", "59001", "--clear-groups")
LONG = "#!/bin/sh\n# plans of mine\nexec sleep 600\n"


def test_a_colleague_reads_nothing_of_what_is_handed_in_or_runs(host: SshHost, scene: Scene) -> None:
    """Else whoever has an account there could read others' scripts, results, and the passwords that these take from their variables."""
    scene.bare_host(host, slots=1)
    password = {"name": "PASSWORD", "value": "open-sesame"}
    running, waiting = (scene.job(name, LONG, env=[password], cancellationGracePeriodSeconds=1) for name in ("running", "waiting"))
    running.wait("Running")
    until(lambda: running_on(host, "sleep 600"), "its script to have started")
    waiting.wait("Submitted")
    assert host.run("find", f"{INSIDE}/home/.fairlead", "-name", "env", user=False).stdout, "it is there while the Job waits"

    def sees(*command: str) -> str:
        return host.run(*COLLEAGUE, *command, user=False, check=False).stdout

    assert sees("cat", "/etc/passwd"), "whoever asks is an ordinary user, who can look around"
    assert sees("find", f"{INSIDE}/home/.fairlead", "-mindepth", "1") == ""
    told = sees("sh", "-c", "cat /proc/[0-9]*/cmdline /proc/[0-9]*/environ")
    assert "sleep" in told
    assert "open-sesame" not in told
    assert "plans of mine" not in told
    everywhere = sees("grep", "-rlE", "open-sesame|plans of mine", INSIDE, "/tmp", "/run", "/dev/shm")
    assert everywhere == ""
