"""A look of `fairlead doctor` at a host of the bed: in this process, as the command makes it, and as a person calls it."""

import asyncio
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from bed.login import LoginNode
from bed.slurm import SlurmCluster
from fairlead.api.v1alpha1.cluster import ClusterSpec
from fairlead.cli.doctor.finding import Finding, Result
from fairlead.cli.doctor.way import Survey, Target
from fairlead.domain.cluster.address import Address, Credentials, Endpoint, HostKeys
from fairlead.domain.run.run import Tree
from product.command import fairlead

SECONDS = 5.0


def target(node: LoginNode, *, host: str = "", port: int = 0, key: str = "", known_hosts: str = "", via: Address | None = None,
           tree: Tree | None = None, slots: int = 1, **spec: Any) -> Target:
    """A host of the bed as a Cluster would name it, with some of it changed."""
    endpoint = Endpoint(host or node.host, port or node.port)
    place = {"host": endpoint.host, "port": endpoint.port}
    is_slurm = isinstance(node, SlurmCluster)
    where = {"type": "Slurm", "endpoints": [place]} if is_slurm else {"type": "Process", "process": {"hosts": [{**place, "slots": slots}]}}
    whole = ClusterSpec.model_validate({
        **where, "user": node.user, "authSecretRef": {"name": "key"}, "connection": {"connectTimeoutSeconds": SECONDS}, **spec})
    address = Address(endpoint.host, endpoint.port, node.user, Credentials((key or node.private_key).encode()),
                      HostKeys(known_hosts or node.known_hosts), SECONDS, via=via)
    return Target(endpoint, whole, address, host=whole.process.hosts[0] if whole.process else None, tree=tree, cluster="lab/hpc")


def look(node: LoginNode, **changes: Any) -> dict[str, Finding]:
    """What is found, by the names of the checks."""
    return look_at(target(node, **changes))


def look_at(what: Target) -> dict[str, Finding]:
    """The same."""
    found = asyncio.run(Survey(what, lambda _: None).findings())
    assert len({each.check for each in found}) == len(found), "each check has one line"
    assert all(each.words.isprintable() for each in found)
    return {each.check: each for each in found}


def verdicts(found: Mapping[str, Finding]) -> dict[str, Result]:
    """How each came out, without those that are well."""
    return {name: each.verdict for name, each in found.items() if each.verdict is not Result.OK}


def command(node: LoginNode, folder: Path, *more: str) -> tuple[int, dict[str, Any]]:
    """`fairlead doctor --host` as a person calls it: exit code, and what it prints as JSON."""
    key, known = folder / "key", folder / "known_hosts"
    key.write_text(node.private_key)
    known.write_text(node.known_hosts)
    kind = "Slurm" if isinstance(node, SlurmCluster) else "Process"
    done = fairlead("doctor", "--host", node.host, "--user", node.user, "-i", str(key), "--known-hosts", str(known), "--type", kind,
                    "-o", "json", *more, kubeconfig=Path("/nonexistent/config"))
    assert done.stderr == b"", done.stderr
    return done.returncode, json.loads(done.stdout)
