"""What the pages show can be copied: manifests are valid, links lead somewhere."""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from fairlead.api import crd
from fairlead.api.v1alpha1.cluster import Cluster
from fairlead.api.v1alpha1.job import Job
from fairlead.api.v1alpha1.session import Session

ROOT = Path(__file__).parents[3]
PAGES = [*ROOT.glob("*.md"), *ROOT.glob("docs/*.md")]
MODELS = {"Cluster": Cluster, "Job": Job, "Session": Session}
SCHEMAS = {
    each.kind: crd.definition(each)["spec"]["versions"][0]["schema"]["openAPIV3Schema"]["properties"]["spec"] for each in crd.RESOURCES
}


def _manifests() -> Iterator[Any]:
    texts = [(path, path.read_text()) for path in ROOT.glob("examples/**/*.yaml")]
    texts += [(path, block) for path in PAGES for block in re.findall(r"^```yaml\n(.*?)^```", path.read_text(), re.MULTILINE | re.DOTALL)]
    for path, text in texts:
        for found in yaml.safe_load_all(text):
            if isinstance(found, dict) and str(found.get("apiVersion", "")).startswith("fairlead.dev/"):
                yield pytest.param(found, id=f"{path.relative_to(ROOT)}-{found['kind']}-{found['metadata']['name']}")


def _unknown(value: Any, schema: dict[str, Any], path: str) -> Iterator[str]:
    if isinstance(value, list):
        for each in value:
            yield from _unknown(each, schema["items"], path)
    elif isinstance(value, dict) and "properties" in schema:
        for name, inner in value.items():
            if name not in schema["properties"]:
                yield f"{path}.{name}"
            else:
                yield from _unknown(inner, schema["properties"][name], f"{path}.{name}")


@pytest.mark.parametrize("manifest", list(_manifests()))
def test_a_manifest_that_is_shown_can_be_applied(manifest):
    """A newcomer's first copy and paste would be refused."""
    MODELS[manifest["kind"]].model_validate(manifest)
    assert list(_unknown(manifest["spec"], SCHEMAS[manifest["kind"]], "spec")) == []


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_a_link_to_a_file_leads_somewhere(page):
    """A reader would end at a page that is not there."""
    links = [link for link in re.findall(r"\]\(([^)#]+)(?:#[^)]*)?\)", page.read_text()) if "://" not in link]
    assert [link for link in links if not (page.parent / link).exists()] == []
