"""What was applied stays as it was applied, whatever the controller does: no tool finds a difference, or takes away what Fairlead writes.

Every example, and one manifest of each kind with every field, on a real control plane and under the real controller.
"""

import json
import subprocess
from collections.abc import Mapping, Sequence
from typing import Any

import pytest

from bed.controlplane import ControlPlane
from bed.gitops import Applied, Comparison, Drift, Words
from bed.slurm import SlurmCluster
from bed.sshd import SshHost
from bed.state import Bed
from fairlead.api import crd
from fairlead.api.v1alpha1 import names
from product.scene import Scene, Thing
from product.waiting import until

from .manifests import Manifest, filled_in, set_aside, whole_cluster, whole_job

QUICK, LONG = "#!/bin/sh\ntrue\n", "#!/bin/sh\nexec sleep 600\n"
CLIENT_SIDE = ("apply",)
MANAGER = "argocd-controller"
SERVER_SIDE = ("apply", "--server-side", f"--field-manager={MANAGER}")


@pytest.fixture(scope="module")
def drift(bed: Bed) -> Drift:
    """Argo CD's comparison."""
    return Drift.ensure(bed)


class Repository:
    """The manifests that one tool keeps in sync with one namespace."""

    def __init__(self, scene: Scene, plane: ControlPlane, how: Sequence[str], manifests: Sequence[Manifest]) -> None:
        self._scene, self._plane, self._how = scene, plane, how
        self.manifests = list(manifests)
        self.is_server_side = "--server-side" in how

    def sync(self) -> None:
        """Apply all, as the tool does."""
        self._kubectl(*self._how)

    def differences(self) -> str:
        """What kubectl would change."""
        diff = ["diff", *self._how[1:]]
        return self._kubectl(*diff, check=False)

    def compared_by_server(self, drift: Drift) -> list[Comparison]:
        """What Argo CD says of each with ServerSideDiff=true."""
        would = json.loads(self._ask(*SERVER_SIDE, "--dry-run=server", "--show-managed-fields", "--output=json").stdout)["items"]
        lives = [json.loads(self._plane.kubectl("--namespace", self._scene.namespace, "get", f"{each['kind'].lower()}s.{names.GROUP}",
                                                each["metadata"]["name"], "--show-managed-fields", "--output=json").stdout)
                 for each in self.manifests]
        applied = [Applied(*each) for each in zip(self.manifests, lives, would, strict=True)]
        return drift.compare_by_server(applied, json.loads(self._plane.kubectl("get", "--raw", "/openapi/v2").stdout), MANAGER)

    def live(self) -> list[dict[str, Any]]:
        """The objects, in the order of the manifests."""
        found = [self.thing(each).read() for each in self.manifests]
        return [each for each in found if each is not None]

    def settle(self) -> None:
        """Until the controller has done with each what there is to do: a Cluster is ready, a Job has run, runs, or is set aside."""
        for manifest in self.manifests:
            thing, spec = self.thing(manifest), manifest["spec"]
            if spec.get("suspend"):
                until(lambda thing=thing: thing.status.get("phase") == "Suspended", f"{thing.name} to be set aside")
            elif manifest["kind"] == names.CLUSTER_KIND:
                thing.wait("Ready")
            elif "sleep 600" in spec["script"] or "stubborn" in spec["script"]:
                thing.wait("Running")
            else:
                thing.wait("Complete")
                until(lambda thing=thing: not (thing.read() or {"metadata": {}})["metadata"].get("finalizers"), "the finalizer to be off")

    def thing(self, manifest: Manifest) -> Thing:
        """The object of a manifest."""
        return Thing(self._scene, f"{manifest['kind'].lower()}s", manifest["metadata"]["name"])

    def _kubectl(self, *argv: str, check: bool = True) -> str:
        done = self._ask(*argv, check=check)
        return done.stdout + done.stderr

    def _ask(self, *argv: str, check: bool = True) -> "subprocess.CompletedProcess[str]":
        text = "\n---\n".join(json.dumps(each) for each in self.manifests)
        return self._plane.kubectl("--namespace", self._scene.namespace, *argv, "--filename=-", input=text, check=check)


@pytest.fixture(params=[pytest.param(CLIENT_SIDE, id="client-side"), pytest.param(SERVER_SIDE, id="server-side")])
def repository(
    request: pytest.FixtureRequest, own: SlurmCluster, scene: Scene, plane: ControlPlane, hpc: SlurmCluster, bare: SshHost,
) -> Repository:
    """All manifests, applied in one way, and the controller's work done."""
    slurm, box = filled_in("01-hello", hpc), filled_in("03-bare-host", bare)
    box[1]["metadata"]["name"] = "hello-box"    # there are two of that name, and this is one namespace
    manifests = [
        *slurm, *box, *filled_in("02-stubborn", hpc), whole_cluster(own, "whole"), whole_job("whole-quick", "whole", QUICK),
        whole_job("whole-long", "whole", LONG), *set_aside("hpc", scene.namespace),
    ]
    for name, node in (("hpc", hpc), ("whole", own), ("box", bare)):
        scene.secret(f"{name}-ssh", ssh_privatekey=node.private_key)
        scene.nodes[name] = (node,)
    repository = Repository(scene, plane, request.param, manifests)
    repository.sync()
    repository.settle()
    return repository


def test_a_second_apply_changes_nothing(repository: Repository, drift: Drift, words: Words, scripts: Mapping[str, str]) -> None:
    """A tool would report a difference for ever, fight with Fairlead over it, or take off the finalizer by which nothing is left behind."""
    known: dict[str, Any] = {each.kind: crd.definition(each) for each in crd.RESOURCES}
    written = {kind: set().union(*(each["spec"] for each in repository.manifests if each["kind"] == kind)) for kind in known}
    for kind, definition in known.items():
        schema = definition["spec"]["versions"][0]["schema"]["openAPIV3Schema"]
        assert set(schema["properties"]["spec"]["properties"]) - written[kind] == set(), f"no {kind} here has these fields"
    before = repository.live()
    assert [each for each in before if each["metadata"].get("labels", {}).get(names.FINISHED_LABEL)]
    assert [each for each in before if names.FINALIZER in each["metadata"].get("finalizers", ())]
    assert repository.differences() == ""
    repository.sync()
    assert [_of_people(each) for each in repository.live()] == [_of_people(each) for each in before]
    for manifest, live in zip(repository.manifests, before, strict=True):
        [found] = drift.compare([(manifest, live)])
        assert (found.modified, found.predicted) == (False, found.live), live["metadata"]["name"]
    if repository.is_server_side:
        assert [each.modified for each in repository.compared_by_server(drift)] == [False] * len(before)
    _the_tools_call_it_what_it_is(before, words, scripts)
    _a_change_by_hand_is_seen(repository, drift, before)
    _an_end_is_an_end(repository, words)


def _of_people(body: dict[str, Any]) -> dict[str, Any]:
    """What is not status; of what the controller is done with, the version too."""
    done = names.FINISHED_LABEL in body["metadata"].get("labels", {})
    left_out = () if done else ("resourceVersion", "managedFields")
    return {"metadata": {field: value for field, value in body["metadata"].items() if field not in left_out}, "spec": body["spec"]}


def _the_tools_call_it_what_it_is(live: Sequence[dict[str, Any]], words: Words, scripts: Mapping[str, str]) -> None:
    """Else the states that the other tests make up would not be those of real objects."""
    live = [each for each in live if each["kind"] in scripts]
    pairs = zip(live, words.health(scripts, live), words.kstatus(live), strict=True)
    said = {f"{body['kind']} {body['metadata']['name']}": (argo_cd.status, flux.status) for body, argo_cd, flux in pairs}
    well, goes_on, aside = ("Healthy", "Current"), ("Progressing", "InProgress"), ("Suspended", "InProgress")
    assert said == {
        "Cluster hpc": well, "Cluster box": well, "Cluster whole": well, "Cluster aside": aside, "Job hello": well, "Job hello-box": well,
        "Job whole-quick": well, "Job whole-long": goes_on, "Job stubborn": goes_on, "Job aside": aside, "Job aside-too": aside,
        "Session aside": aside,
    }


def _a_change_by_hand_is_seen(repository: Repository, drift: Drift, before: Sequence[dict[str, Any]]) -> None:
    """Else none of the comparisons could fail."""
    if repository.is_server_side:
        repository.manifests[0]["metadata"]["labels"] = {"team": "chemistry"}
        assert [each.modified for each in repository.compared_by_server(drift)] == [True] + [False] * (len(before) - 1)
    position = next(number for number, each in enumerate(before) if each["metadata"]["name"] == "whole-long")
    repository.thing(repository.manifests[position]).change(priority=9)
    [found] = drift.compare([(repository.manifests[position], repository.live()[position])])
    assert (found.modified, found.live["spec"]["priority"], found.predicted["spec"]["priority"]) == (True, 9, 5)
    said = repository.differences()
    assert "priority: 5" in said or "Apply failed with 1 conflict" in said   # client-side a difference, server-side somebody else's field


def _an_end_is_an_end(repository: Repository, words: Words) -> None:
    """Else a step of Flux that was done would wait for a Job whose TTL was changed, and nobody watches that any more."""
    position = next(number for number, each in enumerate(repository.manifests) if each["metadata"]["name"] == "hello")
    repository.thing(repository.manifests[position]).change(ttlSecondsAfterFinished=86400)
    changed = repository.live()[position]
    assert (changed["metadata"]["generation"], words.kstatus([changed])[0].status) == (2, "Current")
