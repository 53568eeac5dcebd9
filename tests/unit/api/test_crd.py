"""The files in crds/ are what users install: they must be whole and say what every field means."""

from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml

from fairlead.api import crd

CRDS = Path(__file__).parents[3] / "crds"


VERSIONS = [(resource.kind, crd.definition(resource)["spec"]["versions"][0]) for resource in crd.RESOURCES]


def _fields(schema: dict, path: str) -> Iterator[tuple[str, dict]]:
    for name, field in schema.get("properties", {}).items():
        yield f"{path}.{name}", field
        yield from _fields(field, f"{path}.{name}")
        yield from _fields(field.get("items", {}), f"{path}.{name}[]")


FIELDS = [
    pytest.param(field, id=kind + path)
    for kind, version in VERSIONS
    for path, field in _fields(version["schema"]["openAPIV3Schema"], "")
    if path != ".metadata"
]


def test_committed_files_are_what_the_models_say(tmp_path):
    """Without this a user would install other rules than the controller was written for."""
    made = {path.name: path.read_text() for path in crd.write(tmp_path)}
    assert made == {path.name: path.read_text() for path in CRDS.glob("*.yaml")}


@pytest.mark.parametrize("field", FIELDS)
def test_every_field_is_described(field):
    """A user could not find out by kubectl explain what to write."""
    assert field["description"].rstrip().endswith(".")


@pytest.mark.parametrize("field", FIELDS)
def test_every_field_has_one_type_and_every_list_a_merge_rule(field):
    """Server-side apply would replace lists that two people own."""
    assert ("type" in field) != ("x-kubernetes-int-or-string" in field)
    assert (field.get("type") == "array") == ("x-kubernetes-list-type" in field)


def test_nothing_of_the_generator_is_left_over():
    """A word that Kubernetes does not know would make the API server refuse the file."""
    text = "".join(crd.render(resource) for resource in crd.RESOURCES)
    assert not [word for word in ("$ref", "$defs", "anyOf", "title:", "x-fairlead", "const:") if word in text]


@pytest.mark.parametrize(("kind", "version"), VERSIONS)
def test_status_is_a_subresource(kind, version):
    """Applying a manifest would wipe the status, and with it what is known of running jobs."""
    assert version["subresources"] == {"status": {}}, kind


def test_short_names_and_category():
    """kubectl get flj, flc and fairlead would not work."""
    names = {d["names"]["kind"]: d["names"] for d in (yaml.safe_load(p.read_text())["spec"] for p in CRDS.glob("*.yaml"))}
    assert {kind: (each["shortNames"], each["categories"]) for kind, each in names.items()} == {
        "Cluster": (["flc"], ["fairlead"]), "Job": (["flj"], ["fairlead"]), "Session": (["fls"], ["fairlead"]),
    }


@pytest.mark.parametrize("field", FIELDS)
def test_a_bound_is_a_number_that_floating_point_has(field):
    """The API server reads bounds so: one of 2^63 - 1 became the least number there is, and refused every Job's end."""
    for bound in ("minimum", "maximum"):
        assert abs(field.get(bound, 0)) <= 2**53
