"""The chart rendered with one of the value files beside this one."""

from collections.abc import Iterator
from functools import cache
from pathlib import Path
from textwrap import indent
from typing import Any, Final

import yaml

from chart.helm import Helm

HERE: Final = Path(__file__).parent
CHART: Final = HERE.parents[1] / "charts" / "fairlead"
CASES: Final = tuple(sorted(path.stem for path in (HERE / "values").glob("*.yaml")))
RELEASE: Final = "fairlead"
NAMESPACE: Final = "fairlead-system"
WITHOUT_CRDS: Final = ("--set", "crds.enabled=false")

Manifest = dict[str, Any]


def values(case: str) -> Path:
    """The value file of a case."""
    return HERE / "values" / f"{case}.yaml"


def committed(case: str) -> Path:
    """Where the rendering of a case is kept."""
    return HERE / "rendered" / f"{case}.yaml"


@cache
def template(helm: Helm, case: str, *options: str) -> str:
    """What `helm template` makes of a case, hooks too. Asked for again, it is the same."""
    return helm("template", RELEASE, str(CHART), "--namespace", NAMESPACE, "--values", str(values(case)), *options).stdout


def to_commit(helm: Helm, case: str) -> str:
    """What is kept of a case: its rendering without what is compared with its source elsewhere, which is long."""
    rendered = template(helm, case, *WITHOUT_CRDS)
    for name, spaces in (("alerts.yaml", 2), ("dashboard.json", 4)):
        whole = indent((CHART / "files" / name).read_text().strip(), spaces * " ", lambda _: True)
        rendered = rendered.replace(whole, f"{spaces * ' '}(files/{name})")
    return rendered


def objects(helm: Helm, case: str, *options: str) -> Iterator[Manifest]:
    """The same as objects."""
    return iter(manifests(template(helm, case, *options)))


@cache
def manifests(rendered: str) -> tuple[Manifest, ...]:
    """The objects of a rendering."""
    return tuple(each for each in yaml.load_all(rendered, Loader=yaml.CSafeLoader) if each)
