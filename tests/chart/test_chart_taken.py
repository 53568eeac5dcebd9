"""The chart as a real API server takes it: object by object, and as a release that comes, changes and goes."""

import json
import subprocess
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.request import urlopen

import pytest
import yaml

from bed.controlplane import ControlPlane
from bed.controlplane.ports import free
from chart.account import Account
from chart.helm import Helm
from chart.rendering import CASES, CHART, NAMESPACE, RELEASE, WITHOUT_CRDS, Manifest, manifests, objects, template
from fairlead.api.v1alpha1.names import GATEWAY_LEASE
from product.command import argv
from product.waiting import until

EXAMPLE = CHART.parents[1] / "examples" / "04-metrics"


def test_every_object_is_accepted_as_it_is(helm: Helm, plane: ControlPlane) -> None:
    """An install would end halfway, or the API server would drop what a template has misspelt."""
    asked = ("apply", "--server-side", "--force-conflicts", "--dry-run=server", "--validate=strict", "--filename=-")
    texts = [template(helm, case, *(WITHOUT_CRDS if case != CASES[0] else ())) for case in CASES]
    with accounts(plane, (each for text in texts for each in manifests(text))):
        said = plane.kubectl(*asked, input="\n---\n".join(texts))
    assert said.stdout.count("serverside-applied") == sum(len(list(manifests(text))) for text in texts) > 5 * len(CASES)
    assert said.stderr == "", "the API server warns of something"


def test_every_pod_runs_where_pod_security_is_strictest(helm: Helm, plane: ControlPlane) -> None:
    """On a platform that enforces it no pod would start, and `helm install` would wait in vain."""
    pods = []
    for case in CASES:
        made = [*_pods(objects(helm, case, *WITHOUT_CRDS))]
        assert {kind for kind, _ in made} == {"Deployment", "Pod", "Job"}
        pods += [{**pod, "metadata": {"name": f"{case}-{kind.lower()}"}} for kind, pod in made]
    with accounts(plane, (each for case in CASES for each in objects(helm, case, *WITHOUT_CRDS))):
        offered = "\n---\n".join(map(json.dumps, pods))
        plane.kubectl("create", f"--namespace={NAMESPACE}", "--dry-run=server", "--filename=-", input=offered)


@contextmanager
def accounts(plane: ControlPlane, manifests: Iterable[Manifest]) -> Iterator[None]:
    """With the accounts of all pods: without them the API server takes none."""
    names = sorted({pod["spec"]["serviceAccountName"] for _, pod in _pods(manifests)})
    made = [{"apiVersion": "v1", "kind": "ServiceAccount", "metadata": {"name": name}} for name in names]
    plane.kubectl("create", f"--namespace={NAMESPACE}", "--filename=-", input="\n---\n".join(map(json.dumps, made)))
    yield
    plane.kubectl("delete", "serviceaccount", *names, f"--namespace={NAMESPACE}")


def _pods(manifests: Iterable[Manifest]) -> Iterator[tuple[str, Manifest]]:
    """Every pod that the chart would have made, with the kind of what makes it."""
    for each in manifests:
        template = each if each["kind"] == "Pod" else each.get("spec", {}).get("template")
        if template:
            yield each["kind"], {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "one"}, "spec": template["spec"]}


def test_what_the_example_of_the_metrics_says_is_accepted(helm: Helm, plane: ControlPlane) -> None:
    """Who copies it would be refused, or leave the metrics open while thinking that they are closed."""
    asked = ("apply", "--server-side", "--dry-run=server", "--validate=strict")
    for manifest in ("rights", "podmonitor"):
        text = (EXAMPLE / f"{manifest}.yaml").read_text().replace("namespace: fairlead\n", f"namespace: {NAMESPACE}\n")
        plane.kubectl(*asked, "--filename=-", input=text)
    options = ("--namespace", NAMESPACE, "--values", str(EXAMPLE / "values.yaml"), *WITHOUT_CRDS)
    rendered = helm("template", RELEASE, str(CHART), *options).stdout
    made = [*manifests(rendered)]
    with accounts(plane, made):
        assert plane.kubectl(*asked, "--force-conflicts", "--filename=-", input=rendered).stderr == ""
    [policy] = [each["spec"] for each in made if (each["kind"], each["metadata"]["name"]) == ("NetworkPolicy", f"{RELEASE}-controller")]
    assert [port["port"] for rule in policy["ingress"] for port in rule["ports"]] == ["metrics"]
    monitor = yaml.safe_load((EXAMPLE / "podmonitor.yaml").read_text())
    assert monitor["spec"]["podMetricsEndpoints"][0]["port"] == "metrics"


@pytest.fixture
def release(helm: Helm, plane: ControlPlane) -> Iterator[Helm]:
    """Helm on the control plane, where nothing is installed; at the end there is nothing again but the resource definitions."""
    here = Helm(helm.program, helm.home, plane.kubeconfig)
    yield here
    here("uninstall", RELEASE, "--namespace", NAMESPACE, "--no-hooks", "--ignore-not-found")
    plane.kubectl("delete", "jobs.batch,configmap,secret,lease,clusters.fairlead.dev", "--all", f"--namespace={NAMESPACE}")


def install(release: Helm, *options: str, chart: Path = CHART) -> str:
    """Install it, or upgrade what is there; what Helm says then."""
    return release("upgrade", "--install", RELEASE, str(chart), "--namespace", NAMESPACE, *options).stdout


def test_a_release_comes_stays_and_goes_without_a_trace_but_the_kinds_with_all_their_objects(release: Helm, plane: ControlPlane) -> None:
    """Whoever uninstalls would lose each Cluster and Job, or find roles and accounts of ours years later.

    Or an upgrade that changes nothing would restart the controller, and a GitOps tool would find a difference for ever. Or an uninstall
    would not wait for the program that looks first, which no node runs here: what still runs would have objects that nobody can delete.
    """
    before = _all(plane)
    told = install(release)
    assert "looks after all namespaces" in told
    assert "create secret generic hpc-ssh" in told
    plane.kubectl("wait", "--for=condition=Established", "customresourcedefinitions", "clusters.fairlead.dev", "jobs.fairlead.dev",
                  "sessions.fairlead.dev")
    plane.kubectl("create", f"--namespace={NAMESPACE}", "--filename=-", input=json.dumps(CLUSTER))
    first = _versions(plane)
    install(release)
    assert _versions(plane) == first, "the same again changes something"

    release("uninstall", RELEASE, "--namespace", NAMESPACE, "--no-hooks")
    assert _all(plane) == before
    plane.kubectl("get", f"--namespace={NAMESPACE}", "clusters.fairlead.dev", "hpc")
    install(release)                 # and takes them over again
    plane.kubectl("get", f"--namespace={NAMESPACE}", "clusters.fairlead.dev", "hpc")

    there = _versions(plane)
    done = release("uninstall", RELEASE, "--namespace", NAMESPACE, "--timeout", "2s", check=False)
    assert done.returncode != 0
    assert {each: version for each, version in _versions(plane).items() if each in there} == there
    job = json.loads(plane.kubectl("get", "jobs.batch", f"{RELEASE}-uninstall", f"--namespace={NAMESPACE}", "--output=json").stdout)
    assert job["spec"]["template"]["spec"]["containers"][0]["args"][:2] == ["uninstall", "--policy=Refuse"]
    assert job["spec"]["activeDeadlineSeconds"] == 270


HOST_KEY = "AAAAC3NzaC1lZDI1NTE5AAAAIOMqqnkVzrm0SdG6UOoqKLsabgH5C9okWi0dh2l9GKJl"
CLUSTER = {
    "apiVersion": "fairlead.dev/v1alpha1", "kind": "Cluster", "metadata": {"name": "hpc"},
    "spec": {"type": "Slurm", "endpoints": [{"host": "login.hpc.example.org"}], "user": "alice", "authSecretRef": {"name": "hpc-ssh"},
             "hostKeys": {"knownHosts": f"login.hpc.example.org ssh-ed25519 {HOST_KEY}"}},
}
KINDS = ("serviceaccounts,roles,rolebindings,configmaps,secrets,services,deployments,jobs.batch,pods,poddisruptionbudgets,networkpolicies,"
         "clusterroles,clusterrolebindings")


def _all(plane: ControlPlane) -> set[str]:
    """Every object of the kinds that the chart makes."""
    return set(plane.kubectl("get", KINDS, "--all-namespaces", "--output=name", "--no-headers").stdout.split())


def test_the_first_chart_there_was_is_upgraded_in_place(release: Helm, plane: ControlPlane) -> None:
    """The upgrade would be refused, or take the controller away and make another; or there would be no way back."""
    install(release, chart=Path(__file__).parent / "before" / "fairlead.tgz")
    before = _identities(plane)
    install(release, "--reset-then-reuse-values")
    assert before.items() <= _identities(plane).items()
    release("rollback", RELEASE, "1", "--namespace", NAMESPACE)
    assert _identities(plane) == before


def _identities(plane: ControlPlane) -> dict[str, str]:
    """The uid of everything that the release has made."""
    return {f"{each['kind']}/{each['metadata']['name']}": each["metadata"]["uid"] for each in _made(plane)}


def _versions(plane: ControlPlane) -> dict[str, str]:
    """The version of everything that the release has made."""
    return {f"{each['kind']}/{each['metadata']['name']}": each["metadata"]["resourceVersion"] for each in _made(plane)}


def _made(plane: ControlPlane) -> list[Manifest]:
    which = ("--all-namespaces", f"--selector=app.kubernetes.io/instance={RELEASE}")
    found: list[Manifest] = json.loads(plane.kubectl("get", KINDS, *which, "--output=json").stdout)["items"]
    return found


def _may(plane: ControlPlane, account: str, namespace: str) -> str:
    return plane.kubectl("auth", "can-i", "get", "secrets", f"--namespace={namespace}", account, check=False).stdout.strip()


def test_its_controller_leads_under_the_rights_that_a_change_of_namespaces_leaves_it(
    release: Helm, plane: ControlPlane, tmp_path: Path,
) -> None:
    """A controller that was narrowed down could still read the Secrets of everybody.

    Or what the chart says to its pods would not start, or not work with the rights that it gives; or `helm test` would not notice.
    """
    install(release, "--set", "installationName=institute")
    may = f"--as=system:serviceaccount:{NAMESPACE}:{RELEASE}-controller"
    assert _may(plane, may, "physics") == _may(plane, may, "biology") == _may(plane, may, "kube-system") == "yes"
    install(release, "--set", "installationName=institute", "--set", "watchNamespaces={physics}")
    until(lambda: _may(plane, may, "biology") == "no", "the right to read Secrets elsewhere to go")
    assert (_may(plane, may, "physics"), _may(plane, may, "kube-system")) == ("yes", "no")

    deployment = json.loads(plane.kubectl("get", "deployment", f"{RELEASE}-controller", f"--namespace={NAMESPACE}", "--output=json").stdout)
    pod: dict[str, Any] = deployment["spec"]["template"]["spec"]
    account = Account(plane, NAMESPACE, pod["serviceAccountName"], tmp_path)
    [test] = [each for each in objects(release, "defaults") if each["kind"] == "Pod"]
    checks = [*argv(*test["spec"]["containers"][0]["args"]), "--wait=3"]
    alone = subprocess.run(checks, env=account.env, capture_output=True, text=True, timeout=60, check=False)
    assert (alone.returncode, alone.stdout) == (1, "Served: clusters, jobs, sessions of fairlead.dev/v1alpha1\n")
    assert "No controller leads in namespace fairlead-system" in alone.stderr

    settings = tmp_path / "settings.yaml"
    settings.write_text(json.loads(plane.kubectl(
        "get", "configmap", f"{RELEASE}-controller", f"--namespace={NAMESPACE}", "--output=json").stdout)["data"]["settings.yaml"])
    words = [each.replace("/etc/fairlead", str(tmp_path)) for each in pod["containers"][0]["args"]]
    with account.running(argv(*words, "--health-host=127.0.0.1", "--health-port=0")) as log:
        checks[-1] = "--wait=90"
        beside = subprocess.run(checks, env=account.env, capture_output=True, text=True, timeout=120, check=False)
        assert beside.returncode == 0, f"{beside.stderr}; the controller says: {log.read_text()[-3000:]}"
        assert "Installation: institute in namespace fairlead-system" in beside.stdout


def test_its_gateway_serves_under_the_rights_that_the_chart_gives_it(release: Helm, plane: ControlPlane, tmp_path: Path) -> None:
    """What the chart says to its pods would not start, or would be refused what it asks for: no Session would ever be reached."""
    install(release, "--set", "watchNamespaces={physics}", "--set", "settings.gateway_lease.duration_seconds=7")
    gateway = json.loads(plane.kubectl("get", "deployment", f"{RELEASE}-gateway", f"--namespace={NAMESPACE}", "--output=json").stdout)
    pod: dict[str, Any] = gateway["spec"]["template"]["spec"]
    [container] = pod["containers"]
    assert {each["name"]: each["valueFrom"]["fieldRef"]["fieldPath"] for each in container["env"]} == {
        "POD_NAME": "metadata.name", "POD_IP": "status.podIP"}
    settings = json.loads(plane.kubectl(
        "get", "configmap", pod["volumes"][0]["configMap"]["name"], f"--namespace={NAMESPACE}", "--output=json").stdout)
    (tmp_path / "settings.yaml").write_text(settings["data"]["settings.yaml"])
    words = [each.replace("$(POD_NAME)", "gateway-1").replace("/etc/fairlead", str(tmp_path)) for each in container["args"]]
    [port] = free(1)
    account = Account(plane, NAMESPACE, pod["serviceAccountName"], tmp_path)
    asked = [*argv(*words), "--address=192.0.2.17", "--health-host=127.0.0.1", f"--health-port={port}"]
    probe, lease = container["readinessProbe"]["httpGet"]["path"], f"lease/{GATEWAY_LEASE}gateway-1"
    with account.running(asked) as log:
        until(lambda: answers(f"http://127.0.0.1:{port}{probe}"), "the gateway to be ready", 60)
        held = until(lambda: plane.kubectl("get", lease, f"--namespace={NAMESPACE}", "--output=name", check=False).stdout, "its Lease", 60)
        assert held.strip() == f"lease.coordination.k8s.io/{GATEWAY_LEASE}gateway-1"
        lasts = ("get", lease, f"--namespace={NAMESPACE}", "--output=jsonpath={.spec.leaseDurationSeconds}")
        assert plane.kubectl(*lasts).stdout == "7", "the settings reach it"
        said = log.read_text()
    assert "forbidden" not in said.lower(), said


def answers(url: str) -> bool:
    """Whether a page says that all is well."""
    try:
        with urlopen(url, timeout=5) as answer:
            return bool(answer.status == 200)
    except OSError:
        return False


def test_large_numbers_reach_the_settings_file_as_they_are(helm: Helm) -> None:
    """The controller would not start: a number such as 1e+06 is a text to who reads YAML."""
    [settings] = [each for each in objects(helm, "placed") if each["kind"] == "ConfigMap"]
    assert yaml.safe_load(settings["data"]["settings.yaml"])["ssh"] == {"connections": 1_000_000}
