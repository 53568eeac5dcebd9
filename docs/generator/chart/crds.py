"""`files/crds/`: the resource definitions of `crds/`, each with the mark by which Helm leaves it at an uninstall."""

from __future__ import annotations

import yaml

from fairlead.api import crd
from fairlead.api.v1alpha1 import names

KEEP = {"helm.sh/resource-policy": "keep"}
HEADER = "# Made by `make crds` from operator/fairlead/api; change it there.\n"


def files() -> dict[str, str]:
    """The text of each file, by its name."""
    return {crd.file_name(each): _render(each) for each in crd.RESOURCES}


def _render(resource: crd.Resource) -> str:
    definition = crd.definition(resource)
    metadata = {"metadata": {"name": f"{resource.plural}.{names.GROUP}", "annotations": KEEP}}
    return HEADER + yaml.safe_dump({**definition, **metadata}, sort_keys=False, width=120, allow_unicode=True)
