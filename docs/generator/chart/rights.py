"""`templates/_rights.tpl`: the rights of each account as named pieces, of which the chart makes its roles."""

from __future__ import annotations

from textwrap import dedent

import yaml

from fairlead.kube.rights import ACCOUNT, GATEWAY_ACCOUNT, UNINSTALL_ACCOUNT, Reach, rules

HEADER = "{{/* Made by `make crds` from operator/fairlead/kube/rights.py; change it there. */}}\n"
TABLES = {"controller": ACCOUNT, "gateway": GATEWAY_ACCOUNT, "uninstall": UNINSTALL_ACCOUNT}
PIECES = {"namespaced": Reach.ALL, "clusterWide": Reach.CLUSTER, "own": Reach.OWN}
SAYS = {
    "namespaced": "Needed in each namespace that is looked after.",
    "clusterWide": "Needed for the whole cluster, whichever namespaces are looked after.",
    "own": "Needed in the release's own namespace.",
}


def render() -> str:
    """The text of the file."""
    return HEADER + "".join(_piece(table, name) for table in TABLES for name in PIECES)


def _piece(table: str, name: str) -> str:
    text = yaml.safe_dump(rules(TABLES[table], PIECES[name]), sort_keys=False, width=120).rstrip()
    return dedent("""
        {{{{- /* {says} */}}}}
        {{{{- define "fairlead.rights.{table}.{name}" -}}}}
        {rules}
        {{{{- end }}}}
        """).format(says=SAYS[name], table=table, name=name, rules=text)
