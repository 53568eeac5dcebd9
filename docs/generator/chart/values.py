"""The chart's values, as models: `values.yaml`, `values.schema.json` and the tables of the documentation are made from them.

The order here is the order there. A docstring is what a person reads beside the value.
"""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field
from pydantic.alias_generators import to_camel

from fairlead.api.v1alpha1 import names
from fairlead.app.settings import Settings

Port = Annotated[int, Field(ge=1, le=65535)]
SessionPort = Annotated[int, Field(ge=1024, le=65535)]
"""One that a process may listen on without being root."""
Namespace = Annotated[str, Field(pattern=r"^[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?$")]
Duration = Annotated[str, Field(pattern=r"^([0-9]+(ms|s|m|h))+$")]
Map = dict[str, str]
Free = dict[str, Any]
"""A piece of a Kubernetes object, which the API server checks."""
SPREAD: list[Free] = [
    {"maxSkew": 1, "topologyKey": "kubernetes.io/hostname", "whenUnsatisfiable": "ScheduleAnyway"},
    {"maxSkew": 1, "topologyKey": "topology.kubernetes.io/zone", "whenUnsatisfiable": "ScheduleAnyway"},
]
"""Over nodes and zones, as far as there are some."""


class Section(BaseModel):
    """Values that belong together."""

    model_config = ConfigDict(frozen=True, extra="forbid", alias_generator=to_camel, use_attribute_docstrings=True)


class Image(Section):
    """The image."""

    repository: str = Field(default="ghcr.io/fairlead-dev/fairlead", min_length=1)
    """Where it is pulled from, without a tag."""
    tag: str = ""
    """Its tag. Empty: the chart's `appVersion`."""
    digest: str = Field(default="", pattern=r"^(sha256:[0-9a-f]{64})?$")
    """Its digest, as in `sha256:...`, which goes before the tag: what runs cannot change behind it."""
    pull_policy: Literal["IfNotPresent", "Always", "Never"] = "IfNotPresent"
    """When the node pulls it."""
    pull_secrets: list[str] = []
    """Names of Secrets of the release's namespace with which it is pulled."""


class Log(Section):
    """The log."""

    level: Literal["debug", "info", "warning", "error"] = "info"
    """Lines from this level on are written."""
    format: Literal["json", "console"] = "json"
    """How lines look: one JSON object each, or text for a person."""


class ServiceAccount(Section):
    """The controller's account."""

    create: bool = True
    """Make it. Without: `name` must be there."""
    name: str = ""
    """Its name. Empty: the release's name with `-controller`."""
    annotations: Map = {}
    """Annotations on it."""


class Rbac(Section):
    """The rights of the controller and of the gateways."""

    create: bool = True
    """Make roles and bindings, from the table of rights in the code. Without: somebody else has to grant them."""
    secret_names: list[str] = []
    """Names of the only Secrets that the controller and the gateways may read, in each namespace: those that Clusters and namespaces name
    as their login, and those that Sessions name for their tokens. The controller then makes none itself. Empty: any."""


class Ports(Section):
    """The ports of each gateway."""

    first: SessionPort = names.GATEWAY_PORTS[0]
    """The first."""
    last: SessionPort = names.GATEWAY_PORTS[1]
    """The last. Each Session that runs has one; one that is free again rests for a minute."""


class Crds(Section):
    """The resource definitions."""

    enabled: bool = True
    """Install and upgrade them with the chart. An uninstall leaves them, and so every Cluster, Job and Session, as does a later `false`
    here."""


class Budget(Section):
    """The PodDisruptionBudget."""

    enabled: bool = True
    """Let a drain take one replica at a time."""


class GatewayAccount(Section):
    """The gateways' account."""

    create: bool = True
    """Make it. Without: `name` must be there."""
    name: str = ""
    """Its name. Empty: the release's name with `-gateway`."""
    annotations: Map = {}
    """Annotations on it."""


class Gateway(Section):
    """The gateways, through which Sessions are reached."""

    enabled: bool = True
    """Run them. Without, a Session's process runs, and nobody reaches it by its Service."""
    replicas: Annotated[int, Field(ge=1, le=10)] = 2
    """Gateways. Each Session is held by one of them; when that one stops, another takes it within seconds, and its clients connect anew."""
    ports: Ports = Ports()
    """The ports on which Sessions are reached, in each gateway's pod."""
    resources: Free = {"requests": {"cpu": "100m", "memory": "128Mi"}, "limits": {"memory": "512Mi"}}
    """What a gateway asks for and may use."""
    priority_class_name: str = ""
    """PriorityClass of the gateways' pods. A gateway that is evicted cuts off the clients of its Sessions."""
    pod_labels: Map = {}
    """Further labels on the gateways' pods."""
    pod_annotations: Map = {}
    """Further annotations on the gateways' pods."""
    extra_env: list[Free] = []
    """Further variables of the gateways' environment, as in a container's `env`."""
    affinity: Free = {}
    """Further rules of placement for the gateways' pods."""
    topology_spread_constraints: list[Free] = SPREAD
    """How the gateways' pods are spread; the chart adds the selector of these pods."""
    termination_grace_period_seconds: int = Field(default=30, ge=25, le=3600)
    """What Kubernetes gives a gateway to hand its Sessions over and end its streams, which takes it 25 seconds at most."""
    pod_disruption_budget: Budget = Budget()
    """What a drain may take of the gateways."""
    service_account: GatewayAccount = GatewayAccount()
    """The gateways' ServiceAccount."""


class NetworkPolicy(Section):
    """Who the controller and the gateways may speak to, and who to them, where the network plugin enforces it."""

    enabled: bool = True
    """Restrict them to DNS, the API server and SSH, and let nobody in but those below. The kubelet's probes always come through."""
    ssh_ports: list[Port] = Field(default=[22], min_length=1)
    """Ports of login nodes, hosts and jump hosts. A Cluster with a port that is missing here cannot be reached."""
    ssh_cidrs: list[str] = []
    """Networks of login nodes, hosts and jump hosts, as in `192.0.2.0/24`. Empty: any address."""
    api_server_ports: list[Port] = Field(default=[443, 6443], min_length=1)
    """Ports of the API server: of its Service, and of the machine behind it, which is what many plugins look at."""
    api_server_cidrs: list[str] = []
    """Networks of the API server. Empty: any address."""
    dns_port: Port = 53
    """Port of the cluster's DNS, by UDP and TCP."""
    metrics_from: list[Free] = []
    """Who may read the metrics: entries of a NetworkPolicy's `from`. Empty: nobody."""
    sessions_from: list[Free] = [{"namespaceSelector": {}}]
    """Who may reach the ports of the gateways, and so all Sessions: entries of a NetworkPolicy's `from`. The default is every pod of the
    cluster. Empty: nobody."""
    extra_ingress: list[Free] = []
    """Further entries of the NetworkPolicy's `ingress`, such as to a container of `extraContainers`."""
    extra_egress: list[Free] = []
    """Further entries of the NetworkPolicy's `egress`, such as to a collector of traces."""


class Service(Section):
    """The Service of the metrics."""

    enabled: bool = True
    """Make one for controllers and one for gateways, without an address of its own, for scrapers that look for Services."""
    annotations: Map = {}
    """Annotations on it."""


class PodMonitor(Section):
    """For Prometheus Operator."""

    enabled: bool = False
    """Make a PodMonitor for controllers and one for gateways. Needs Prometheus Operator's resource definitions."""
    interval: Duration = "30s"
    """Between two scrapes."""
    labels: Map = {}
    """Labels by which your Prometheus selects it."""


class PrometheusRule(Section):
    """For Prometheus Operator."""

    enabled: bool = False
    """Make a PrometheusRule of the alerts in `files/alerts.yaml`. Needs Prometheus Operator's resource definitions."""
    labels: Map = {}
    """Labels by which your Prometheus selects it."""


class Dashboard(Section):
    """For Grafana."""

    enabled: bool = False
    """Make a ConfigMap of the dashboard in `files/dashboard.json`, for Grafana's sidecar."""
    labels: Map = {"grafana_dashboard": "1"}
    """Labels by which the sidecar selects it."""
    annotations: Map = {}
    """Annotations on it, such as the folder it is shown in."""


class Metrics(Section):
    """Who reads metrics, and how."""

    service: Service = Service()
    """A Service for the metrics."""
    pod_monitor: PodMonitor = PodMonitor()
    """A PodMonitor, for Prometheus Operator."""
    prometheus_rule: PrometheusRule = PrometheusRule()
    """The alerts, for Prometheus Operator."""
    dashboard: Dashboard = Dashboard()
    """The dashboard, for Grafana."""


class Uninstall(Section):
    """What `helm uninstall` does first, while the controller still runs."""

    policy: Literal["Refuse", "Orphan", "Cancel"] = "Refuse"
    """Of what runs: `Refuse` lists it and stops the uninstall; `Orphan` leaves it going on the cluster, with nobody to watch it until
    Fairlead is installed again; `Cancel` suspends all Jobs and waits until it has ended. `helm uninstall` takes no values: change it by
    `helm upgrade`."""
    service_account_name: str = ""
    """Account of the program that looks and does it. Empty: one of its own, made for the occasion."""
    timeout_seconds: int = Field(default=240, ge=10, le=86400)
    """It gives up after this. Give `helm uninstall --timeout` more than that; its own default is five minutes."""


class Values(Section):
    """All values of the chart."""

    name_override: str = ""
    """The chart's part of the names. Empty: `fairlead`."""
    fullname_override: str = ""
    """How names of objects begin. Empty: the release's name, with the chart's if it is not in there."""
    common_labels: Map = {}
    """Labels on every object."""
    common_annotations: Map = {}
    """Annotations on every object."""
    image: Image = Image()
    """The image that all pods run."""
    replicas: Annotated[int, Field(ge=0, le=10)] = 2
    """Controllers. One leads, by a Lease; another takes over within two seconds of its clean end, and 20 of a crash."""
    installation_name: str = Field(default="", pattern=r"^([a-z0-9]([-a-z0-9]{0,30}[a-z0-9])?)?$")
    """Name of this installation on the remote clusters, where its folder bears it: 1 to 32 of a-z, 0-9 and -. Empty: made of the cluster's
    identity and the namespace. It cannot be changed once there is one."""
    watch_namespaces: list[Namespace] = Field(default=[], json_schema_extra={"uniqueItems": True})
    """Namespaces whose Clusters, Jobs and Sessions are looked after; controller and gateways then have rights in these alone. Empty:
    all."""
    settings: Settings = Settings()
    """The settings file: graces and time-outs. See docs/reference/settings.md; a file holds only what is to differ."""
    log: Log = Log()
    """The log of the controller and of the gateways, on standard error."""
    health_port: Port = 8080
    """Port of /livez, /readyz and /metrics in each pod."""
    extra_env: list[Free] = []
    """Further variables of the controller's environment, as in a container's `env`."""
    extra_containers: list[Free] = []
    """Further containers of the controller's pods, such as a proxy before the metrics."""
    resources: Free = {"requests": {"cpu": "100m", "memory": "160Mi"}, "limits": {"memory": "512Mi"}}
    """What a controller asks for and may use. It holds about 85 MiB at rest, and 145 MiB with 100 Clusters and 1,000 Jobs."""
    priority_class_name: str = ""
    """PriorityClass of the pods."""
    pod_labels: Map = {}
    """Further labels on the controller's pods."""
    pod_annotations: Map = {}
    """Further annotations on the controller's pods."""
    node_selector: Map = {}
    """Labels of the nodes that all pods may run on."""
    tolerations: list[Free] = []
    """Taints that all pods tolerate."""
    affinity: Free = {}
    """Further rules of placement for the controller's pods."""
    topology_spread_constraints: list[Free] = SPREAD
    """How the controller's pods are spread; the chart adds the selector of these pods."""
    service_account: ServiceAccount = ServiceAccount()
    """The controller's ServiceAccount."""
    rbac: Rbac = Rbac()
    """The rights of the controller and of the gateways."""
    gateway: Gateway = Gateway()
    """The gateways, through which Sessions are reached."""
    crds: Crds = Crds()
    """The definitions of Cluster, Job and Session."""
    pod_disruption_budget: Budget = Budget()
    """What a drain may take."""
    network_policy: NetworkPolicy = NetworkPolicy()
    """Who the controller and the gateways may speak to, and who to them, where the network plugin enforces it."""
    metrics: Metrics = Metrics()
    """Who reads metrics, and how."""
    uninstall: Uninstall = Uninstall()
    """What `helm uninstall` does first, while the controller still runs."""
