"""`fairlead doctor CLUSTER`, as a person calls it: from the API server, with their own rights, on a terminal and off one."""

import json
import os
import pty
import re
import struct
import subprocess
import termios
from fcntl import ioctl
from pathlib import Path

import pytest
import yaml
from doctor_looks import look_at, verdicts

from bed.controlplane import ControlPlane
from bed.login import LoginNode
from bed.slurm import SlurmCluster
from bed.sshd import SshHost
from fairlead.cli.doctor.finding import Finding, Result
from fairlead.cli.doctor.source import of_manifest
from fairlead.cli.main import commands
from fairlead.cli.reach import Means
from fairlead.domain.errors import UserFault
from product.command import argv, environment, fairlead
from product.granted import until_granted
from product.scene import Scene

WIDTH = 80


def given(node: LoginNode, folder: Path) -> tuple[str, ...]:
    """How a host that no Cluster names is asked for."""
    key, known = folder / "key", folder / "known_hosts"
    key.write_text(node.private_key)
    known.write_text(node.known_hosts)
    return "doctor", "--host", node.host, "--user", node.user, "-i", str(key), "--known-hosts", str(known), "--type", "Process"


def on_a_terminal(*args: str, **more: str) -> str:
    """What a terminal of 80 columns is sent."""
    ours, theirs = pty.openpty()
    ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", 50, WIDTH, 0, 0))
    env = {**environment(Path("/nonexistent/config")), "TERM": "xterm", **more}
    with subprocess.Popen(argv(*args), stdin=theirs, stdout=theirs, stderr=theirs, env=env) as process:
        os.close(theirs)
        shown = b""
        while True:
            try:
                piece = os.read(ours, 65536)
            except OSError:                  # EIO: the other side is closed
                break
            if not piece:
                break
            shown += piece
        process.wait(30)
    os.close(ours)
    return shown.decode()


def test_a_cluster_is_looked_at_with_a_persons_own_rights(scene: Scene, hpc: SlurmCluster, plane: ControlPlane) -> None:
    """Else a person could look at no Cluster that is there, or would take a want of rights for a broken cluster."""
    scene.cluster(hpc)
    name = f"{scene.namespace}/hpc"
    shown = fairlead("doctor", name, "-o", "json", kubeconfig=plane.kubeconfig)
    [host] = json.loads(shown.stdout)["hosts"]
    assert (shown.returncode, host["cluster"], {each["result"] for each in host["checks"]}) == (0, name, {"ok"}), host
    assert "has the mark that this Cluster knows" in next(each["message"] for each in host["checks"] if each["check"] == "tree")
    again = fairlead("doctor", "hpc", "-n", scene.namespace, kubeconfig=plane.kubeconfig)
    assert again.stdout.decode().splitlines()[0] == f"{name}: {hpc.host}:22 as {hpc.user}"
    assert (again.returncode, again.stderr, b"\x1b" in again.stdout) == (0, b"", False), "no codes off a terminal"
    assert re.search(rb"(?m)^  ok +PATH +/usr\S+$", again.stdout), "nor broken lines"
    person = plane.kubeconfig_for(f"ann-{scene.namespace}")
    refused = fairlead("doctor", name, kubeconfig=person)
    assert (refused.returncode, refused.stdout) == (2, b"")
    assert f"You may not read the Cluster {name}" in refused.stderr.decode()
    plane.kubectl("-n", scene.namespace, "create", "role", "viewer", "--verb=get", "--resource=clusters.fairlead.dev")
    plane.kubectl("-n", scene.namespace, "create", "rolebinding", "viewer", "--role=viewer", f"--user=ann-{scene.namespace}")
    until_granted(plane, f"ann-{scene.namespace}", "get", "clusters.fairlead.dev/hpc", namespace=scene.namespace)
    partly = fairlead("doctor", name, kubeconfig=person)
    lines = partly.stdout.decode().splitlines()
    assert partly.returncode == 1
    assert any(re.match(rf"  wrong +key +You may not read the Secret {scene.namespace}/hpc-key", line) for line in lines), lines
    assert any(re.match(r"  ok +port ", line) for line in lines), "what needs no key is looked at"
    assert any(re.match(r"  skipped +login +not looked at, because of key", line) for line in lines)


def test_each_host_of_a_cluster_is_looked_at(bare: SshHost, host: SshHost, scene: Scene, plane: ControlPlane) -> None:
    """Else the one host that is broken would stay unseen behind those that are whole."""
    scene.bare_hosts(bare, host, slots=1)
    host.set_login_shell("/usr/sbin/nologin")
    shown = fairlead("doctor", f"{scene.namespace}/hpc", "-o", "json", kubeconfig=plane.kubeconfig)
    host.set_login_shell("/bin/bash")
    first, second = json.loads(shown.stdout)["hosts"]
    assert (shown.returncode, first["host"], first["ok"], second["host"], second["ok"]) == (1, bare.host, True, host.host, False)


def test_lines_fit_a_terminal_with_colours_where_they_are_wanted(bare: SshHost, tmp_path: Path) -> None:
    """Else lines would break in the midst of words, and codes for colours fill a log."""
    shown = on_a_terminal(*given(bare, tmp_path))
    assert "\x1b[32mok\x1b[0m" in shown
    assert f"{bare.host}:22: login ..." in shown, "what it waits for is said meanwhile"
    at_last = re.sub(r"[^\n]*\r\x1b\[K", "", shown.replace("\r\n", "\n"))
    plain = re.sub(r"\x1b\[[0-9;]*m", "", at_last)
    assert " ..." not in plain, "and taken away again"
    assert max(map(len, plain.splitlines())) <= WIDTH
    assert plain.splitlines()[-1].endswith(" ok")
    bleak = on_a_terminal(*given(bare, tmp_path), NO_COLOR="1")
    assert "\x1b[3" not in bleak


def test_a_cluster_in_a_file_is_looked_at_before_it_is_applied(host: SshHost, tmp_path: Path) -> None:
    """Else a person would have to apply what is wrong to learn that it is."""
    file, key = tmp_path / "cluster.yaml", tmp_path / "key"
    place = {"host": host.host, "port": host.port, "slots": 1}
    spec = {"type": "Process", "user": host.user, "authSecretRef": {"name": "key"}, "hostKeys": {"knownHosts": host.known_hosts},
            "process": {"hosts": [place, {**place, "port": 1}]}}
    cluster = {"apiVersion": "fairlead.dev/v1alpha1", "kind": "Cluster", "metadata": {"name": "box"}, "spec": spec}
    file.write_text(yaml.safe_dump(cluster))

    def looked(means: Means) -> list[dict[str, Finding]]:
        targets = of_manifest(file, means)
        assert {each.cluster for each in targets} == {"default/box"}
        return [look_at(each) for each in targets]

    first, _ = looked(Means())
    assert "Secret default/key does not exist" in first["key"].words
    key.write_text(host.private_key)
    first, second = looked(Means(identity=key))
    assert (verdicts(first), second["port"].verdict) == ({}, Result.WRONG)
    secret = {"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "key"}, "stringData": {"ssh-privatekey": host.private_key}}
    file.write_text(yaml.safe_dump_all([secret, cluster]))
    shown = fairlead("doctor", "-f", str(file), "-o", "json", kubeconfig=Path("/nonexistent/config"))
    assert (shown.returncode, shown.stderr) == (1, b"")
    assert [each["ok"] for each in json.loads(shown.stdout)["hosts"]] == [True, False]


@pytest.mark.parametrize("args", [
    (), ("a/b", "--host", "c"), ("--host", "c"), ("--host", "c d", "--user", "x", "-i", __file__), ("--host", "c", "--user", "x"),
    ("--host", "c", "--user", "a b", "-i", __file__), ("-f", __file__),
], ids=["nothing", "both", "no user", "no host name", "no key", "no login name", "no manifest"])
def test_wrong_use_is_said_in_a_sentence(args: tuple[str, ...]) -> None:
    """Else a person would get a stack, or wait for a host that nobody meant."""
    with pytest.raises(UserFault):
        commands.main(["doctor", *args], standalone_mode=False)
