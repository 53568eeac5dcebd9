"""The examples for Flux and Argo CD can be copied: their own kinds are as these tools know them, ours as the API server takes them."""

import itertools
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import yaml

from bed.controlplane import ControlPlane
from bed.gitops import Words
from product.scene import Scene

from .manifests import EXAMPLES, Manifest

FOLDER = EXAMPLES / "gitops"
ENGINES = ("flux", "argocd")
WAVE = "argocd.argoproj.io/sync-wave"
APPLICATION: Mapping[str, Any] = {
    "project": str,
    "source": {"repoURL": str, "targetRevision": str, "path": str, "directory": {"recurse": bool, "include": str, "exclude": str}},
    "destination": {"server": str, "namespace": str},
    "syncPolicy": {"automated": {"prune": bool, "selfHeal": bool}, "syncOptions": list},
}
"""So much of the CustomResourceDefinition of Argo CD's Application as an example may need; that itself has 330 kB."""


def read(*folders: str) -> list[Manifest]:
    """The manifests below these folders of the example."""
    files = [file for folder in folders for file in sorted((FOLDER / folder).rglob("*.yaml"))]
    return [each for file in files for each in yaml.safe_load_all(file.read_text(encoding="utf-8"))]


def unlike(value: Any, schema: Any, place: str) -> Iterator[str]:
    """What does not fit a schema as above."""
    if not isinstance(schema, Mapping):
        if not isinstance(value, schema):
            yield place
        return
    for name, inner in value.items():
        yield from unlike(inner, schema[name], f"{place}.{name}") if name in schema else [f"{place}.{name}"]


def test_flux_knows_all_that_the_example_says(words: Words) -> None:
    """Flux would refuse the example, or leave out what makes its steps wait for each other."""
    words.check_flux(read("flux"))


def test_each_step_of_flux_waits_for_the_one_before() -> None:
    """A Job would begin before what it needs is there."""
    steps = [each for each in read("flux") if each["kind"] == "Kustomization"]
    assert [each["metadata"]["name"] for each in steps] == ["hpc-cluster", "hpc-prepare", "hpc-train"]
    for before, step in itertools.pairwise(steps):
        assert step["spec"]["dependsOn"] == [{"name": before["metadata"]["name"]}]
    assert all(each["spec"]["wait"] for each in steps)
    paths = [FOLDER / each["spec"]["path"] for each in steps]
    assert [sorted(file.name for file in path.glob("*.yaml")) for path in paths] == [["cluster.yaml"], ["prepare.yaml"], ["train.yaml"]]


def test_the_application_says_what_argo_cd_knows() -> None:
    """Argo CD would refuse the example, or sync nothing."""
    [application] = read("argocd")
    assert (application["apiVersion"], application["kind"]) == ("argoproj.io/v1alpha1", "Application")
    assert list(unlike(application["spec"], APPLICATION, "spec")) == []
    include = application["spec"]["source"]["directory"]["include"].strip("{}").split(",")
    assert [Path(each).parts[0] for each in include] == [each.name for each in sorted(FOLDER.iterdir()) if each.name not in ENGINES]


def test_the_waves_follow_each_other() -> None:
    """Argo CD would apply all at once."""
    waves = {each["metadata"]["name"]: each["metadata"]["annotations"][WAVE] for each in read("cluster", "jobs")}
    assert list(waves.values()) == ["0", "1", "2"]


def test_the_api_server_takes_what_is_ours(scene: Scene, plane: ControlPlane) -> None:
    """The first sync would fail."""
    for manifest in read("cluster", "jobs"):
        here = manifest | {"metadata": {**manifest["metadata"], "namespace": scene.namespace}}
        done = plane.kubectl("create", "--dry-run=server", "--validate=strict", "--filename=-", input=yaml.safe_dump(here))
        assert done.stderr == ""
