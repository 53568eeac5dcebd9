"""`kubectl fairlead`, and completion in real shells: words, and names from the real API server."""

import json
import os
import shutil
import socket
import subprocess
import sys
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from bed.controlplane import ControlPlane
from bed.state import Bed
from bed.unpacked import unpacked
from product.scene import Scene

PROGRAMS = Path(sys.executable).parent


def call(*argv: str | Path, kubeconfig: Path, **more: str) -> "subprocess.CompletedProcess[str]":
    """A program that finds ours in PATH, with a home of its own: kubectl and shells write there."""
    with tempfile.TemporaryDirectory() as home:
        known = {"PATH": f"{PROGRAMS}:{os.environ['PATH']}", "HOME": home, "KUBECONFIG": str(kubeconfig), **more}
        return subprocess.run(argv, capture_output=True, text=True, timeout=150, check=False, env=known)


def test_the_program_is_a_plugin_of_kubectl(plane: ControlPlane) -> None:
    """Else a person would have to know two programs, or be told to call one by a name under which it is not there."""
    version = call(plane.kubectl_path, "fairlead", "--version", kubeconfig=plane.kubeconfig)
    assert version.stdout.startswith("fairlead, version "), version.stderr
    shown = call(plane.kubectl_path, "fairlead", "logs", "--help", kubeconfig=plane.kubeconfig)
    assert shown.stdout.startswith("Usage: kubectl fairlead logs [OPTIONS] [NAMESPACE/]NAME\n")
    wrong = call(plane.kubectl_path, "fairlead", "logs", "default/none-of-this-name", kubeconfig=plane.kubeconfig)
    assert (wrong.returncode, wrong.stderr) == (2, "fairlead: There is no Job none-of-this-name in the namespace default\n")


def test_kubectl_completes_commands_options_and_the_names_of_jobs(scene: Scene, plane: ControlPlane) -> None:
    """Else a person would have to type the names that kubectl types for them everywhere else."""
    scene.job("training", cluster="nowhere")
    scene.job("testing", cluster="nowhere")
    scene.session("tried", "true", cluster="nowhere")

    def completed(*words: str) -> list[str]:
        shown = call(plane.kubectl_path, "__complete", "fairlead", *words, kubeconfig=plane.kubeconfig)
        return [line.split("\t")[0] for line in shown.stdout.splitlines()]

    assert completed("lo") == ["logs", ":4"]
    assert completed("logs", "--fol") == ["--follow", ":4"]
    assert completed("logs", f"{scene.namespace}/tr") == [f"{scene.namespace}/training", ":4"]
    assert completed("logs", scene.namespace[:-1]) == [f"{scene.namespace}/testing", f"{scene.namespace}/training", ":4"]
    assert completed("logs", "--kind", "session", f"{scene.namespace}/tr") == [f"{scene.namespace}/tried", ":4"]
    assert completed("doctor", "-n", scene.namespace, "nowh") == [":4"], "there is no such Cluster"
    cluster = {"apiVersion": "fairlead.dev/v1alpha1", "kind": "Cluster", "metadata": {"name": "quiet"}, "spec": {
        "type": "Slurm", "suspend": True, "endpoints": [{"host": "127.0.0.1"}], "user": "user", "authSecretRef": {"name": "none"},
        "hostKeys": {"fingerprints": [f"SHA256:{'A' * 43}"]}}}
    plane.kubectl("-n", scene.namespace, "apply", "-f", "-", input=json.dumps(cluster))
    assert completed("doctor", "-n", scene.namespace, "qui") == ["quiet", ":4"]
    assert completed("doctor", f"{scene.namespace}/") == [f"{scene.namespace}/quiet", ":4"]
    person = plane.kubeconfig_for(f"nobody-{scene.namespace}")
    refused = call(PROGRAMS / "kubectl_complete-fairlead", "logs", "", kubeconfig=person)
    assert (refused.stdout, refused.stderr) == (":4\n", ""), "who may list nothing sees nothing, and no error in the midst of a line"


def test_an_api_server_that_does_not_answer_does_not_hold_up_a_shell(plane: ControlPlane, tmp_path: Path) -> None:
    """Else the tab key would freeze a person's terminal for half a minute."""
    with ThreadPoolExecutor(1) as pool, socket.create_server(("127.0.0.1", 0)) as silent:
        silent.settimeout(160)
        config = tmp_path / "config"
        config.write_text(plane.kubeconfig.read_text().replace(plane.url, f"https://127.0.0.1:{silent.getsockname()[1]}"))
        asked = pool.submit(lambda: (silent.accept()[0], time.monotonic()))
        done = call(PROGRAMS / "kubectl_complete-fairlead", "logs", "x", kubeconfig=config)
        ended = time.monotonic()
        connection, began = asked.result()
        connection.close()
        assert (done.stdout, done.stderr) == (":4\n", "")
        assert ended - began < 12, "two seconds, and the program's own end; its start may take as long as the machine needs for it"


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_a_shell_completes(shell: str, scene: Scene, plane: ControlPlane, bed: Bed) -> None:
    """Else what `fairlead completion` prints would do nothing in a person's shell, or show errors there."""
    scene.job("training", cluster="nowhere")
    program, prelude, given = shell_program(shell, bed)
    before, last = ("fairlead logs", f"{scene.namespace}/tr")
    script = call(PROGRAMS / "fairlead", "completion", shell, kubeconfig=plane.kubeconfig)
    assert (script.returncode, script.stderr) == (0, "")
    ask = {
        "bash": f'COMP_WORDS=({before} {last}); COMP_CWORD=2; _fairlead_completion fairlead; printf "%s\\n" "${{COMPREPLY[@]}}"',
        "zsh": f"words=({before} {last}); CURRENT=3; compadd() {{ local name=$@[-1]; print -rl -- ${{(P)name}} }}; _fairlead_completion",
        "fish": f"complete --do-complete '{before} {last}'",
    }[shell]
    done = call(program, "-c", f"{prelude}{script.stdout}\n{ask}\n", kubeconfig=plane.kubeconfig, **given)
    assert (done.stdout.splitlines()[-1:], done.stderr) == ([f"{scene.namespace}/training"], "")


def shell_program(name: str, bed: Bed) -> tuple[str, str, dict[str, str]]:
    """A shell: the machine's own, or one that is unpacked and not installed; what it has to read first, and what its environment needs.

    zsh has no completion system here: what ours hands to it is printed.
    """
    prelude = "compdef() { : }\n" if name == "zsh" else ""
    if found := shutil.which(name):
        return found, prelude, {}
    root = unpacked(name, bed.env)
    [program] = [path for path in (root / "bin" / name, root / "usr/bin" / name) if path.exists()]
    if name == "zsh":
        [modules] = root.glob("usr/lib/*-linux-gnu/zsh/*")
        prelude = f"module_path=({modules})\n{prelude}"
    libraries = ":".join(str(each) for each in root.glob("usr/lib/*-linux-gnu"))
    return str(program), prelude, {"LD_LIBRARY_PATH": libraries, "XDG_DATA_DIRS": str(root / "usr/share")}
