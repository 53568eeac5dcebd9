"""The page of reasons says what Argo CD and Flux say: each word is asked of these tools, over every state."""

import re
from collections import defaultdict
from collections.abc import Callable, Mapping
from pathlib import Path

from fairlead.api.v1alpha1.reasons import ClusterReason, JobReason, SessionReason, Word
from generator import next_steps, tool_words
from product.judged import Judged
from product.states import Meant, State

PAGE = Path(__file__).parents[2] / "docs" / "gitops.md"


def said_by_the_tools(judged: Judged, told: Callable[[State], bool]) -> dict[str, tuple[set[str], set[str]]]:
    """Argo CD's and Flux's words by the reason of Ready, over the states that are `told`; of what is being deleted, its own."""
    said: dict[str, tuple[set[str], set[str]]] = defaultdict(lambda: (set(), set()))
    for state, argo_cd, flux in zip(judged.states, judged.argo_cd, judged.flux, strict=True):
        if state.reason and told(state) and (state.meant is not Meant.GOING or state.reason == JobReason.CLUSTER_UNREACHABLE):
            said[state.reason][0].add(argo_cd.status)
            said[state.reason][1].add(flux.status)
    return said


def shown(table: Mapping[Word, tool_words.ToolWords]) -> dict[str, tuple[set[str], set[str]]]:
    """What the page shows."""
    return {str(reason): (set(words.argo_cd), set(words.flux)) for reason, words in table.items()}


def test_the_words_for_a_jobs_reasons_are_the_tools_own(jobs: Judged) -> None:
    """A reader would wait for a word that never comes. A parked Job keeps its words, whatever else is found."""
    own = {JobReason.JOB_SUSPENDED, JobReason.HELD, JobReason.SUSPENDED}
    assert said_by_the_tools(jobs, lambda state: state.meant is not Meant.SET_ASIDE or state.reason in own) == shown(tool_words.JOB)


def test_the_words_for_a_clusters_reasons_are_the_tools_own(clusters: Judged) -> None:
    """A reader would wait for a word that never comes."""
    assert said_by_the_tools(clusters, lambda _state: True) == shown(tool_words.CLUSTER)


def test_each_reason_has_a_next_step() -> None:
    """A person would know what is wrong, and not what to do."""
    assert list(next_steps.CLUSTER) == list(ClusterReason)
    assert list(next_steps.JOB) == list(JobReason)
    assert list(next_steps.SESSION) == list(SessionReason)


def test_the_tables_for_people_say_the_same(jobs: Judged, clusters: Judged) -> None:
    """The page on GitOps would promise another colour than is shown."""
    job_table, cluster_table = PAGE.read_text(encoding="utf-8").split("| A Cluster that", maxsplit=1)
    for text, judged in ((job_table, jobs), (cluster_table, clusters)):
        shown = set(re.findall(r"\| `(\w+)` \| `(\w+)` \|$", text, re.MULTILINE))
        assert shown == {(argo_cd.status, flux.status) for argo_cd, flux in zip(judged.argo_cd, judged.flux, strict=True)}
