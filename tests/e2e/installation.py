"""One release of the chart, in a namespace that enforces the restricted standard."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any
from uuid import uuid4

from e2e.place import Place, run_helm
from fairlead.api.v1alpha1 import names
from product.settings import SETTINGS
from product.waiting import until

CHART = Path(__file__).parents[2] / "charts" / "fairlead"
CONTROLLERS = "app.kubernetes.io/name=fairlead,app.kubernetes.io/component=controller"
GRACES = {part: graces for part, graces in SETTINGS.items() if part != "lease"}
"""As everywhere in the tests, so that what is left after a deletion shows soon; but another leads as late as in production."""
STAYS = (f"configmap/{names.INSTALLATION_CONFIG_MAP}", f"secret/{names.INSTALLATION_SECRET}")
"""By these a later installation knows what is its own on the clusters; the definitions stay too (docs/install.md, Uninstall)."""
WAIT = ("--wait", "--timeout=150s")
DEFINITIONS = ("clusters.fairlead.dev", "jobs.fairlead.dev", "sessions.fairlead.dev")
ENFORCED = "pod-security.kubernetes.io/enforce=restricted"


@dataclass(frozen=True, slots=True)
class Release:
    """What can be installed: a chart, the image that its pods run, and settings."""

    chart: Path
    image: str
    settings: Mapping[str, Any] = field(default_factory=lambda: GRACES)


@dataclass
class Installation:
    """A release of the chart, by its name, in a namespace of its own."""

    place: Place
    namespace: str
    current: Release
    release: str = "fairlead"

    @classmethod
    def named(cls, place: Place, release: Release | None = None) -> "Installation":
        """One in a namespace that there is not yet; of this checkout if nothing else is said."""
        return cls(place, f"fairlead-{uuid4().hex[:6]}", release or Release(CHART, place.image))

    def install(self) -> None:
        """Makes the namespace and installs the chart with the image at this place; returns when all replicas are ready."""
        self.place.kubectl("create", "namespace", self.namespace)
        self.place.kubectl("label", "namespace", self.namespace, ENFORCED)
        settings = f"--set-json=settings={json.dumps(self.current.settings)}"
        self._helm("install", self.release, str(self.current.chart), *WAIT, settings, *self._image())

    def upgrade(self, *settings: str, to: Release | None = None, wait: bool = True) -> None:
        """Upgrades, or changes some values; with `wait` it returns when the new replicas are ready."""
        self.current = to or self.current
        changed = (f"--set={each}" for each in settings)
        self._helm("upgrade", self.release, str(self.current.chart), "--reset-then-reuse-values", *(WAIT if wait else ()), *changed,
                   *self._image())

    def _image(self) -> list[str]:
        repository, _, tag = self.current.image.rpartition(":")
        return [f"--set=image.repository={repository}", f"--set-string=image.tag={tag}"]

    def test(self) -> str:
        """What `helm test` says."""
        return self._helm("test", self.release, WAIT[1])

    def refused(self) -> str:
        """What an uninstall says that does not come about."""
        done = run_helm(self.place, f"--namespace={self.namespace}", "uninstall", self.release, *WAIT, check=False)
        assert done.returncode != 0, "it was uninstalled"
        return f"{done.stdout}{done.stderr}"

    def put_back(self) -> None:
        """After an uninstall that was refused: Helm upgrades nothing of a release in that state (docs/install.md, Uninstall)."""
        [last] = json.loads(self._helm("history", self.release, "--max=1", "--output=json"))
        self._helm("rollback", self.release, str(last["revision"]), *WAIT)

    def uninstall(self) -> None:
        """Uninstalls, and waits until the last pod has gone."""
        self._helm("uninstall", self.release, *WAIT)
        gone = ("get", "pods", "--selector=app.kubernetes.io/name=fairlead", "--output=name")
        until(lambda: self._kubectl(*gone) == "", "the end of all its pods", 40)

    def remove_definitions(self) -> None:
        """Removes what an uninstall leaves on purpose, and with it all objects of these kinds."""
        self.place.kubectl("delete", "customresourcedefinitions", "--ignore-not-found", *DEFINITIONS)

    def pods(self) -> list[dict[str, Any]]:
        """The controllers' pods that are not on their way out."""
        found = json.loads(self._kubectl("get", "pods", f"--selector={CONTROLLERS}", "--output=json"))
        return [pod for pod in found["items"] if "deletionTimestamp" not in pod["metadata"]]

    def names(self) -> list[str]:
        """The names of these pods, ready or not."""
        return [pod["metadata"]["name"] for pod in self.pods()]

    def ready(self) -> list[str]:
        """The names of those that are ready."""
        return sorted(pod["metadata"]["name"] for pod in self.pods() if _condition(pod, "Ready").get("status") == "True")

    def leader(self) -> str:
        """The name of the pod that leads; empty while none does."""
        return self.holder().partition("_")[0]

    def holder(self) -> str:
        """Who leads: the name of its pod, and what tells its process from others; empty while none does."""
        lease = json.loads(self._kubectl("get", "lease", names.LEASE_NAME, "--output=json"))
        return str(lease["spec"].get("holderIdentity") or "")

    def replica_sets(self) -> dict[str, int]:
        """How many replicas of each generation of pods are ready, by its name; those that have none are left out."""
        found = json.loads(self._kubectl("get", "replicasets", f"--selector={CONTROLLERS}", "--output=json"))["items"]
        ready = {each["metadata"]["name"]: int(each["status"].get("readyReplicas", 0)) for each in found}
        return {name: count for name, count in ready.items() if count}

    def hold(self, seconds: int) -> None:
        """Has the next upgrade wait so long after each new pod before an old one goes; with 0, one that waits goes on."""
        self._kubectl("patch", "deployment", f"{self.release}-controller", "--patch", json.dumps({"spec": {"minReadySeconds": seconds}}))

    def rolled_out(self) -> None:
        """Waits until an upgrade has come to its end."""
        self._kubectl("rollout", "status", f"deployment/{self.release}-controller", "--timeout=90s")

    def end(self, *pods: str) -> None:
        """Deletes pods, as a person does."""
        self._kubectl("delete", "pods", *pods, "--wait=false")

    def restarts(self, pod: str) -> int:
        """How often the controller of a pod was started anew in it."""
        [status] = json.loads(self._kubectl("get", "pod", pod, "--output=json"))["status"]["containerStatuses"]
        return int(status["restartCount"])

    def evict(self, pod: str) -> str:
        """Asks for a pod's eviction, as a drain does; what the API server says against it, empty if nothing."""
        eviction = {"apiVersion": "policy/v1", "kind": "Eviction", "metadata": {"name": pod, "namespace": self.namespace}}
        path = f"/api/v1/namespaces/{self.namespace}/pods/{pod}/eviction"
        return self.place.kubectl("create", "--raw", path, "--filename=-", input=json.dumps(eviction), check=False).stderr

    def kill(self, pod: str) -> None:
        """Deletes a pod by force: it is gone for Kubernetes at once, and its processes have a second or two."""
        self._kubectl("delete", "pod", pod, "--grace-period=0", "--force")

    def logs(self) -> str:
        """What the controllers said last."""
        return self._kubectl("logs", f"--selector={CONTROLLERS}", "--prefix", "--tail=40")

    def seconds_to_ready(self) -> dict[str, float]:
        """How long each controller's pod took from its container's start until it was ready; Kubernetes tells whole seconds."""
        found: dict[str, float] = {}
        for pod in self.pods():
            [state] = [each["state"] for each in pod["status"].get("containerStatuses", [])]
            if "running" in state and (ready := _condition(pod, "Ready")).get("status") == "True":
                began, since = (datetime.fromisoformat(each) for each in (state["running"]["startedAt"], ready["lastTransitionTime"]))
                found[pod["metadata"]["name"]] = (since - began).total_seconds()
        return found

    def resident_bytes(self) -> dict[str, int]:
        """The memory that each controller's container holds, as the kubelet measures it."""
        pods = {pod["metadata"]["name"]: pod["spec"]["nodeName"] for pod in self.pods()}
        found: dict[str, int] = {}
        for node in {*pods.values()}:
            summary = json.loads(self.place.kubectl("get", "--raw", f"/api/v1/nodes/{node}/proxy/stats/summary").stdout)
            measured = {pod["podRef"]["name"]: pod.get("containers", []) for pod in summary["pods"]}
            for name in pods.keys() & measured.keys():
                held = [each["memory"]["rssBytes"] for each in measured[name] if "rssBytes" in each.get("memory", {})]
                found |= {name: sum(held)} if held else {}
        return found

    def left(self) -> list[str]:
        """What is left of the release: objects in its namespace, and cluster-wide ones. What is said to stay is not told."""
        kinds = "deployments,pods,services,configmaps,secrets,networkpolicies,poddisruptionbudgets,serviceaccounts,roles,rolebindings"
        inside = self._kubectl("get", kinds, "--selector=app.kubernetes.io/name=fairlead", "--output=name").split()
        wide = self.place.kubectl("get", "clusterroles,clusterrolebindings", "--selector=app.kubernetes.io/name=fairlead", "--output=name")
        return [each for each in (*inside, *wide.stdout.split()) if each not in STAYS]

    def _kubectl(self, *args: str) -> str:
        return self.place.kubectl(f"--namespace={self.namespace}", *args).stdout

    def _helm(self, *args: str) -> str:
        return run_helm(self.place, f"--namespace={self.namespace}", *args).stdout


def _condition(pod: dict[str, Any], kind: str) -> dict[str, Any]:
    conditions = pod["status"].get("conditions", [])
    return next((each for each in conditions if each["type"] == kind), {})
