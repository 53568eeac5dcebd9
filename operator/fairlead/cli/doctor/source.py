"""Which hosts are looked at, and with what one logs in there: a Cluster of the API server, one in a file, or what the options say."""

import base64
import binascii
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import yaml

from fairlead.api.v1alpha1 import names
from fairlead.api.v1alpha1.cluster import ClusterSpec
from fairlead.api.v1alpha1.ssh import USER_PATTERN
from fairlead.cli.access import KubeAccess
from fairlead.cli.doctor.way import Target
from fairlead.cli.objects import get_address, get_cluster
from fairlead.cli.reach import Means, credentials_of, endpoint_of, host_keys_of, jump_hosts, read_file
from fairlead.domain.cluster.access import login_of, secrets_of
from fairlead.domain.cluster.address import Address, Endpoint
from fairlead.domain.cluster.cluster import Cluster
from fairlead.domain.cluster.reading import read_cluster
from fairlead.domain.cluster.sites import seen_by
from fairlead.domain.errors import Unreadable, UserFault
from fairlead.domain.run.run import Tree

_WITHOUT_KEY = "nobody can log in without it"


@dataclass(frozen=True, slots=True)
class DoctorOptions:
    """A host that no Cluster names yet."""

    host: str
    user: str
    kind: str = "Slurm"
    jumps: tuple[str, ...] = ()
    spec: Mapping[str, Any] | None = None    # what else of a Cluster's spec is said


async def of_cluster(name: str, namespace: str | None, way: KubeAccess) -> Sequence[Target]:
    """The hosts of a Cluster, `NAMESPACE/NAME` or a name in the context's namespace. Raises `UserFault`, `ApiFault`."""
    async with way.client() as client:
        place, slash, last = name.rpartition("/")
        whole = await get_cluster(client, place if slash else namespace or client.namespace, last)
        found: list[Target] = []
        for site in _sites(whole):
            try:
                address: Address | None = await get_address(client, site, _WITHOUT_KEY)
                lacks = ""
            except (Unreadable, UserFault) as fault:
                address, lacks = None, str(fault)
            found += _targets(site, address, lacks)
        return found


def of_options(options: DoctorOptions, means: Means) -> Sequence[Target]:
    """The host that is named. Raises `UserFault`."""
    endpoint = endpoint_of(options.host)
    if not re.fullmatch(USER_PATTERN, options.user):
        raise UserFault(f"{options.user!r} is no login name")
    place = {"host": endpoint.host, "port": endpoint.port}
    where = {"endpoints": [place]} if options.kind == "Slurm" else {"process": {"hosts": [{**place, "slots": 1}]}}
    spec = ClusterSpec.model_validate({
        "type": options.kind, **where, "user": options.user, "authSecretRef": {"name": "none"},
        "connection": {"connectTimeoutSeconds": means.seconds}, **(options.spec or {}),
    })
    address = Address(endpoint.host, endpoint.port, options.user, credentials_of(means), host_keys_of(means), means.seconds,
                      via=jump_hosts(options.jumps, means))
    return [Target(endpoint, spec, address, host=spec.process.hosts[0] if spec.process else None)]


def of_manifest(file: Path, means: Means) -> Sequence[Target]:
    """The hosts of all Clusters in a file, with the Secrets in it, or with the key that is named. Raises `UserFault`."""
    documents = _documents(file)
    secrets = {str(_meta(each).get("name")): _data(each) for each in documents if each.get("kind") == "Secret"}
    found: list[Target] = []
    for body in documents:
        if body.get("kind") != "Cluster" or not str(body.get("apiVersion", "")).startswith(f"{names.GROUP}/"):
            continue
        given = {"namespace": "default", **_meta(body), "uid": "", "resourceVersion": "0", "generation": 1}
        for site in _sites(read_cluster({**body, "metadata": given, "status": {}})):
            try:
                own = {names.PRIVATE_KEY_FIELD: credentials_of(means).private_key} if means.identity else None
                address, lacks = login_of(site, {each: secrets.get(each[1]) for each in secrets_of(site)}, own), ""
            except Unreadable as fault:
                address, lacks = None, f"{fault}; or name the private key's file with -i"
            found += _targets(site, address, lacks)
    if not found:
        raise UserFault(f"{file} holds no Cluster of {names.GROUP}")
    return found


def _documents(file: Path) -> list[dict[str, Any]]:
    try:
        return [each for each in yaml.safe_load_all(read_file(file)) if isinstance(each, dict)]
    except yaml.YAMLError as error:
        raise UserFault(f"{file} is no YAML: {error}") from error


def _meta(body: Mapping[str, Any]) -> Mapping[str, Any]:
    meta = body.get("metadata")
    return meta if isinstance(meta, dict) else {}


def _data(secret: Mapping[str, Any]) -> Mapping[str, bytes]:
    """As the API server would have it."""
    try:
        found = {name: base64.b64decode(str(value), validate=True) for name, value in (secret.get("data") or {}).items()}
    except binascii.Error as error:
        raise UserFault(f"The Secret {_meta(secret).get('name')} has data that is no base64") from error
    return {**found, **{name: str(value).encode() for name, value in (secret.get("stringData") or {}).items()}}


def _sites(cluster: Cluster) -> list[Cluster]:
    """A Cluster of bare hosts as each of them sees it."""
    return [seen_by(cluster, each.name) for each in cluster.hosts] or [cluster]


def _targets(site: Cluster, address: Address | None, lacks: str) -> list[Target]:
    """One for each endpoint."""
    folder = site.status.work_dir
    tree = Tree(folder.path, folder.marker) if folder and folder.path and folder.marker else None
    name = f"{site.ref.namespace}/{site.ref.name}"
    found = []
    for each in site.endpoints:
        endpoint = Endpoint(each.host, each.port)
        own = replace(address, host=endpoint.host, port=endpoint.port, more_endpoints=()) if address else None
        found.append(Target(endpoint, site.spec, own, lacks, site.host, tree, name, address.user if address else ""))
    return found
