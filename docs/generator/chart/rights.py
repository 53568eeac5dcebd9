"""`templates/_rights.tpl`: the controller's rights as named pieces, of which the chart makes its roles."""

from __future__ import annotations

from textwrap import dedent

import yaml

from fairlead.kube.rights import ACCOUNT, Reach, rules

HEADER = "{{/* Made by `make crds` from operator/fairlead/kube/rights.py; change it there. */}}\n"

PIECES = {
    "namespaced": ("Needed in each namespace that is looked after.", Reach.ALL),
    "clusterWide": ("Needed for the whole cluster, whichever namespaces are looked after.", Reach.CLUSTER),
    "own": ("Needed in the release's own namespace.", Reach.OWN),
}


def render() -> str:
    """The text of the file."""
    return HEADER + "".join(_piece(name, says, reach) for name, (says, reach) in PIECES.items())


def _piece(name: str, says: str, reach: Reach) -> str:
    return dedent("""
        {{{{- /* {says} */}}}}
        {{{{- define "fairlead.rights.{name}" -}}}}
        {rules}
        {{{{- end }}}}
        """).format(says=says, name=name, rules=yaml.safe_dump(rules(ACCOUNT, reach), sort_keys=False, width=120).rstrip())
