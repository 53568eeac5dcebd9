"""The page of rights: what the controller may do at the API server, and why."""

from collections.abc import Iterable

from fairlead.kube.rights import GATEWAY_RIGHTS, RIGHTS, UNINSTALL_RIGHTS, Right
from generator.markdown import code, table

INTRODUCTION = """# Rights

The controller runs as the ServiceAccount of `rbac/controller.yaml`, which is made from this table. The tests of the whole product run it
under exactly these rights, and compare them with the API server's audit log: nothing that it asks for is refused, and each right is used.

Where *all namespaces* stands, it is those that are watched if the controller has `--watch-namespace`: then a Role in each of them takes the
place of the ClusterRole, and of that there is left what is in no namespace: to read `kube-system` itself. `rbac/controller-watched.yaml`
shows it for two namespaces.
"""

GATEWAY = """## Of `fairlead gateway`

It runs as the ServiceAccount of `rbac/gateway.yaml`; `rbac/gateway-watched.yaml` is the same for two namespaces.
"""

UNINSTALL = """## Of `fairlead uninstall`

It runs as the ServiceAccount of `rbac/uninstall.yaml`; `rbac/uninstall-watched.yaml` is the same for two namespaces.
"""


def page() -> str:
    """The whole page."""
    return f"{INTRODUCTION}\n{_table(RIGHTS)}\n{GATEWAY}\n{_table(GATEWAY_RIGHTS)}\n{UNINSTALL}\n{_table(UNINSTALL_RIGHTS)}"


def _table(rights: Iterable[Right]) -> str:
    return table(["API group", "Resource", "Verbs", "Where", "Why"], [_row(right) for right in rights])


def _row(right: Right) -> list[str]:
    return [code(right.group or "core"), code(right.resource), ", ".join(map(code, right.verbs)), _where(right), right.why]


def _where(right: Right) -> str:
    only = f": {', '.join(map(code, right.names))}" if right.names else ""
    return f"{right.reach}{only}"
