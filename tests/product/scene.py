"""One test's world: a namespace, Clusters in it that stand for real ones, and Jobs. `close()` proves that nothing is left."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any
from uuid import uuid4

from bed.login import LoginNode
from product.api import GROUP, Api
from product.ownerkind import JOB, SESSION, OwnerKind
from product.remains import remains_on
from product.waiting import until

ANOTHERS_FINALIZER = "example.com/theirs"
COLLECTED_SECONDS = 90
"""For Kubernetes to take down what a deleted object owned: its garbage collector looks for new kinds each 30 s, and lists those first."""
POLLING = {"intervalSeconds": 0.3, "maxIntervalSeconds": 1, "timeoutSeconds": 10}


@dataclass
class Thing:
    """One object of ours, by name; `status` and the like ask the API server."""

    scene: "Scene"
    plural: str
    name: str

    @property
    def path(self) -> str:
        """Its API path."""
        return f"{GROUP}/namespaces/{self.scene.namespace}/{self.plural}/{self.name}"

    def read(self, *, cached: bool = False) -> dict[str, Any] | None:
        """The whole object, None if it is gone."""
        return self.scene.api.get(self.path, cached=cached)

    @property
    def status(self) -> dict[str, Any]:
        """Its status, empty if there is none."""
        return (self.read() or {}).get("status") or {}

    @property
    def run_id(self) -> str:
        """The scheduler's id of its attempt, once the status has it: a script may begin before."""
        return until(lambda: str(self.status.get("run", {}).get("id", "")), f"the id of {self.plural} {self.name}")

    @property
    def uid(self) -> str:
        """Its uid."""
        found = self.read()
        assert found is not None, f"{self.path} is gone"
        return str(found["metadata"]["uid"])

    def change(self, **spec: Any) -> None:
        """Change fields of its spec, as a person does with kubectl patch."""
        self.scene.api.merge(self.path, {"spec": spec})

    def condition(self, kind: str, *, cached: bool = False) -> dict[str, Any]:
        """One condition, by a Job's word for it; empty if it was never set."""
        kind = self.scene.kind.word(kind)
        conditions = ((self.read(cached=cached) or {}).get("status") or {}).get("conditions", [])
        return next((each for each in conditions if each["type"] == kind), {})

    def wait(self, kind: str, status: str = "True", *, reason: str | None = None, says: str = "",
             seconds: float = 30.0) -> dict[str, Any]:
        """Wait for a condition (its reason, and words of its message); the condition."""
        def seen() -> dict[str, Any] | None:
            found = self.condition(kind, cached=True)
            return found if found.get("status") == status and reason in {None, found.get("reason")} and says in found["message"] else None

        try:
            return until(seen, f"{self.plural} {self.name}: condition {kind}={status} {reason or ''}", seconds)
        except AssertionError as error:
            raise AssertionError(f"{error}\nstatus: {self.status}") from None

    def wait_ended(self, seconds: float = 60.0) -> dict[str, Any]:
        """Wait until the Job is Complete or Failed; the whole status."""
        def ended() -> bool:
            return any(self.condition(kind, cached=True).get("status") == "True" for kind in ("Complete", "Failed"))

        until(ended, f"the end of Job {self.name}", seconds)
        return self.status

    def delete(self, *, wait: bool = True, seconds: float = 40.0) -> None:
        """Ask for deletion; with `wait`, until it is gone."""
        self.scene.api.delete(self.path)
        if wait:
            self.wait_gone(seconds)

    def hold_first(self, *, on: bool = True) -> None:
        """Put another's finalizer in front of the others, as other operators do; or take it off again."""
        theirs = [each for each in (self.read() or {})["metadata"].get("finalizers", ()) if each != ANOTHERS_FINALIZER]
        self.scene.api.merge(self.path, {"metadata": {"finalizers": [*([ANOTHERS_FINALIZER] if on else []), *theirs]}})

    def delete_beside_another(self) -> None:
        """Ask for deletion while another's finalizer stands in front of ours; until ours is off, and the object gone."""
        self.hold_first()
        self.delete(wait=False)
        until(lambda: (self.read() or {})["metadata"]["finalizers"] == [ANOTHERS_FINALIZER], f"{self.plural} {self.name} to be let go")
        self.hold_first(on=False)
        self.wait_gone()

    def wait_gone(self, seconds: float = 40.0) -> None:
        """Until the object is gone."""
        try:
            until(lambda: self.read(cached=True) is None and self.read() is None, f"{self.plural} {self.name} to be gone", seconds)
        except AssertionError as error:
            raise AssertionError(f"{error}\nobject: {self.read()}") from None

    def events(self) -> list[dict[str, Any]]:
        """The Events about this object, oldest first."""
        found = self.scene.api.get(f"/api/v1/namespaces/{self.scene.namespace}/events") or {"items": []}
        about = [each for each in found["items"] if each["involvedObject"]["name"] == self.name]
        return sorted(about, key=lambda each: each.get("eventTime") or each["metadata"]["creationTimestamp"])

    def wait_event(self, reason: str, *, says: str = "") -> dict[str, Any]:
        """The only Event of this reason (and of these words). It is written behind the status that it tells of, so wait for it."""
        def told() -> list[dict[str, Any]]:
            return [event for event in self.events() if event["reason"] == reason and says in (event.get("message") or "")]

        until(told, f"{self.plural} {self.name}: the Event {reason} {says}")
        [event] = told()
        return event


@dataclass
class Scene:
    """A namespace of its own, and the clusters that were used from it."""

    api: Api
    namespace: str = field(default_factory=lambda: f"t-{uuid4().hex[:8]}")
    kind: OwnerKind = JOB            # whose Runs it is about
    nodes: dict[str, tuple[LoginNode, ...]] = field(default_factory=dict)
    has_sessions: bool = False       # whatever its kind

    def open(self) -> "Scene":
        """Make the namespace."""
        status, answer = self.api.request("POST", "/api/v1/namespaces", {"metadata": {"name": self.namespace}})
        assert status == 201, answer
        return self

    def secret(self, name: str, **data: str) -> None:
        """A Secret; underscores in names stand for dashes (ssh_privatekey)."""
        content = {key.replace("_", "-"): value for key, value in data.items()}
        self.api.apply(f"/api/v1/namespaces/{self.namespace}/secrets/{name}",
                       {"apiVersion": "v1", "kind": "Secret", "metadata": {"name": name}, "stringData": content})

    def config_map(self, name: str, data: dict[str, str]) -> None:
        """A ConfigMap."""
        self.api.apply(f"/api/v1/namespaces/{self.namespace}/configmaps/{name}",
                       {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": name}, "data": data})

    def cluster(self, node: LoginNode, name: str = "hpc", *, ready: bool = True, key: bool = True, **spec: Any) -> Thing:
        """A Cluster for a real login node, with its Secret; `spec` is laid over what works."""
        if key:
            self.secret(f"{name}-key", ssh_privatekey=node.private_key)
        whole = {
            "type": "Slurm", "endpoints": [{"host": node.host, "port": node.port}], "user": node.user,
            "authSecretRef": {"name": f"{name}-key"}, "hostKeys": {"knownHosts": node.known_hosts},
            "polling": POLLING, "connection": {"connectTimeoutSeconds": 3}, **spec,
        }
        if "process" in spec:
            whole["type"] = "Process"
            del whole["endpoints"]
        self.nodes[name] = (node,)
        made = Thing(self, "clusters", name)
        self.api.apply(made.path, {"apiVersion": "fairlead.dev/v1alpha1", "kind": "Cluster", "metadata": {"name": name}, "spec": whole})
        if ready:
            made.wait("Ready")
        return made

    def bare_host(self, node: LoginNode, name: str = "hpc", *, slots: int = 2, gpus: int = 0, **spec: Any) -> Thing:
        """A Cluster for a host without a scheduler."""
        host = {"host": node.host, "port": node.port, "slots": slots, "gpus": gpus}
        return self.cluster(node, name, process={"hosts": [host]}, **spec)

    def bare_hosts(
        self, *nodes: LoginNode, name: str = "hpc", slots: int = 1, gpus: Sequence[int] = (), ready: int = 0, **spec: Any,
    ) -> Thing:
        """A Cluster of several hosts, with as many slots each and `gpus` of their own, once all of them (or `ready` many) can be used."""
        first = nodes[0]
        key = (first.folder / "ssh/authorized_keys").read_text()
        for node in nodes[1:]:
            keys = node.folder / "ssh/authorized_keys"
            keys.write_text(keys.read_text() + key)
        counts = [*gpus, *[0] * (len(nodes) - len(gpus))]
        hosts = [{"host": node.host, "port": node.port, "slots": slots, "gpus": count, "hostKeys": {"knownHosts": node.known_hosts}}
                 for node, count in zip(nodes, counts, strict=True)]
        made = self.cluster(first, name, process={"hosts": hosts}, **spec)
        self.nodes[name] = nodes
        until(lambda: self.ready_hosts(made) == (ready or len(nodes)), f"the hosts of {name} to be ready")
        return made

    def ready_hosts(self, cluster: Thing) -> int:
        """How many hosts of a Cluster are ready."""
        told = [each["conditions"] for each in cluster.status.get("hosts", [])]
        return sum(1 for conditions in told for each in conditions if (each["type"], each["status"]) == ("Ready", "True"))

    def job(self, name: str = "job", script: str | None = None, *, cluster: str = "hpc", **spec: Any) -> Thing:
        """A Job, or another owner of the scene's kind; without a script or command it is `true`."""
        what: dict[str, Any] = {} if {"command", "scriptRef"} & spec.keys() else {"command": ["true"]}
        if script is not None:
            what = {"script": script}
        made = Thing(self, self.kind.plural, name)
        whole = self.kind.spec({"clusterRef": {"name": cluster}, **what, **spec})
        manifest = {"apiVersion": "fairlead.dev/v1alpha1", "kind": self.kind.name, "metadata": {"name": name}, "spec": whole}
        self.api.apply(made.path, manifest)
        return made

    def session(self, name: str, *command: str, cluster: str = "hpc", **spec: Any) -> Thing:
        """A Session that runs a command."""
        made, self.has_sessions = Thing(self, SESSION.plural, name), True
        whole = SESSION.spec({"clusterRef": {"name": cluster}, "command": command, **spec})
        self.api.apply(made.path, {"apiVersion": "fairlead.dev/v1alpha1", "kind": SESSION.name, "metadata": {"name": name}, "spec": whole})
        return made

    def jobs(self) -> list[dict[str, Any]]:
        """All Jobs of the namespace."""
        return list((self.api.get(f"{GROUP}/namespaces/{self.namespace}/jobs") or {"items": []})["items"])

    def close(self, seconds: float = 40.0) -> None:
        """Delete everything; so soon no object, Slurm job, process, connection or file may be left (tombstones and users' files apart)."""
        self._clear(self.kind.plural)
        if self.has_sessions or self.kind == SESSION:
            self._clear(SESSION.plural)
            self._services_go()
        for name, nodes in self.nodes.items():
            if self.api.get(Thing(self, "clusters", name).path) is not None:
                for node in nodes:
                    self._proved(name, node, seconds, connected=True)
        self._clear("clusters")
        for name, nodes in self.nodes.items():
            for node in nodes:
                self._proved(name, node, seconds, connected=False)
        if self.api.lasts:           # to take a namespace away costs a control plane a third of what a scene does
            self.api.delete(f"/api/v1/namespaces/{self.namespace}")

    def _clear(self, plural: str) -> None:
        path = f"{GROUP}/namespaces/{self.namespace}/{plural}"

        def names() -> list[str]:
            return [each["metadata"]["name"] for each in (self.api.get(path) or {"items": []})["items"]]

        for name in names():
            self.api.delete(f"{path}/{name}")
        until(lambda: not names(), f"{plural} of {self.namespace} to be gone: people would see them stuck in Terminating", 60)

    def _services_go(self) -> None:
        path = f"/api/v1/namespaces/{self.namespace}/services?labelSelector=app.kubernetes.io/managed-by=fairlead"
        until(lambda: not (self.api.get(path) or {"items": []})["items"], "the Services of Sessions to go with them", COLLECTED_SECONDS)

    def _proved(self, name: str, node: LoginNode, seconds: float, *, connected: bool) -> None:
        try:
            until(lambda: not remains_on(node, connected=connected), f"nothing to be left on {name} after deletion", seconds)
        except AssertionError as error:
            raise AssertionError(f"{error}\nleft: {remains_on(node, connected=connected)}") from None
