"""The chart as `helm template` renders it, without a cluster."""

import json
import subprocess
from collections.abc import Iterable
from difflib import unified_diff

import pytest
import yaml

from chart.helm import Helm
from chart.rendering import (
    CASES,
    CHART,
    NAMESPACE,
    RELEASE,
    WITHOUT_CRDS,
    Manifest,
    committed,
    manifests,
    objects,
    template,
    to_commit,
    values,
)
from fairlead.api.v1alpha1.names import INSTALLATION_SECRET
from fairlead.gateway.settings import GatewaySettings
from fairlead.kube.rights import ACCOUNT, GATEWAY_ACCOUNT, UNINSTALL_ACCOUNT, Reach, rules

BY_CASE = pytest.mark.parametrize("case", CASES)


@BY_CASE
def test_it_lints(helm: Helm, case: str) -> None:
    """A release would be warned about, or refused, by the first tool that looks at it."""
    helm("lint", "--strict", "--namespace", NAMESPACE, "--values", str(values(case)), str(CHART))


@BY_CASE
def test_it_renders_what_is_committed(helm: Helm, case: str) -> None:
    """A change in a template could change what is installed without anybody seeing it in review."""
    rendered = to_commit(helm, case)
    difference = "".join(unified_diff(committed(case).read_text().splitlines(keepends=True), rendered.splitlines(keepends=True)))
    assert difference == "", "look at the difference, then run `make chart` and commit what it writes"


def test_its_resource_definitions_are_the_ones_of_crds(helm: Helm) -> None:
    """The API server would know other fields than the controller, and an uninstall would take every Job with it."""
    made = [each for each in objects(helm, "defaults") if each["kind"] == "CustomResourceDefinition"]
    rendered = [{**each, "metadata": {**each["metadata"]}} for each in made]
    source = [yaml.safe_load(path.read_text()) for path in sorted((CHART.parents[1] / "crds").glob("*.yaml"))]
    assert [each["metadata"].pop("annotations") for each in rendered] == len(source) * [{"helm.sh/resource-policy": "keep"}]
    assert rendered == source


def test_alerts_and_dashboard_are_the_files(helm: Helm) -> None:
    """Prometheus would have other alerts than were tested, or a text of theirs would be taken for a template of the chart's."""
    made = {each["kind"]: each for each in objects(helm, "monitoring", *WITHOUT_CRDS) if each["kind"] != "ConfigMap"}
    assert made["PrometheusRule"]["spec"] == yaml.safe_load((CHART / "files/alerts.yaml").read_text())
    [shown] = [each["data"] for each in objects(helm, "monitoring", *WITHOUT_CRDS) if each["metadata"]["name"] == f"{RELEASE}-dashboard"]
    assert json.loads(shown["fairlead.json"]) == json.loads((CHART / "files/dashboard.json").read_text())


WRONG = {
    "replicaCount=3": ["at '': additional properties 'replicaCount' not allowed", "'replicas'"],
    "networkPolicy.sshPort=22": ["at '/networkPolicy': additional properties 'sshPort' not allowed", "'sshPorts'"],
    "metrics.podMonitor.enable=true": ["at '/metrics/podMonitor': additional properties 'enable' not allowed",
                                       "must be one of 'enabled', 'interval'"],
    "settings.engine.sweepSeconds=1": ["at '/settings/engine': additional properties 'sweepSeconds' not allowed", "'sweep_seconds'"],
    "settings.lurm.sbatch_seconds=1": ["at '/settings': additional properties 'lurm' not allowed", "must be one of 'engine', 'slurm'"],
    "uninstall.policy=Delete": ["at '/uninstall/policy': value must be one of 'Refuse', 'Orphan', 'Cancel'"],
    "log.level=verbose": ["at '/log/level': value must be one of 'debug', 'info', 'warning', 'error'"],
    "replicas=two": ["at '/replicas': got string, want integer"],
    "gateway.ports.first=80": ["at '/gateway/ports/first'", "want 1,024"],
    "gateway.terminationGracePeriodSeconds=20": ["at '/gateway/terminationGracePeriodSeconds'", "want 25"],
    "gateway.port=20000": ["at '/gateway': additional properties 'port' not allowed", "'ports'"],
    "healthPort=70000": ["at '/healthPort'", "want 65,535"],
    "watchNamespaces={Physics,biology,biology}": ["at '/watchNamespaces/0': 'Physics' does not match pattern",
                                                  "at '/watchNamespaces': items at 1 and 2 are equal"],
    "image.digest=latest": ["at '/image/digest': 'latest' does not match pattern", "sha256:"],
    "metrics.podMonitor.interval=often": ["at '/metrics/podMonitor/interval': 'often' does not match pattern"],
    "settings.lease.duration_seconds=long": ["at '/settings/lease/duration_seconds': got string, want integer"],
}


def test_a_value_that_cannot_be_is_refused_with_what_can(helm: Helm) -> None:
    """A typo would be installed in silence, and what was meant would not be so. Helm tells all of them at once."""
    done = helm("template", RELEASE, str(CHART), *(f"--set={wrong}" for wrong in WRONG), check=False)
    assert done.returncode != 0
    missed = {wrong: words for wrong, said in WRONG.items() if (words := [word for word in said if word not in done.stderr])}
    assert missed == {}, done.stderr


def test_a_chart_that_includes_it_may_say_global_things(helm: Helm) -> None:
    """Whoever includes the chart in one of their own could not render it: Helm itself hands `global` down."""
    helm("template", RELEASE, str(CHART), "--set", "global.registry=registry.example.org")


def _granted(manifests: Iterable[Manifest], kind: str, account: str) -> dict[str, list[str]]:
    """The rules of an account's roles of a kind, by the namespace in which they hold."""
    roles = [each for each in manifests if each["kind"] == kind and account in each["metadata"]["name"]]
    return {each["metadata"].get("namespace", ""): _in_order(each["rules"]) for each in roles}


def _in_order(rules: Iterable[Manifest]) -> list[str]:
    return sorted(json.dumps(each, sort_keys=True) for each in rules)


ACCOUNTS = pytest.mark.parametrize("account", [ACCOUNT, GATEWAY_ACCOUNT, UNINSTALL_ACCOUNT])


@ACCOUNTS
def test_the_rights_of_an_account_are_its_table(helm: Helm, account: str) -> None:
    """It could do more than it was tested with, or would be refused what it needs."""
    made = list(objects(helm, "defaults", *WITHOUT_CRDS))
    assert _granted(made, "ClusterRole", account) == {"": _in_order(rules(account, Reach.ALL, Reach.CLUSTER))}
    assert _granted(made, "Role", account) == {NAMESPACE: _in_order(rules(account, Reach.OWN))}


@ACCOUNTS
def test_in_some_namespaces_its_rights_hold_there_alone(helm: Helm, account: str) -> None:
    """A controller that is taken over could read the keys of teams that never asked for it."""
    made = list(objects(helm, "namespaces", *WITHOUT_CRDS))
    everywhere = _in_order(rules(account, Reach.CLUSTER))
    assert _granted(made, "ClusterRole", account) == ({"": everywhere} if everywhere else {})
    there = _in_order(rules(account, Reach.ALL))
    assert _granted(made, "Role", account) == {"biology": there, "physics": there, NAMESPACE: _in_order(rules(account, Reach.OWN))}


def test_secrets_can_be_named(helm: Helm) -> None:
    """A controller that is taken over could read a Secret that has nothing to do with a Cluster; or it could not read its own."""
    [role] = [each for each in objects(helm, "placed", *WITHOUT_CRDS)
              if each["kind"] == "ClusterRole" and "controller" in each["metadata"]["name"]]
    [secrets] = [rule for rule in role["rules"] if rule["resources"] == ["secrets"]]
    assert (secrets["verbs"], secrets["resourceNames"]) == (["get"], ["hpc-ssh", "box-ssh", INSTALLATION_SECRET])
    others = [rule for rule in role["rules"] if rule["resources"] != ["secrets"]]
    assert _in_order(others) == _in_order(each for each in rules(ACCOUNT, Reach.ALL, Reach.CLUSTER) if each["resources"] != ["secrets"])


def test_the_gateways_may_read_named_secrets_alone_too(helm: Helm) -> None:
    """A gateway that is taken over could read every Secret, though the controller may not; or the controller's own."""
    [role] = [each for each in objects(helm, "placed", *WITHOUT_CRDS)
              if each["kind"] == "ClusterRole" and "gateway" in each["metadata"]["name"]]
    [secrets] = [rule for rule in role["rules"] if rule["resources"] == ["secrets"]]
    assert (secrets["verbs"], secrets["resourceNames"]) == (["get"], ["hpc-ssh", "box-ssh"])


ADMITTED: dict[str, list[Manifest]] = {
    "defaults": [{"namespaceSelector": {}}],
    "monitoring": [],
    "strict": [{"namespaceSelector": {"matchLabels": {"example.org/sessions": "allowed"}}}],
}


@pytest.mark.parametrize("case", ADMITTED)
def test_the_ports_of_the_gateways_are_closed_but_to_those_who_are_named(helm: Helm, case: str) -> None:
    """Every pod of the cluster would reach every process behind a Session, though somebody had said who may."""
    made = list(objects(helm, case, *WITHOUT_CRDS))
    policies = {each["metadata"]["name"]: each["spec"] for each in made if each["kind"] == "NetworkPolicy"}
    labels = _gateway(made)["metadata"]["labels"].items()
    of_all = policies.pop(f"{RELEASE}-controller")
    assert of_all["podSelector"]["matchLabels"].items() <= labels, "else what no other policy lets in is not kept out"
    assert "Ingress" in of_all["policyTypes"]
    assert [rule["from"] for policy in policies.values() for rule in policy["ingress"]] == ([ADMITTED[case]] if ADMITTED[case] else [])
    for policy in policies.values():
        assert policy["podSelector"]["matchLabels"].items() <= labels
        assert policy["ingress"][0]["ports"] == [{"port": 20000, "endPort": 20999, "protocol": "TCP"}]


def _gateway(manifests: Iterable[Manifest]) -> Manifest:
    """The template of the gateways' pods."""
    [found] = [each for each in manifests if (each["kind"], each["metadata"]["name"]) == ("Deployment", f"{RELEASE}-gateway")]
    template: Manifest = found["spec"]["template"]
    return template


def test_a_gateway_has_more_time_to_end_than_it_takes(helm: Helm) -> None:
    """It would be killed while it hands its Sessions over, and their slices would lead nowhere."""
    pod = _gateway(objects(helm, "defaults", *WITHOUT_CRDS))["spec"]
    its, door = GatewaySettings(), GatewaySettings().door
    closing = door.flush_seconds + door.cut_seconds + door.refused_seconds
    assert pod["terminationGracePeriodSeconds"] > its.drain_seconds + 2 * its.last_words_seconds + closing + its.stop_seconds


def test_without_gateways_there_is_nothing_of_theirs(helm: Helm) -> None:
    """Who wants no way into a process would have an account that can read keys."""
    made = list(manifests(template(helm, "defaults", *WITHOUT_CRDS, "--set", "gateway.enabled=false")))
    assert len(made) > 10
    assert [each["metadata"]["name"] for each in made if "gateway" in each["metadata"]["name"]] == []


def test_a_range_of_ports_that_ends_before_it_begins_is_refused(helm: Helm) -> None:
    """The gateways would be started again and again, and only their log would say why."""
    done = helm("template", RELEASE, str(CHART), "--set", "gateway.ports.first=30000", check=False)
    assert "gateway.ports: first is 30000 and last 20999: write the smaller one as first" in done.stderr


@BY_CASE
def test_every_binding_gives_a_role_of_the_release_to_its_account(helm: Helm, case: str) -> None:
    """A right would go to nobody, or to somebody else."""
    made = list(objects(helm, case, *WITHOUT_CRDS))
    roles = {(each["kind"], each["metadata"].get("namespace"), each["metadata"]["name"]) for each in made if each["kind"].endswith("Role")}
    accounts = {each["metadata"]["name"] for each in made if each["kind"] == "ServiceAccount"}
    bindings = [each for each in made if each["kind"].endswith("RoleBinding")]
    assert {(each["roleRef"]["kind"], each["metadata"].get("namespace"), each["roleRef"]["name"]) for each in bindings} == roles
    for each in bindings:
        [subject] = each["subjects"]
        assert subject["namespace"] == NAMESPACE
        assert subject["name"] in accounts


@BY_CASE
def test_every_object_says_whose_it_is(helm: Helm, case: str) -> None:
    """Whoever comes across an object could not tell what made it."""
    for each in objects(helm, case, *WITHOUT_CRDS):
        labels = each["metadata"]["labels"]
        assert labels["app.kubernetes.io/name"] == "fairlead"
        assert labels["app.kubernetes.io/instance"] == RELEASE
        assert labels["app.kubernetes.io/managed-by"] == "Helm"


def test_two_releases_of_one_name_do_not_share_an_object(helm: Helm) -> None:
    """The second team's installation would be refused, or take the first one's rights away."""
    def cluster_wide(namespace: str) -> set[tuple[str, str]]:
        rendered: subprocess.CompletedProcess[str] = helm(
            "template", RELEASE, str(CHART), "--namespace", namespace, "--set", f"watchNamespaces={{{namespace}}}", *WITHOUT_CRDS,
        )
        made = (each for each in yaml.safe_load_all(rendered.stdout) if each)
        return {(each["kind"], each["metadata"]["name"]) for each in made if "namespace" not in each["metadata"]}

    assert cluster_wide("team-a")
    assert cluster_wide("team-a") & cluster_wide("team-b") == set()
