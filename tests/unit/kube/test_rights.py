"""The table of rights, and the manifest that is made from it."""

from pathlib import Path

import pytest
import yaml

from fairlead.kube.rights import ACCOUNT, FILES, NAMESPACE, RIGHTS, UNINSTALL_ACCOUNT, UNINSTALL_RIGHTS, Reach, Right, manifests, render

FOLDER = Path(__file__).parents[3] / "rbac"
BY_ROW = pytest.mark.parametrize(
    "right", RIGHTS + UNINSTALL_RIGHTS, ids=lambda right: f"{right.reach}-{right.resource}-{'-'.join(right.verbs)}",
)


def test_the_committed_manifests_are_what_the_tables_say():
    """Somebody who applies them would give other rights than were tested."""
    assert {path.name: path.read_text() for path in FOLDER.iterdir()} == {
        name: render(NAMESPACE, watched, account) for name, (account, watched) in FILES.items()
    }


@pytest.mark.parametrize("account", [ACCOUNT, UNINSTALL_ACCOUNT])
def test_with_watched_namespaces_nothing_is_granted_in_others(account: str):
    """A controller that was given two namespaces, and was taken over, would read the Secrets of all."""
    made = list(manifests("own", ("a", "b"), account))
    wide = [each for each in made if each["kind"] == "ClusterRole"]
    assert [rule for each in wide for rule in each["rules"]] == [right.rule() for right in RIGHTS if right.reach is Reach.CLUSTER] * (
        account == ACCOUNT)
    assert all(rule["resourceNames"] == ["kube-system"] for each in wide for rule in each["rules"])
    assert {each["metadata"]["namespace"] for each in made if each["kind"] == "Role"} == {"own", "a", "b"}
    assert {subject["namespace"] for each in made for subject in each.get("subjects", ())} == {"own"}


def test_two_installations_with_watched_namespaces_do_not_share_a_cluster_role():
    """The second would take the binding of the first away."""
    first, second = ({each["metadata"]["name"] for each in manifests(where, ("a",)) if each["kind"] == "ClusterRoleBinding"}
                     for where in ("one", "two"))
    assert not first & second


@BY_ROW
def test_no_right_is_wider_than_one_resource(right: Right):
    """A star would grant what nobody has thought of."""
    assert "*" not in f"{right.group}{right.resource}{right.verbs}"
    assert right.why.endswith(".")


@BY_ROW
def test_of_secrets_and_others_config_maps_none_can_be_listed(right: Right):
    """Whoever took the controller over could read every Secret of the cluster without knowing the name of one."""
    if right.resource == "secrets" or (right.resource == "configmaps" and right.reach is Reach.ALL):
        assert not {"list", "watch", "update", "delete"} & set(right.verbs)
    if right.resource == "secrets":
        assert right.verbs in {("get",), ("create",)}, "none is ever changed or removed"
        assert right.names or right.reach is Reach.ALL or right.verbs == ("create",), "of its own namespace only its own"


def test_nobody_but_the_installations_account_is_given_anything():
    """An installation in a namespace of another name would work with nobody's rights, or give its own away."""
    made = list(manifests("elsewhere"))
    subjects = [each["subjects"] for each in made if "subjects" in each]
    assert subjects == 2 * [[{"kind": "ServiceAccount", "name": "fairlead-controller", "namespace": "elsewhere"}]]
    own = [each for each in made if each["kind"] == "Role"]
    assert [each["metadata"]["namespace"] for each in own] == ["elsewhere"]
    assert len(own[0]["rules"]) == sum(right.reach is Reach.OWN for right in RIGHTS)
    assert list(yaml.safe_load_all(render("elsewhere"))) == made
