"""`fairlead logs`, as a person calls it: against the real API server, over SSH to a real cluster."""

import os
import signal
import subprocess
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from bed.controlplane import ControlPlane
from bed.slurm import SlurmCluster
from product.command import argv, environment, fairlead
from product.granted import until_granted
from product.scene import Scene
from product.waiting import until


def test_the_whole_file_is_printed_however_large(scene: Scene, hpc: SlurmCluster, plane: ControlPlane) -> None:
    """Else a user would see the end of a long log and never its beginning, or a bar's every state, or find their terminal in colours."""
    scene.cluster(hpc)
    script = ("#!/bin/bash\nprintf '\\033[31mfirst\\033[0m\\n'; seq 2 1500000; printf '\\r%d%%|██  |' {0..100}; "
              "printf '\\nnaïve \\377\\n'; echo problem >&2\n")
    job = scene.job("long", script, stderrPath="%x.err")
    job.wait_ended()
    shown = fairlead("logs", f"{scene.namespace}/long", kubeconfig=plane.kubeconfig)
    assert shown.returncode == 0, shown.stderr
    assert shown.stdout == b"first\n" + b"".join(b"%d\n" % n for n in range(2, 1_500_001)) + "100%|██  |\nnaïve \ufffd\n".encode()
    assert job.status["logs"]["tail"].endswith("\n1499999\n1500000\n100%|██  |\nnaïve \ufffd\n")
    raw = fairlead("logs", "--raw", f"{scene.namespace}/long", kubeconfig=plane.kubeconfig)
    assert raw.stdout.startswith(b"\x1b[31mfirst\x1b[0m\n2\n")
    assert raw.stdout.endswith("\r99%|██  |\r100%|██  |\nnaïve ".encode() + b"\xff\n")
    assert len(raw.stdout) == job.status["logs"]["bytes"]
    errors = fairlead("logs", "--stderr", f"{scene.namespace}/long", kubeconfig=plane.kubeconfig)
    assert (errors.stdout, errors.stderr) == (b"problem\n", b"")


def test_the_output_of_a_running_job_is_printed_as_far_as_it_is(scene: Scene, hpc: SlurmCluster, plane: ControlPlane) -> None:
    """Else nobody could look how a long Job goes on."""
    scene.cluster(hpc)
    scene.job("on", "#!/bin/sh\necho so far\nexec sleep 600\n", cancellationGracePeriodSeconds=0).wait("Running")
    until(lambda: fairlead("logs", f"{scene.namespace}/on", kubeconfig=plane.kubeconfig).stdout == b"so far\n", "the output so far")


def test_the_output_of_a_session_is_printed_and_followed_to_its_end(scene: Scene, hpc: SlurmCluster, plane: ControlPlane) -> None:
    """Else nobody could see why a notebook does not come up."""
    scene.cluster(hpc)
    session = scene.session("on", "/bin/sh", "-c", "echo so far; until [ -e ~/on.go ]; do sleep 0.1; done; echo the end")
    logs = ("logs", "--kind", "Session", f"{scene.namespace}/on")
    session.wait("Allocated")
    until(lambda: fairlead(*logs, kubeconfig=plane.kubeconfig).stdout == b"so far\n", "the output so far")
    with subprocess.Popen([*argv(*logs), "--follow"], stdout=subprocess.PIPE, env=environment(plane.kubeconfig)) as following:
        assert following.stdout is not None
        assert following.stdout.read(7) == b"so far\n"
        (hpc.home / "on.go").touch()
        assert (following.communicate(timeout=60)[0], following.returncode) == (b"the end\n", 0)


def test_a_reader_that_goes_away_is_no_error(scene: Scene, hpc: SlurmCluster, plane: ControlPlane) -> None:
    """Else `fairlead logs ... | head` would end with a traceback, and Ctrl-C too."""
    scene.cluster(hpc)
    scene.job("long", "#!/bin/sh\nyes | head -c 30000000\n").wait_ended()
    logs, env = argv("logs", f"{scene.namespace}/long"), environment(plane.kubeconfig)
    with subprocess.Popen(logs, stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=env) as reader:
        assert reader.stdout is not None
        assert reader.stderr is not None
        assert reader.stdout.read(4) == b"y\ny\n"
        reader.stdout.close()
        assert (reader.stderr.read(), reader.wait(20)) == (b"", 0)
    with subprocess.Popen(logs, stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=env) as stopped:
        assert stopped.stdout is not None
        assert stopped.stdout.read(4) == b"y\ny\n"
        stopped.send_signal(signal.SIGINT)
        _, said = stopped.communicate(timeout=20)
        assert (said, stopped.returncode) == (b"", 130)


def test_who_may_not_read_the_secret_is_told_so(scene: Scene, hpc: SlurmCluster, plane: ControlPlane) -> None:
    """Else a person would take a matter of permissions for a broken cluster."""
    scene.cluster(hpc)
    scene.job("done", "#!/bin/sh\necho secret work\n").wait_ended()
    person = plane.kubeconfig_for(f"ann-{scene.namespace}")
    refused = fairlead("logs", f"{scene.namespace}/done", kubeconfig=person)
    assert (refused.returncode, refused.stdout) == (2, b"")
    assert f"You may not read the Job {scene.namespace}/done: ask for the right to get jobs.fairlead.dev there" in refused.stderr.decode()
    plane.kubectl("-n", scene.namespace, "create", "role", "viewer", "--verb=get", "--resource=jobs.fairlead.dev,clusters.fairlead.dev")
    plane.kubectl("-n", scene.namespace, "create", "rolebinding", "viewer", "--role=viewer", f"--user=ann-{scene.namespace}")
    until_granted(plane, f"ann-{scene.namespace}", "get", "jobs.fairlead.dev", "clusters.fairlead.dev", namespace=scene.namespace)
    refused = fairlead("logs", f"{scene.namespace}/done", kubeconfig=person)
    assert (refused.returncode, refused.stdout) == (2, b"")
    assert f"You may not read the Secret {scene.namespace}/hpc-key" in refused.stderr.decode()
    plane.kubectl("-n", scene.namespace, "create", "role", "reader", "--verb=get", "--resource=secrets", "--resource-name=hpc-key")
    plane.kubectl("-n", scene.namespace, "create", "rolebinding", "reader", "--role=reader", f"--user=ann-{scene.namespace}")
    until_granted(plane, f"ann-{scene.namespace}", "get", "secrets/hpc-key", namespace=scene.namespace)
    assert fairlead("logs", f"{scene.namespace}/done", kubeconfig=person).stdout == b"secret work\n"


def test_output_that_is_not_there_is_said_in_a_sentence(scene: Scene, hpc: SlurmCluster, plane: ControlPlane) -> None:
    """Else a person would not know whether to wait, to look elsewhere, or to mend a name."""
    scene.cluster(hpc)
    scene.job("early", "#!/bin/sh\ntrue\n", cluster="nowhere").wait("Submitted", "False")
    scene.job("held", "#!/bin/sh\ntrue\n", extraOptions={"begin": "now+1hour"}).wait("Submitted")
    gone = scene.job("gone", "#!/bin/sh\nrm gone.out; mkdir gone.out\n", stdoutPath="gone.out")
    gone.wait_ended()

    def said(args: tuple[str, ...]) -> str:
        shown = fairlead("logs", *args, kubeconfig=plane.kubeconfig)
        assert (shown.returncode, shown.stdout) == (2, b""), shown
        return shown.stderr.decode()

    at = scene.namespace
    misspelt = [("a/b/c",), ("/wrong",), ("wrong/",), ("a/wrong", "-n", "b")]
    asked = [(f"{at}/early",), (f"{at}/held",), (f"{at}/gone",), (f"{at}/wrong",), ("early", "-n", at), ("wrong",), *misspelt]
    with ThreadPoolExecutor(4) as pool:
        answers = dict(zip(asked, pool.map(said, asked), strict=True))
    early = f"fairlead: Job {at}/early has not been submitted yet, so there is no output: "
    assert answers[f"{at}/early",].startswith(early)
    assert "no output to be read: the script has not started" in answers[f"{at}/held",]
    assert f"no output to be read: {gone.status['logs']['stdoutPath']} cannot be read on this login node" in answers[f"{at}/gone",]
    assert answers[f"{at}/wrong",] == f"fairlead: There is no Job wrong in the namespace {at}\n"
    assert answers["early", "-n", at].startswith(early), "as kubectl's -n"
    assert answers["wrong",] == "fairlead: There is no Job wrong in the namespace default\n", "the context's"
    for words in misspelt:
        assert "write the Job as NAMESPACE/NAME" in answers[words]


@pytest.mark.parametrize("place", ["option", "home"])
def test_the_kubeconfig_is_found_as_kubectl_finds_it(
    place: str, scene: Scene, hpc: SlurmCluster, plane: ControlPlane, tmp_path: Path,
) -> None:
    """Else a person would have to say twice where their cluster is."""
    scene.cluster(hpc)
    scene.job("done", "#!/bin/sh\necho here\n").wait_ended()
    own = tmp_path / ".kube/config"
    own.parent.mkdir()
    own.write_text(plane.kubeconfig.read_text())
    logs = argv("logs", *(["--kubeconfig", str(own)] if place == "option" else []), f"{scene.namespace}/done")
    home = str(tmp_path) if place == "home" else "/nonexistent"
    done = subprocess.run(logs, capture_output=True, timeout=60, check=False, env={"PATH": os.environ["PATH"], "HOME": home})
    assert done.stdout == b"here\n", done.stderr
