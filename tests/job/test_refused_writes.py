"""Writes of ours that the API server refuses: by a site's policy, which is for good until somebody changes it."""

import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import pytest

from bed.controlplane import ControlPlane
from bed.slurm import SlurmCluster
from product.account import asked
from product.scene import Scene, Thing
from product.waiting import until

ADMISSION = "/apis/admissionregistration.k8s.io/v1"
MERGE = "application/merge-patch+json"
LOOK_SECONDS = 3.0


@dataclass
class Policies:
    """What a site forbids in the scene's namespace."""

    scene: Scene
    made: list[str] = field(default_factory=list)

    def forbid(self, rules: dict[str, Any], allowed: str, words: str) -> None:
        """Refuse, in these words, all that `rules` match for which the expression `allowed` does not hold."""
        name = f"{self.scene.namespace}-{len(self.made)}"
        self.made.append(name)
        here = {"matchLabels": {"kubernetes.io/metadata.name": self.scene.namespace}}
        for kind, spec in {
            "ValidatingAdmissionPolicy": {"validations": [{"expression": allowed, "message": words}],
                                          "matchConstraints": {"resourceRules": [{"apiVersions": ["*"], **rules}]}},
            "ValidatingAdmissionPolicyBinding": {"policyName": name, "validationActions": ["Deny"],
                                                 "matchResources": {"namespaceSelector": here}},
        }.items():
            self.scene.api.apply(_path(kind, name), {
                "apiVersion": "admissionregistration.k8s.io/v1", "kind": kind, "metadata": {"name": name}, "spec": spec})

    def await_force(self, thing: Thing, patch: dict[str, Any], subresource: str = "") -> None:
        """Until they refuse such a change; nothing is changed."""
        path = f"{thing.path}{subresource}?dryRun=All"
        until(lambda: self.scene.api.request("PATCH", path, patch, MERGE)[0] == 422, "the policy to be in force")

    def lift(self) -> None:
        """Forbid nothing any more."""
        for name in self.made:
            for kind in ("ValidatingAdmissionPolicyBinding", "ValidatingAdmissionPolicy"):
                self.scene.api.delete(_path(kind, name))
        self.made.clear()


def _path(kind: str, name: str) -> str:
    plural = kind.lower() + "s" if kind.endswith("Binding") else kind.lower().removesuffix("y") + "ies"
    return f"{ADMISSION}/{plural}/{name}"


@pytest.fixture
def policies(scene: Scene) -> Iterator[Policies]:
    """Those of the test's namespace, lifted at its end."""
    policies = Policies(scene)
    yield policies
    policies.lift()


def answers(plane: ControlPlane, job: Thing) -> list[int]:
    """What was answered to each write of the controller's about a Job, its status included."""
    return [each["responseStatus"]["code"] for each in asked(plane)
            if each["verb"] == "patch" and each["objectRef"].get("namespace") == job.scene.namespace
            and each["objectRef"].get("name") == job.name]


def goes_on(job: Thing) -> bool:
    """Whether it was submitted. A change of its spec has it tried at once."""
    job.change(priority=int(time.monotonic()))
    return job.condition("Submitted").get("status") == "True"


def test_a_policy_against_finalizers_is_told_and_not_run_against(
        hpc: SlurmCluster, scene: Scene, policies: Policies, plane: ControlPlane) -> None:
    """Else ten Jobs would cost the API server 22 refused writes a second, and nobody would read why they do not begin."""
    scene.cluster(hpc)
    probe = scene.job("probe", cluster="none")
    words = "site policy P-12: no finalizers on tenant objects"
    rules = {"apiGroups": ["fairlead.dev"], "operations": ["UPDATE"], "resources": ["jobs"]}
    policies.forbid(rules, "!has(object.metadata.finalizers)", words)
    policies.await_force(probe, {"metadata": {"finalizers": ["example.org/probe"]}})
    job = scene.job()
    job.wait("Ready", "False", reason="WriteRefused", says=words)
    time.sleep(LOOK_SECONDS)
    assert answers(plane, job).count(422) <= 2, "each pause is longer than the one before"
    policies.lift()
    until(lambda: goes_on(job), "the Job to go on", step_seconds=1)
    job.wait("Complete")


def test_a_policy_against_our_words_is_told_by_an_event(
        hpc: SlurmCluster, scene: Scene, policies: Policies, plane: ControlPlane) -> None:
    """Else such a Job would say nothing at all. Where Events are refused, a Job goes its way all the same."""
    scene.cluster(hpc)
    probe = scene.job("mute-probe", cluster="none")
    words = "site policy P-13: no such words"
    events = {"apiGroups": ["events.k8s.io"], "operations": ["CREATE"], "resources": ["events"]}
    policies.forbid(events, "object.regarding.name != 'quiet'", "site policy P-14: silence")
    statuses = {"apiGroups": ["fairlead.dev"], "operations": ["UPDATE"], "resources": ["jobs/status"]}
    policies.forbid(statuses, "!object.metadata.name.startsWith('mute')", words)
    policies.await_force(probe, {"status": {"phase": "Failed"}}, "/status")
    mute, quiet = scene.job("mute"), scene.job("quiet")
    quiet.wait("Complete")
    assert not quiet.events()
    until(lambda: [each for each in mute.events() if each["reason"] == "WriteRefused" and words in each["message"]], "an Event")
    time.sleep(LOOK_SECONDS)
    assert answers(plane, mute).count(422) <= 6, "the status, and what it was to say of that"
    policies.lift()
    until(lambda: goes_on(mute), "the Job to go on", step_seconds=1)
    mute.wait("Complete")
