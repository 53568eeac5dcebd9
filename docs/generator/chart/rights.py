"""`templates/_rights.tpl`: the controller's rights as named pieces, of which the chart makes its roles."""

from __future__ import annotations

from collections.abc import Callable
from textwrap import dedent

import yaml

from fairlead.kube.rights import RIGHTS, Reach, Right

HEADER = "{{/* Made by `make crds` from operator/fairlead/kube/rights.py; change it there. */}}\n"
CLUSTER_SCOPED = ("namespaces",)
"""Resources that are in no namespace: a right to them can only be given for the whole cluster."""

_Choice = Callable[[Right], bool]
PIECES: dict[str, tuple[str, _Choice]] = {
    "namespaced": ("Needed in each namespace that is looked after.",
                   lambda right: right.reach is Reach.ALL and right.resource not in CLUSTER_SCOPED),
    "clusterWide": ("Needed for the whole cluster, whichever namespaces are looked after.",
                    lambda right: right.reach is Reach.ALL and right.resource in CLUSTER_SCOPED),
    "own": ("Needed in the release's own namespace.", lambda right: right.reach is Reach.OWN),
}


def render() -> str:
    """The text of the file."""
    return HEADER + "".join(_piece(name, says, choice) for name, (says, choice) in PIECES.items())


def _piece(name: str, says: str, choice: _Choice) -> str:
    rules = [right.rule() for right in RIGHTS if choice(right)]
    return dedent("""
        {{{{- /* {says} */}}}}
        {{{{- define "fairlead.rights.{name}" -}}}}
        {rules}
        {{{{- end }}}}
        """).format(says=says, name=name, rules=yaml.safe_dump(rules, sort_keys=False, width=120).rstrip())
