"""The table of rights, and the manifest that is made from it."""

from pathlib import Path

import pytest
import yaml

from fairlead.kube.rights import RIGHTS, Reach, Right, manifests, render

MANIFEST = Path(__file__).parents[3] / "rbac" / "controller.yaml"
BY_ROW = pytest.mark.parametrize("right", RIGHTS, ids=lambda right: f"{right.reach}-{right.resource}-{'-'.join(right.verbs)}")


def test_the_committed_manifest_is_what_the_table_says():
    """Somebody who applies it would give the controller other rights than it was tested with."""
    assert MANIFEST.read_text() == render()


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
        assert right.verbs == (("get",) if right.reach is Reach.ALL else ("create",)), "beyond reading, its own, once"


def test_nobody_but_the_installations_account_is_given_anything():
    """An installation in a namespace of another name would work with nobody's rights, or give its own away."""
    made = list(manifests("elsewhere"))
    subjects = [each["subjects"] for each in made if "subjects" in each]
    assert subjects == 2 * [[{"kind": "ServiceAccount", "name": "fairlead-controller", "namespace": "elsewhere"}]]
    own = [each for each in made if each["kind"] == "Role"]
    assert [each["metadata"]["namespace"] for each in own] == ["elsewhere"]
    assert len(own[0]["rules"]) == sum(right.reach is Reach.OWN for right in RIGHTS)
    assert list(yaml.safe_load_all(render("elsewhere"))) == made
