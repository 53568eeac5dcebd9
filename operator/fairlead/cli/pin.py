"""`fairlead pin`: the hostKeys block of a Cluster, from the keys that a server shows, and the fingerprints to compare."""

import asyncio
from collections.abc import Sequence

import click

from fairlead.cli.reach import Means, as_options, endpoint_of, jump_hosts
from fairlead.domain.cluster.address import Endpoint
from fairlead.domain.errors import RemoteFault
from fairlead.ssh.shown import ShownKey, host_keys_shown, listed_as

COMPARE = ("Whoever stands between you and the host can have shown these: compare the fingerprints with what the site publishes, or by\n"
           "telephone with an administrator of it, before you paste the block.")


def run(place: str, jumps: Sequence[str], means: Means) -> None:
    """Print the block on standard output, and the rest on standard error.

    Raises `UserFault` for a place that is none, `RemoteFault` when it does not show a key.
    """
    endpoint = endpoint_of(place)
    via = jump_hosts(jumps, means)
    try:
        keys = asyncio.run(host_keys_shown(endpoint, means.seconds, via))
    except RemoteFault as fault:
        raise type(fault)(as_options(str(fault)), fault.reason) from fault
    click.echo(block(endpoint, keys))
    width = max(len(key.algorithm) for key in keys)
    rows = [f"  {key.algorithm:{width}}  {key.fingerprint}" for key in keys]
    click.echo("\n".join(["", f"Fingerprints of {endpoint}:", *rows, "", COMPARE]), err=True)


def block(endpoint: Endpoint, keys: Sequence[ShownKey]) -> str:
    """What goes under `spec:` of a Cluster."""
    return "\n".join(["  hostKeys:", "    knownHosts: |", *(f"      {listed_as(endpoint)} {key.line}" for key in keys)])
