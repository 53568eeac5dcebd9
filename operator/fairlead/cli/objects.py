"""What the commands read from the API server, with the rights of the person who asks, and how they say what is missing."""

from fairlead.api.v1alpha1 import names
from fairlead.app.kinds import KINDS
from fairlead.domain.cluster.access import login_of, secrets_of
from fairlead.domain.cluster.address import Address
from fairlead.domain.cluster.cluster import Cluster
from fairlead.domain.cluster.reading import read_cluster
from fairlead.domain.errors import Forbidden, UserFault
from fairlead.domain.run.watched import WatchedOwner
from fairlead.kube.client import JsonObject, KubeClient, path_of
from fairlead.kube.faults import NotFound
from fairlead.kube.references import KubeReferences


class Missing(UserFault):
    """There is no object of this name."""


async def get_owner(client: KubeClient, kind: str, namespace: str, name: str) -> WatchedOwner:
    """Read a Job, or an object of another kind of the table. Raises `Missing`, `UserFault` when it may not be read, `ApiFault`."""
    row = KINDS[kind]
    owner: WatchedOwner = row.read(await _get(client, row.name, row.plural, namespace, name))
    return owner


async def get_cluster(client: KubeClient, namespace: str, name: str) -> Cluster:
    """Read a Cluster. Raises `Missing`, `UserFault` when it may not be read, `ApiFault`."""
    return read_cluster(await _get(client, "Cluster", names.CLUSTER_PLURAL, namespace, name))


async def get_address(client: KubeClient, cluster: Cluster, without: str) -> Address:
    """Read what one logs in to a Cluster with. Raises `UserFault` when it is missing or may not be read, `ApiFault`.

    `without` goes on behind `You may not read the Secret ...: ` for who may not.
    """
    data, namespace, wanted = KubeReferences(client, KINDS), cluster.login_namespace, cluster.spec.auth_secret_ref.name
    try:
        return login_of(cluster, {each: await data.read_secret(*each) for each in secrets_of(cluster)})
    except Forbidden as error:
        raise UserFault(
            f"You may not read the Secret {namespace}/{wanted}, with which one logs in to Cluster {cluster.ref.name} (ask for the right to "
            f"get secrets in {namespace}): {without}"
        ) from error


async def _get(client: KubeClient, kind: str, plural: str, namespace: str, name: str) -> JsonObject:
    try:
        return await client.request("GET", path_of("apis", names.GROUP, names.VERSION, "namespaces", namespace, plural, name))
    except NotFound as error:
        raise Missing(f"There is no {kind} {name} in the namespace {namespace}") from error
    except Forbidden as error:
        raise UserFault(f"You may not read the {kind} {namespace}/{name}: ask for the right to get {plural}.{names.GROUP} there") from error
