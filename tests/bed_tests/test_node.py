"""A node, where pods run: what the tests of the installed product build on, and that nothing of it stays."""

import json
import random
import signal
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from bed import cgroups, traces
from bed.controlplane import binaries
from bed.node import Node, images
from bed.sshd import SshHost
from bed.state import Bed
from bed.unpacked import unpacked
from bed_tests.runs import Run
from bed_tests.waiting import until

TESTS = str(Path(__file__).parents[1])
IMAGE = "localhost/bed-tests:1"
SPACE = "restricted"
START = """
import signal
from bed.node import Node
from bed.state import Bed
with Bed.create("a test's") as bed:
    print("starting", flush=True)
    Node.start(bed)
    print("up", flush=True)
    signal.pause()
"""
NO_CGROUPS = "mount -t tmpfs -o ro tmpfs /sys/fs/cgroup; exec \"$0\" -m bed up --node --clusters 0"
SETTINGS = ("/proc/sys/vm/overcommit_memory", "/proc/sys/kernel/panic", "/proc/sys/net/ipv4/ip_forward")
WEB = """
trap 'echo told to end; exit 0' TERM
httpd -p 8080 -h /bin
echo serving
while :; do sleep 0.1; done
"""


@pytest.fixture(scope="module")
def node(bed: Bed, tmp_path_factory: pytest.TempPathFactory) -> Node:
    """One node for all tests of the module, with a namespace under `enforce: restricted` and a small image."""
    node = Node.start(bed)
    busybox = unpacked("busybox-static", bed.env) / "bin/busybox"
    archive = tmp_path_factory.mktemp("image") / "image.tar"
    images.archive(archive, IMAGE, {"bin/busybox": busybox}, ["/bin/sh"], links={"bin/sh": "busybox"})
    node.load(archive)
    node.kubectl("create", "namespace", SPACE)
    node.kubectl("label", "namespace", SPACE, "pod-security.kubernetes.io/enforce=restricted")
    return node


def pod(name: str, script: str, grace_seconds: int = 30) -> dict[str, object]:
    """A pod that the restricted standard admits; busybox's commands are its shell's own."""
    confined = {"allowPrivilegeEscalation": False, "readOnlyRootFilesystem": True, "capabilities": {"drop": ["ALL"]}}
    container = {"name": "main", "image": IMAGE, "args": ["-c", script], "securityContext": confined}
    return {
        "apiVersion": "v1", "kind": "Pod", "metadata": {"name": name, "namespace": SPACE, "labels": {"app": name}},
        "spec": {"containers": [container], "restartPolicy": "Never", "terminationGracePeriodSeconds": grace_seconds,
                 "securityContext": {"runAsNonRoot": True, "runAsUser": 65535, "seccompProfile": {"type": "RuntimeDefault"}}},
    }


def service(name: str) -> dict[str, object]:
    return {"apiVersion": "v1", "kind": "Service", "metadata": {"name": name, "namespace": SPACE},
            "spec": {"selector": {"app": name}, "ports": [{"port": 80, "targetPort": 8080}]}}


def apply(node: Node, *objects: dict[str, object]) -> None:
    node.kubectl("apply", "-f", "-", input=json.dumps({"apiVersion": "v1", "kind": "List", "items": objects}))


def output(node: Node, name: str, script: str) -> str:
    """What a pod's script printed, once it has ended well."""
    apply(node, pod(name, script))
    node.kubectl("-n", SPACE, "wait", f"pod/{name}", "--for=jsonpath={.status.phase}=Succeeded", "--timeout=120s")
    return node.kubectl("-n", SPACE, "logs", name).stdout


@pytest.fixture(scope="module")
def web(node: Node) -> str:
    """A pod that serves, and its Service of the same name."""
    apply(node, pod("web", WEB), service("web"))
    address = node.kubectl("-n", SPACE, "get", "service", "web", "-o", "jsonpath={.spec.clusterIP}").stdout
    until(lambda: is_served(f"http://{address}/busybox"), "the pod to serve, and its Service to lead there", 60)
    return "web"


def is_served(url: str) -> bool:
    """Whether something answers there."""
    try:
        with urllib.request.urlopen(url, timeout=10) as answer:
            return bool(answer.status == 200)
    except OSError:
        return False


@contextmanager
def forwarded(node: Node, target: str) -> Iterator[str]:
    """The address on this machine that kubectl forwards to a Service."""
    argv = [node.kubectl_path, f"--kubeconfig={node.kubeconfig}", "-n", SPACE, "port-forward", target, ":80"]
    with subprocess.Popen(argv, env={"HOME": str(node.folder), **node.bed.env}, stdout=subprocess.PIPE, text=True) as process:
        try:
            assert process.stdout
            yield process.stdout.readline().split()[2]
        finally:
            process.kill()


def test_a_pod_runs_confined_as_the_restricted_standard_says(node: Node) -> None:
    """The chart's pods would be tested under less than what production enforces."""
    look = "exec 2>&1; id -u; grep -E '^(NoNewPrivs|Seccomp|CapEff):' /proc/self/status; touch /x || echo read-only"
    said = output(node, "confined", look)
    assert "65535\n" in said
    assert {tuple(line.split()) for line in said.splitlines() if ":\t" in line} >= {
        ("NoNewPrivs:", "1"), ("Seccomp:", "2"), ("CapEff:", "0000000000000000")}
    assert said.endswith("read-only\n")
    bare = {**pod("free", "true"), "spec": {"containers": [{"name": "main", "image": IMAGE}]}}
    refused = node.kubectl("apply", "-f", "-", input=json.dumps(bare), check=False)
    assert 'violates PodSecurity "restricted:latest"' in refused.stderr


def test_services_are_reached_by_name_from_pods_and_by_address_from_here(node: Node, web: str) -> None:
    """No webhook, metrics Service or DNS name of the chart could be tested."""
    said = output(node, "asks", f"wget -q -O - http://{web}/busybox | wc -c; nslookup {web}.{SPACE}.svc.cluster.local")
    address = node.kubectl("-n", SPACE, "get", "service", web, "-o", "jsonpath={.spec.clusterIP}").stdout
    assert int(said.split()[0]) > 100_000
    assert address in said
    with urllib.request.urlopen(f"http://{address}/busybox", timeout=10) as answer:
        assert answer.status == 200


def test_logs_exec_and_port_forward_work(node: Node, web: str) -> None:
    """Whoever looks into a failed test of the installed product would see nothing."""
    until(lambda: node.kubectl("-n", SPACE, "logs", web).stdout == "serving\n", "its log")
    assert node.kubectl("-n", SPACE, "exec", web, "--", "/bin/sh", "-c", "echo $0 from the inside").stdout == "/bin/sh from the inside\n"
    with forwarded(node, f"service/{web}") as address, urllib.request.urlopen(f"http://{address}/busybox", timeout=10) as answer:
        assert answer.status == 200


def test_a_pod_that_is_deleted_is_told_first_and_has_its_grace(node: Node) -> None:
    """How the controller ends in a pod could not be tested."""
    long = 300                                # is not what is given: on a busy machine an end takes its time
    apply(node, pod("told", WEB, long), pod("deaf", "trap '' TERM; echo serving; while :; do sleep 0.1; done", long))
    node.kubectl("-n", SPACE, "wait", "pod/told", "pod/deaf", "--for=condition=Ready", "--timeout=120s")
    until(lambda: node.kubectl("-n", SPACE, "logs", "deaf").stdout == "serving\n", "the other to be deaf")
    follow = [node.kubectl_path, f"--kubeconfig={node.kubeconfig}", "-n", SPACE, "logs", "-f", "told"]
    with subprocess.Popen(follow, env={"HOME": str(node.folder), **node.bed.env}, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout
        assert process.stdout.readline() == "serving\n"
        began = time.monotonic()
        node.kubectl("-n", SPACE, "delete", "pod/told", "pod/deaf", "--grace-period=3")
        assert 3 <= time.monotonic() - began < long / 3
        assert process.stdout.readline() == "told to end\n"     # after it kubectl may complain that the container is gone


def test_pods_reach_a_host_that_was_linked(node: Node, bed: Bed) -> None:
    """No cluster could be reached from the installed product."""
    host = SshHost.start(bed)
    node.link(host)
    try:
        ask = "until nc -w 2 {} 22 </dev/null | grep -m 1 SSH-2.0; do sleep 0.2; done"
        said = output(node, "login", f"{ask.format(host.host)}; {ask.format(host.name)}")
        assert said.count("SSH-2.0-OpenSSH") == 2
    finally:
        host.stop()


def remains(node: Node) -> list[object]:
    """What is on the machine of a node, where its bed would look for it."""
    name = node.space.network.name
    groups = [group for group in traces.cgroups(node.bed.id) if name in group.parts]
    listed = subprocess.run(["ip", "route"], capture_output=True, text=True, check=True).stdout.splitlines()
    routes = [line for line in listed if name in line]
    mounts = [point for point in traces.mounts(node.bed.id) if point.is_relative_to(node.folder)]
    daemons = [daemon.argv for daemon in node.daemons.values() if daemon.alive]
    paths = [path for path in (node.space.network.path, traces.LINKS / name, node.folder) if path.exists()]
    return [*groups, *routes, *mounts, *daemons, *paths]


def test_a_second_node_beside_the_first_is_whole_and_leaves_nothing(node: Node, bed: Bed) -> None:
    """Two test runs on one machine would meet, or each leave control groups, mounts and routes."""
    before = {path: path.read_text() for path in map(Path, SETTINGS)}
    second = Node.start(bed)
    assert len(remains(second)) > 10
    assert images.PAUSE in second.images()
    assert IMAGE not in second.images()
    assert node.kubectl("get", "nodes", "-o", "name").stdout == second.kubectl("get", "nodes", "-o", "name").stdout == "node/node\n"
    began = time.monotonic()
    second.stop()
    assert time.monotonic() - began < 25, "pods and daemons were given their graces"
    assert remains(second) == []
    second.stop()
    assert {path: path.read_text() for path in before} == before
    assert node.kubectl("get", "--raw", "/readyz").stdout == "ok"


def test_kill_9_of_whoever_started_a_node_leaves_nothing(tmp_path: Path, request: pytest.FixtureRequest) -> None:
    """A cluster without an owner would go on, and hold a gigabyte."""
    run = Run(("-c", START), tmp_path)
    run.reach("starting")
    moment = random.Random(int(request.config.getoption("randomly_seed", 0))).uniform(0.5, 10)
    time.sleep(moment)   # the moment is what the test is about
    assert run.send(signal.SIGKILL, whole_group=False)
    assert run.left()
    run.ended()
    until(lambda: not run.left(), f"the end of all that was started, killed after {moment:.1f} s", 60)


def test_a_machine_that_cannot_carry_a_node_is_told_why() -> None:
    """The person would see a traceback, or wait for a node that never gets ready."""
    argv = ["unshare", "--mount", "sh", "-c", NO_CGROUPS, sys.executable]
    env = {"PATH": "/usr/sbin:/usr/bin:/sbin:/bin", "PYTHONPATH": TESTS, "XDG_CACHE_HOME": str(binaries.cache().parents[1])}
    done = subprocess.run(argv, env=env, capture_output=True, text=True, check=False, cwd="/")
    assert done.returncode == 2
    assert f"bed: no cgroup2 is mounted at {cgroups.CGROUPS}" in done.stderr
    assert "Traceback" not in done.stderr
