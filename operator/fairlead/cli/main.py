"""The commands and their options. Each option can also be set in the environment, as FAIRLEAD_<COMMAND>_<OPTION>."""

import asyncio
import os
import pwd
import sys
from importlib.metadata import version
from pathlib import Path
from typing import Any

import click

from fairlead.api.v1alpha1 import names
from fairlead.api.v1alpha1.texts import clean
from fairlead.cli import completion
from fairlead.cli.access import Command, KubeAccess, to_the_api_server
from fairlead.domain.errors import FairleadError, UserFault

USER_FAULT_EXIT = 2
NOBODY = {"LOGNAME": "nobody", "HOME": "/nonexistent"}
"""kopf and asyncssh ask for our name, asyncssh for our home too. They use neither, and fail for a pod's random uid, which nobody knows."""
_SENTENCE_CHARACTERS = 8000
_FILE = click.Path(exists=True, dir_okay=False, path_type=Path)
_SECONDS = click.FloatRange(0.2, 300)
_KINDS = ["Slurm", "Process"]
_OWNERS = [names.JOB_KIND, names.SESSION_KIND]
_LEVELS = ["debug", "info", "warning", "error"]
_PROGRAM = (
    click.option("--settings", "settings_file", type=_FILE, help="YAML file with graces and time-outs: docs/reference/settings.md."),
    click.option("--health-host", default="0.0.0.0", show_default=True, help="Address for /livez, /readyz and /metrics."),  # noqa: S104
    click.option("--health-port", default=8080, show_default=True, type=click.IntRange(-1, 65535),
                 help="Its port; 0: any free one; -1: none."),
    click.option("--log-format", default="json", show_default=True, type=click.Choice(["json", "console"]), help="How log lines look."),
    click.option("--log-level", default="info", show_default=True, type=click.Choice(_LEVELS),
                 help="Lines from this level on are written."),
)
"""Its settings, where its health is served, its log."""


def main() -> None:
    """Run the command line; what cannot work ends with one sentence on standard error."""
    if not _is_known(os.getuid()):
        for name, value in NOBODY.items():
            os.environ.setdefault(name, value)
    try:
        commands(auto_envvar_prefix="FAIRLEAD", prog_name=completion.program(), complete_var=completion.VARIABLE)
    except SystemExit as end:
        if completion.VARIABLE in os.environ:
            completion.leave(end.code if isinstance(end.code, int) else 1)
        raise
    except UserFault as error:
        _tell(error)
        sys.exit(USER_FAULT_EXIT)
    except FairleadError as error:
        _tell(error)
        sys.exit(1)


def complete_for_kubectl() -> None:
    """What kubectl starts as `kubectl_complete-fairlead` when a person presses the tab key behind `kubectl fairlead`."""
    completion.for_kubectl(commands)


def _is_known(uid: int) -> bool:
    """Whether the system has a name and a home for a uid: then a person's ~/.kube/config is found, also where HOME is not set."""
    try:
        return bool(pwd.getpwuid(uid))
    except KeyError:
        return False


def _tell(error: FairleadError) -> None:
    """A sentence of ours may hold words of others: paths, conditions, what a login node said."""
    click.echo(f"fairlead: {clean(str(error), _SENTENCE_CHARACTERS)}", err=True)


def _of_a_program(command: Command) -> Command:
    """The options of a program that runs until it is stopped."""
    for option in reversed(_PROGRAM):
        command = option(command)
    return command


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(version("fairlead"), prog_name="fairlead")
def commands() -> None:
    """Jobs on remote GPU clusters over nothing but SSH: each exactly once, nothing left behind."""


@commands.command()
@click.option("--kubeconfig", envvar="KUBECONFIG", help="File, or several as in KUBECONFIG. Without it: the pod's service account.")
@click.option("--context", help="The kubeconfig's context.")
@click.option("--namespace", help="Namespace of the Lease and the ConfigMaps. Without it: the context's, or the pod's own.")
@click.option("--watch-namespace", multiple=True, metavar="NAME",
              help="Work only in this namespace; may be repeated. In the environment: names with spaces between them.  [default: in all]")
@click.option("--installation", help="Name of this installation on the remote clusters. Without it: made once and kept in a ConfigMap.")
@_of_a_program
def controller(settings_file: Path | None, health_port: int, watch_namespace: tuple[str, ...], **words: str) -> None:
    """Run the controller: watch Clusters and Jobs, and make them so."""
    from fairlead.app import settings  # noqa: PLC0415  the other commands start without kopf
    from fairlead.app.program import Options, run  # noqa: PLC0415
    from fairlead.domain.scope import Scope  # noqa: PLC0415
    from fairlead.telemetry.log import configure  # noqa: PLC0415

    configure(words["log_format"], words["log_level"])
    options = Options(
        settings.load(settings_file), words["kubeconfig"], words["context"], words["namespace"], words["installation"],
        words["health_host"], None if health_port < 0 else health_port, Scope.of(watch_namespace),
    )
    sys.exit(asyncio.run(run(options)))


@commands.command()
@click.option("--address", envvar="POD_IP", help="IP address on which this gateway is reached from other nodes. Without it: POD_IP.")
@click.option("--ports", default="{}-{}".format(*names.GATEWAY_PORTS), show_default=True, metavar="FIRST-LAST",
              help="Ports for Sessions, one each.")
@click.option("--name", help="Its name among the gateways.  [default: the host's, which is the pod's]")
@click.option("--kubeconfig", envvar="KUBECONFIG", help="File, or several as in KUBECONFIG. Without it: the pod's service account.")
@click.option("--context", help="The kubeconfig's context.")
@click.option("--namespace", help="Namespace of the gateways' Leases. Without it: the context's, or the pod's own.")
@click.option("--watch-namespace", multiple=True, metavar="NAME",
              help="Work only in this namespace; may be repeated. In the environment: names with spaces between them.  [default: in all]")
@_of_a_program
def gateway(ports: str, settings_file: Path | None, health_port: int, watch_namespace: tuple[str, ...], **words: str) -> None:
    """Run a gateway: hold the tunnels of Sessions, and have each reached on a port of this one's address.

    Any number may run; each Session is held by one of them.
    """
    from fairlead.app import settings  # noqa: PLC0415
    from fairlead.app.gateway_program import GatewayOptions, run  # noqa: PLC0415  the other commands start without kopf
    from fairlead.domain.scope import Scope  # noqa: PLC0415
    from fairlead.telemetry.log import configure  # noqa: PLC0415

    first, _, last = ports.partition("-")
    if not (first.isdigit() and last.isdigit()):
        raise click.BadParameter(f"{ports!r}: write FIRST-LAST", param_hint="--ports")
    configure(words["log_format"], words["log_level"])
    options = GatewayOptions(
        words["address"], (int(first), int(last)), words["name"], words["kubeconfig"], words["context"], words["namespace"],
        words["health_host"], None if health_port < 0 else health_port, Scope.of(watch_namespace), settings.load(settings_file),
    )
    sys.exit(asyncio.run(run(options)))


@commands.command()
@click.option("--policy", default="Refuse", show_default=True, type=click.Choice(["Refuse", "Orphan", "Cancel"], case_sensitive=False),
              help="What becomes of what runs.")
@click.option("--timeout", default=300, show_default=True, type=click.IntRange(1, 86400), metavar="SECONDS", help="For all of it.")
@click.option("--namespace", "-n", help="Namespace of the controller's Lease and ConfigMaps.  [default: the context's, or the pod's own]")
@click.option("--watch-namespace", multiple=True, metavar="NAME", help="Only in this namespace, as the controller; may be repeated.")
@to_the_api_server
def uninstall(policy: str, timeout: int, watch_namespace: tuple[str, ...], namespace: str | None, way: KubeAccess) -> None:
    """Take our finalizers off all objects, so that none waits for a controller that is gone. To be called right before it is removed.

    Refuse: if anything runs, is being deleted or is owed on a cluster, says what, takes nothing away and ends with 1.

    Orphan: what runs goes on without us. It is written into the ledger, so that a later installation leaves alone what has lost its Job.

    Cancel: suspends all Jobs, and waits until the controller has ended what runs. No Job is deleted.

    While it works, and for five minutes after a success, no controller leads.
    """
    from fairlead.cli.uninstall import run  # noqa: PLC0415  as above

    sys.exit(run(policy, timeout, watch_namespace, namespace, way))


@commands.command()
@click.argument("name", metavar="[NAMESPACE/]NAME", shell_complete=completion.named(alone=True))
@click.option("--kind", default=names.JOB_KIND, show_default=True, type=click.Choice(_OWNERS, case_sensitive=False), is_eager=True,
              help="Whose output.")
@click.option("--namespace", "-n", help="Its namespace.  [default: the context's]")
@click.option("--follow", "-f", is_flag=True, help="Wait for more, and end with the Job or Session.")
@click.option("--tail", "tail_lines", type=click.IntRange(0), metavar="LINES", help="Only so many lines of what is there.  [default: all]")
@click.option("--stderr", is_flag=True, help="The error output's file, where the Job has one of its own.")
@click.option("--raw", is_flag=True, help="Byte for byte: each redraw of a progress bar, escape codes too.")
@to_the_api_server
def logs(name: str, kind: str, namespace: str | None, way: KubeAccess, tail_lines: int | None, **how: bool) -> None:
    """Print the whole output file of a Job, or of a Session, as it is on the cluster now.

    It is read over SSH, by your own right to read the Job or Session, its Cluster and the Cluster's Secret.

    Of a line that a progress bar has drawn again and again the last state is shown, as a terminal would show it. The cluster sends no more
    than that.

    With --follow it waits for the start, goes on through restarts, further attempts and broken connections, and ends with the Job or
    Session: with 0 if that ended well, with 1 if it failed or was deleted. Standard error says what it waits for.
    """
    from fairlead.cli.logs import Request, run  # noqa: PLC0415  the other commands start without asyncssh

    before, slash, own = name.rpartition("/")
    if not own or "/" in before or bool(slash) != bool(before) or (before and namespace not in {None, before}):
        raise click.BadParameter(f"{name!r}: write the {kind} as NAMESPACE/NAME, or as NAME with -n NAMESPACE", param_hint="NAME")
    request = Request(before or namespace or "", own, kind, how["follow"], how["stderr"], how["raw"], tail_lines)
    sys.exit(run(request, way))


@commands.command()
@click.option("--namespace", "-n", help="Namespace of the controller's Lease and ConfigMaps.  [default: the context's]")
@click.option("--output", "-o", default="table", show_default=True, type=click.Choice(["table", "json"]), help="How it is printed.")
@to_the_api_server
def debts(namespace: str | None, output: str, way: KubeAccess) -> None:
    """List what may still be on clusters of Jobs that are gone, the oldest first.

    A Job whose cluster cannot be reached is let go when its deletionDeadlineSeconds are over. What it may have left is written down, and
    cleaned up when the cluster answers again.
    """
    from fairlead.cli.debts import run  # noqa: PLC0415  as above

    run(namespace, output, way)


@commands.command()
@click.option("--namespace", "-n", help="Namespace of the controller's Lease and ConfigMaps.  [default: the context's, or the pod's own]")
@click.option("--wait", "wait_seconds", default=60, show_default=True, type=click.IntRange(1), metavar="SECONDS", help="Look for so long.")
@to_the_api_server
def installation(namespace: str | None, wait_seconds: int, way: KubeAccess) -> None:
    """Say whether an installation works: the API server knows Clusters and Jobs, and a controller leads.

    It ends with 0 as soon as both are seen, which takes some seconds, since the leader is watched until it renews its Lease.
    """
    from fairlead.cli.installation import run  # noqa: PLC0415  as above

    run(namespace, wait_seconds, way)


@commands.command()
@click.argument("place", metavar="HOST[:PORT]")
@click.option("--jump", "-J", "jumps", multiple=True, metavar="[USER@]HOST[:PORT]", help="Through this jump host; several: in their order.")
@click.option("--identity", "-i", type=_FILE, help="Private key for the jump hosts.")
@click.option("--known-hosts", type=_FILE, help="By what the jump hosts are recognised.  [default: ~/.ssh/known_hosts]")
@click.option("--timeout", "seconds", default=10.0, show_default=True, type=_SECONDS, help="Seconds for a connection.")
def pin(place: str, jumps: tuple[str, ...], identity: Path | None, known_hosts: Path | None, seconds: float) -> None:
    """Print a server's host keys as a Cluster takes them.

    The block goes under spec. The server is asked for each type of host key that Fairlead accepts, and nobody logs in. Standard error has
    the fingerprints: compare them, by another way, with what the site publishes.
    """
    from fairlead.cli.pin import run  # noqa: PLC0415  as above
    from fairlead.cli.reach import Means  # noqa: PLC0415

    run(place, jumps, Means(identity, known_hosts, seconds))


@commands.command()
@click.argument("cluster", metavar="[[NAMESPACE/]CLUSTER]", required=False,
                shell_complete=completion.named(names.CLUSTER_KIND, alone=True))
@click.option("--namespace", "-n", help="The Cluster's namespace.  [default: the context's]")
@click.option("--file", "-f", type=_FILE, help="Look at the Clusters in this file, with the Secrets in it or the key of -i.")
@click.option("--host", metavar="HOST[:PORT]", help="Look at this host, which no Cluster names yet.")
@click.option("--user", help="With --host: the login name there.")
@click.option("--identity", "-i", type=_FILE, help="With --host or -f: the private key.")
@click.option("--known-hosts", type=_FILE, help="With --host: by what it is recognised.  [default: ~/.ssh/known_hosts]")
@click.option("--jump", "-J", "jumps", multiple=True, metavar="[USER@]HOST[:PORT]", help="With --host: through this jump host.")
@click.option("--type", "kind", default="Slurm", show_default=True, type=click.Choice(_KINDS), help="With --host: what is there.")
@click.option("--work-dir", help="With --host: spec.workDir.  [default: ~/.fairlead]")
@click.option("--bin-path", help="With --host: spec.slurm.binPath.")
@click.option("--timeout", "seconds", default=10.0, show_default=True, type=_SECONDS, help="With --host: seconds for a connection.")
@click.option("--output", "-o", default="text", show_default=True, type=click.Choice(["text", "json"]), help="How it is printed.")
@to_the_api_server
def doctor(**asked: Any) -> None:
    """Look at a Cluster step by step, and say what to change.

    It logs in once to each endpoint or host, and changes nothing there. Each line says ok, or what is wrong and what to change; note is
    what works and could be better. Exit code 0: nothing has to be changed; 1: something has to be; 2: wrong use.
    """
    from fairlead.cli.doctor.command import run  # noqa: PLC0415  as above

    sys.exit(run(asked))


@commands.command("completion")
@click.argument("shell", type=click.Choice(completion.SHELLS))
def print_completion(shell: str) -> None:
    """Print what a shell needs to complete commands and names.

    For bash, in ~/.bashrc: source <(fairlead completion bash). For zsh, in ~/.zshrc: source <(fairlead completion zsh). For fish:
    fairlead completion fish > ~/.config/fish/completions/fairlead.fish. Behind kubectl nothing is needed but kubectl's own completion.
    """
    click.echo(completion.source(shell, commands))
