"""Completion of commands, options and names: for bash, zsh and fish by click, and for `kubectl fairlead` by kubectl's own protocol.

Names come from the API server, within a bound: a server that does not answer must not hold up a person's shell.
"""

import asyncio
import os
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Final

import click
from click.shell_completion import CompletionItem, ShellComplete, get_completion_class

from fairlead.api.v1alpha1 import names
from fairlead.cli.access import KubeAccess
from fairlead.domain.errors import FairleadError, Forbidden, UserFault
from fairlead.domain.objects import plural_of

SHELLS: Final = ("bash", "zsh", "fish")
VARIABLE: Final = "_FAIRLEAD_COMPLETE"
"""By it a shell asks the program for completions (click's protocol)."""
SECONDS: Final = 2.0                 # for the API server's answer
_MOST_NAMES: Final = 500             # one page; a person who has more writes more letters
_NO_FILES: Final = 4                 # of cobra's ShellCompDirective: what kubectl's completion scripts are told
_FILES_TOO: Final = 0

Completer = Callable[[click.Context, click.Parameter, str], list[CompletionItem]]


def program() -> str:
    """By what name a person has called: kubectl starts its plugin `kubectl-fairlead`."""
    return "kubectl fairlead" if Path(sys.argv[0]).name.startswith("kubectl") else "fairlead"


def source(shell: str, command: click.Command) -> str:
    """The script to be read by a shell. Raises `UserFault` where click knows none."""
    found = get_completion_class(shell)
    if found is None:
        raise UserFault(f"There is no completion for {shell}: it is there for {', '.join(SHELLS)}")
    return found(command, {}, "fairlead", VARIABLE).source()


def for_kubectl(command: click.Command) -> None:
    """Answer `kubectl_complete-fairlead WORDS...`: a line for each completion, and behind them what the shell is to do beside it."""
    *before, incomplete = sys.argv[1:] or [""]
    found = ShellComplete(command, {}, "kubectl fairlead", VARIABLE).get_completions(before, incomplete)
    for item in (each for each in found if each.type == "plain"):
        click.echo(f"{item.value}\t{item.help}" if item.help else item.value)
    click.echo(f":{_FILES_TOO if any(each.type != 'plain' for each in found) else _NO_FILES}")
    leave()


def leave(status: int = 0) -> None:
    """End at once: a name server that does not answer holds a thread, for which Python would wait."""
    sys.stdout.flush()
    os._exit(status)


def named(kind: str = "", *, alone: bool = False) -> Completer:
    """Completes NAMESPACE/NAME of objects of a kind, without one of that which the option --kind says, by the rights of the person.

    Where they cannot be had in time, with nothing. `alone`: a name stands for itself too, in the namespace that --namespace or the
    kubeconfig's context says.
    """
    def complete(context: click.Context, _: click.Parameter, incomplete: str) -> list[CompletionItem]:
        try:
            found = asyncio.run(_names(plural_of(kind or context.params["kind"]), incomplete, context, alone=alone))
        except (FairleadError, OSError, TimeoutError):
            return []
        return [CompletionItem(each) for each in found if each.startswith(incomplete)]

    return complete


async def _names(plural: str, incomplete: str, context: click.Context, *, alone: bool) -> list[str]:
    """As `NAMESPACE/NAME`: of all namespaces, of the one that is written already, or where one may not see all, of the context's."""
    from fairlead.kube.client import KubeClient, path_of  # noqa: PLC0415  a shell that completes a command does without

    async def listed(client: KubeClient, namespace: str) -> list[str]:
        path = path_of("apis", names.GROUP, names.VERSION, *(("namespaces", namespace) if namespace else ()), plural)
        answer = await client.request("GET", path, params={"limit": str(_MOST_NAMES)})
        return [f"{each['metadata']['namespace']}/{each['metadata']['name']}" for each in answer.get("items") or []]

    given = context.params
    async with asyncio.timeout(SECONDS), KubeAccess.of(given).client() as client:
        namespace, slash, _ = incomplete.partition("/")
        own = given.get("namespace") or client.namespace
        try:
            found = await listed(client, namespace if slash else "")
        except Forbidden:
            found = [] if slash else await listed(client, own)
        return [*found, *(each.removeprefix(f"{own}/") for each in found if alone and not slash and each.startswith(f"{own}/"))]
