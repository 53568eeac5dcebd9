"""The page of rights: what the controller may do at the API server, and why."""

from fairlead.kube.rights import RIGHTS, Right
from generator.markdown import code, table

INTRODUCTION = """# Rights of the controller

The controller runs as the ServiceAccount of `rbac/controller.yaml`, which is made from this table. The tests of the whole product run it
under exactly these rights, and compare them with the API server's audit log: nothing that it asks for is refused, and each right is used.
"""


def page() -> str:
    """The whole page."""
    return f"{INTRODUCTION}\n{table(['API group', 'Resource', 'Verbs', 'Where', 'Why'], [_row(right) for right in RIGHTS])}"


def _row(right: Right) -> list[str]:
    return [code(right.group or "core"), code(right.resource), ", ".join(map(code, right.verbs)), _where(right), right.why]


def _where(right: Right) -> str:
    only = f": {', '.join(map(code, right.names))}" if right.names else ""
    return f"{right.reach}{only}"
