"""What GitOps tools make of Fairlead's objects, by their own libraries."""

from collections.abc import Mapping
from pathlib import Path

import pytest

from bed.gitops import Words
from bed.state import Bed
from fairlead.api.v1alpha1 import names
from product.cluster_states import of_clusters
from product.job_states import of_jobs
from product.judged import Judged, judged
from product.session_states import of_sessions

ARGO_CD = Path(__file__).parents[2] / "charts" / "fairlead" / "argocd"


@pytest.fixture(scope="session")
def words(bed: Bed) -> Words:
    """The program that knows the tools' words."""
    return Words.ensure(bed)


@pytest.fixture(scope="session")
def scripts() -> Mapping[str, str]:
    """Argo CD's health scripts by kind."""
    return {file.parent.name: file.read_text(encoding="utf-8") for file in ARGO_CD.glob(f"{names.GROUP}/*/health.lua")}


@pytest.fixture(scope="session")
def jobs(words: Words, scripts: Mapping[str, str]) -> Judged:
    """Every state of a Job."""
    return judged(of_jobs(), words, scripts)


@pytest.fixture(scope="session")
def sessions(words: Words, scripts: Mapping[str, str]) -> Judged:
    """Every kind of state of a Session."""
    return judged(of_sessions(), words, scripts)


@pytest.fixture(scope="session")
def clusters(words: Words, scripts: Mapping[str, str]) -> Judged:
    """Every state of a Cluster."""
    return judged(of_clusters(), words, scripts)
