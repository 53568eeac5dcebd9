"""The bed's command line: a control plane and Slurm clusters for a person to use, until `down`."""

import os
import shlex
import sys
from itertools import product
from pathlib import Path

import click

from bed import actionlint, gitops, helm, processes, registry
from bed import image as images
from bed.controlplane import ControlPlane, binaries
from bed.controlplane.pki import write_private
from bed.errors import BedError
from bed.node import Node
from bed.node import programs as node_programs
from bed.prometheus import Prometheus
from bed.releases import DEFAULT_RELEASE
from bed.roots import root
from bed.signals import INTERRUPTED, end_in_order
from bed.slurm import SlurmCluster, start_many
from bed.state import Bed, reap_stale, remove, require_root
from bed.together import together

FAILED = 2


def main() -> None:
    """Runs the command line; what the bed cannot do ends it with one sentence and exit code 2."""
    end_in_order()
    try:
        commands(prog_name="python -m bed", standalone_mode=False)
    except BedError as error:
        print(f"bed: {error}", file=sys.stderr)
        sys.exit(FAILED)
    except click.ClickException as error:
        error.show()
        sys.exit(error.exit_code)
    except (KeyboardInterrupt, click.Abort):
        print("bed: stopped, and everything taken down", file=sys.stderr)
        sys.exit(INTERRUPTED)


@click.group()
def commands() -> None:
    """Real clusters on this machine: a Kubernetes control plane and Slurm, without containers."""


@commands.command()
@click.option("--release", default=DEFAULT_RELEASE, show_default=True, help="Slurm's release.")
@click.option("--clusters", default=1, show_default=True, type=click.IntRange(0, 64), help="How many Slurm clusters.")
@click.option("--node", "with_node", is_flag=True, help="A node too, where pods run; they reach the clusters.")
def up(release: str, clusters: int, with_node: bool) -> None:
    """Start a control plane and Slurm clusters that stay until `down`. Who is not root can have the control plane alone: --clusters 0."""
    if clusters or with_node:
        require_root()
    with Bed.create("python -m bed up") as bed:
        nodes: list[Node] = []
        hosts: list[SlurmCluster] = []
        plane = (lambda: nodes.append(_start_node(bed))) if with_node else (lambda: _start_plane(bed))
        together(bed, plane, lambda: hosts.extend(_start_clusters(bed, clusters, release)))
        for node, host in product(nodes, hosts):
            node.link(host)
        bed.keep()
        click.echo(f"bed {bed.id} is up")
        _show(bed.id)


@commands.command()
def status() -> None:
    """Show the beds of this machine and how to reach them."""
    found = registry.owners()
    if not found:
        click.echo("no bed on this machine")
    for bed_id, owner in found.items():
        if owner is None or not owner.alive:
            click.echo(f"bed {bed_id} lost its owner; the next start or `python -m bed down` removes it")
            continue
        kind = "kept until `python -m bed down`" if owner.kept else f"owned by process {owner.pid}"
        click.echo(f"bed {bed_id}: {owner.purpose}, {kind}, {len(processes.of_bed(bed_id))} processes, of {owner.checkout}")
        _show(bed_id)


@commands.command()
@click.argument("ids", nargs=-1)
@click.option("--all", "everyone", is_flag=True, help="Those of other checkouts too.")
def down(ids: tuple[str, ...], everyone: bool) -> None:
    """Remove kept beds: those named, else all of this checkout. A bed with a living owner goes only when it is named."""
    for bed_id in reap_stale():
        click.echo(f"bed {bed_id} removed")
    known = registry.owners()
    if unknown := set(ids) - known.keys():
        raise BedError(f"no bed {', '.join(sorted(unknown))} on this machine; `python -m bed status` lists them")
    here = registry.Owner.here("").checkout
    kept = [bed_id for bed_id, owner in known.items() if owner and owner.kept and (everyone or owner.checkout == here)]
    for bed_id in ids or kept:
        remove(bed_id)
        click.echo(f"bed {bed_id} removed")


@commands.command()
@click.option("--release", "releases", multiple=True, default=[DEFAULT_RELEASE], show_default=True, help="Slurm's; may be repeated.")
def fetch(releases: tuple[str, ...]) -> None:
    """Get everything that beds need into the cache, so that the next start is quick."""
    with Bed.create("python -m bed fetch") as bed:
        together(bed, lambda: _fetch_binaries(bed), lambda: _fetch_roots(releases), lambda: _fetch_prometheus(bed),
                 lambda: _fetch_image(bed))
    click.echo(f"all that beds need is in {binaries.cache()}")


@commands.command()
def image() -> None:
    """Build the controller's image of this checkout, if it is not in the cache; print its docker-archive, and its name and tag."""
    with Bed.create("python -m bed image") as bed:
        built = images.ensure(bed)
    click.echo(f"{built.archive} {built.name}")


def _fetch_binaries(bed: Bed) -> None:
    binaries.ensure(bed)
    helm.ensure(bed)
    actionlint.ensure(bed)
    gitops.Words.ensure(bed)
    gitops.Drift.ensure(bed)
    if os.geteuid() == 0:
        node_programs.ensure_packages()
        node_programs.ensure(bed)


def _fetch_prometheus(bed: Bed) -> None:
    Prometheus.get(bed)


def _fetch_roots(releases: tuple[str, ...]) -> None:
    for release in releases:
        root(release)


def _fetch_image(bed: Bed) -> None:
    if os.geteuid() == 0:   # nobody else can build it, and nobody else's tests ask for it
        images.ensure(bed)


def _start_plane(bed: Bed) -> None:
    plane = ControlPlane.start(bed)
    bed.publish("controlplane", {"KUBECONFIG": str(plane.kubeconfig), "kubectl": str(plane.kubectl_path), "url": plane.url})


def _start_node(bed: Bed) -> Node:
    node = Node.start(bed)
    load = shlex.join(node.load_argv)
    bed.publish("node", {"KUBECONFIG": str(node.kubeconfig), "kubectl": str(node.kubectl_path), "url": node.url, "load": load})
    return node


def _start_clusters(bed: Bed, count: int, release: str) -> list[SlurmCluster]:
    clusters = start_many(bed, count, release)
    for slurm in clusters:
        key, hosts = bed.folder / f"{slurm.name}.key", bed.folder / f"{slurm.name}.known_hosts"
        write_private(key, slurm.private_key.encode())
        write_private(hosts, f"{slurm.known_hosts}\n".encode())
        bed.publish(slurm.name, {
            "ssh": f"ssh -i {key} -o UserKnownHostsFile={hosts} -p {slurm.port} {slurm.user}@{slurm.host}",
            "host": slurm.host, "port": str(slurm.port), "user": slurm.user, "private_key": str(key), "known_hosts": str(hosts),
        })
    return clusters


def _show(bed_id: str) -> None:
    for name, facts in registry.published(bed_id).items():
        if "KUBECONFIG" in facts:
            click.echo(f"  export KUBECONFIG={facts['KUBECONFIG']} PATH={Path(facts['kubectl']).parent}:$PATH")
            if "load" in facts:
                click.echo(f"  images for its pods: {facts['load']} <ARCHIVE")
        else:
            click.echo(f"  {name}: {facts.get('ssh', facts)}")

