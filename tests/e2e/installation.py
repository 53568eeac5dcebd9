"""One release of the chart, in a namespace that enforces the restricted standard."""

import json
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

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
ENFORCED = "pod-security.kubernetes.io/enforce=restricted"


@dataclass
class Installation:
    """A release, by its name, in a namespace of its own."""

    place: Place
    namespace: str
    release: str = "fairlead"

    def install(self) -> None:
        """Makes the namespace and installs the chart with the image at this place; returns when all replicas are ready."""
        self.place.kubectl("create", "namespace", self.namespace)
        self.place.kubectl("label", "namespace", self.namespace, ENFORCED)
        repository, _, tag = self.place.image.rpartition(":")
        self._helm("install", self.release, str(CHART), "--wait", "--timeout=90s", f"--set-json=settings={json.dumps(GRACES)}",
                   f"--set=image.repository={repository}", f"--set-string=image.tag={tag}")

    def upgrade(self, *settings: str) -> None:
        """Upgrades with some values changed; returns when the new replicas are ready."""
        changed = (f"--set={each}" for each in settings)
        self._helm("upgrade", self.release, str(CHART), "--reuse-values", "--wait", "--timeout=90s", *changed)

    def test(self) -> str:
        """What `helm test` says."""
        return self._helm("test", self.release, "--timeout=90s")

    def refused(self) -> str:
        """What an uninstall says that does not come about."""
        done = run_helm(self.place, f"--namespace={self.namespace}", "uninstall", self.release, "--wait", "--timeout=90s", check=False)
        assert done.returncode != 0, "it was uninstalled"
        return f"{done.stdout}{done.stderr}"

    def uninstall(self) -> None:
        """Uninstalls, and waits until the last pod has gone."""
        self._helm("uninstall", self.release, "--wait", "--timeout=90s")
        gone = ("get", "pods", "--selector=app.kubernetes.io/name=fairlead", "--output=name")
        until(lambda: self._kubectl(*gone) == "", "the end of all its pods", 40)

    def pods(self) -> list[dict[str, Any]]:
        """The controllers' pods that are not on their way out."""
        found = json.loads(self._kubectl("get", "pods", f"--selector={CONTROLLERS}", "--output=json"))
        return [pod for pod in found["items"] if "deletionTimestamp" not in pod["metadata"]]

    def ready(self) -> list[str]:
        """The names of those that are ready."""
        return sorted(pod["metadata"]["name"] for pod in self.pods() if _condition(pod, "Ready").get("status") == "True")

    def leader(self) -> str:
        """The name of the pod that leads; empty while none does."""
        lease = json.loads(self._kubectl("get", "lease", names.LEASE_NAME, "--output=json"))
        return str(lease["spec"].get("holderIdentity") or "").partition("_")[0]

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
