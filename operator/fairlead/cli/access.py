"""Which API server a person means, and as whom he asks it: what kubectl's options of the same names mean."""

import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import wraps
from typing import TYPE_CHECKING, Any, Final, TypeVar

import click

if TYPE_CHECKING:
    from fairlead.kube.client import KubeClient

DEFAULT_KUBECONFIG: Final = "~/.kube/config"
_OPTIONS: Final = frozenset({"kubeconfig", "context", "as", "as_group", "as_uid"})
_FILE_HELP: Final = "Kubeconfig file, or several as in KUBECONFIG.  [default: ~/.kube/config]"

Command = TypeVar("Command", bound=Callable[..., Any])


@dataclass(frozen=True, slots=True)
class KubeAccess:
    """The options by which a person says how to come to the API server. None or empty: as the kubeconfig says."""

    kubeconfig: str | None = None
    context: str | None = None
    user: str | None = None
    groups: tuple[str, ...] = ()
    uid: str | None = None

    @classmethod
    def of(cls, given: Mapping[str, Any]) -> "KubeAccess":
        """What a command's options say, some of which a shell that completes them may not have yet."""
        return cls(given.get("kubeconfig"), given.get("context"), given.get("as"), given.get("as_group") or (), given.get("as_uid"))

    def client(self) -> "KubeClient":
        """The way in. Raises `UserFault` when there is none."""
        from fairlead.kube.client import KubeClient  # noqa: PLC0415  what asks no API server starts without it
        from fairlead.kube.kubeconfig import Acting  # noqa: PLC0415

        acting = Acting(self.user or "", self.groups, self.uid or "")
        return KubeClient.load(kubeconfig_file(self.kubeconfig), self.context, acting=acting)


def to_the_api_server(command: Command) -> Command:
    """A command's options for its way to the API server, which it gets as `way`."""
    @click.option("--kubeconfig", envvar="KUBECONFIG", help=_FILE_HELP)
    @click.option("--context", help="The kubeconfig's context.")
    @click.option("--as", metavar="USER", help="Ask as this user, where you may impersonate it.")
    @click.option("--as-group", multiple=True, metavar="GROUP", help="And as one of this group; may be repeated.")
    @click.option("--as-uid", metavar="UID", help="And with this uid.")
    @wraps(command)
    def gathered(**given: Any) -> Any:
        rest = {name: value for name, value in given.items() if name not in _OPTIONS}
        return command(way=KubeAccess.of(given), **rest)

    return gathered  # type: ignore[return-value]


def kubeconfig_file(named: str | None) -> str | None:
    """The files to use: those that are named, else a person's own if it is there, else none (a pod's service account)."""
    own = os.path.expanduser(DEFAULT_KUBECONFIG)  # noqa: PTH111  pathlib raises where nobody knows a home, and below one it may not enter
    return named or (own if os.path.exists(own) else None)  # noqa: PTH110
