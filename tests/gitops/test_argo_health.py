"""Argo CD's health of every state, by its own library and the Lua that it runs: what its user sees, and what a sync wave waits for."""

from collections.abc import Mapping

import pytest
import yaml

from bed.errors import BedError
from bed.gitops import Words
from fairlead.api.v1alpha1 import names
from product.judged import Judged, misjudged
from product.states import Meant, unseen

from .conftest import ARGO_CD

WORDS = {
    Meant.GOES_ON: "Progressing", Meant.DONE: "Healthy", Meant.FAILED: "Degraded", Meant.SET_ASIDE: "Suspended",
    Meant.STRANDED: "Degraded", Meant.STUCK: "Degraded", Meant.LAPSED: "Degraded", Meant.GOING: "Progressing",
}


def test_a_job_has_the_health_that_a_person_would_say(jobs: Judged) -> None:
    """A sync wave would go on while a Job runs, or wait for ever for one that has ended; a failed one would look well."""
    assert {each.meant for each in jobs.states} == set(Meant) - {Meant.LAPSED}
    assert misjudged(jobs.states, jobs.argo_cd, WORDS) == []


def test_a_session_has_the_health_that_a_person_would_say(sessions: Judged) -> None:
    """What needs its address would be applied before anybody answers there, and one that has ended would look well."""
    assert {each.meant for each in sessions.states} == set(Meant) - {Meant.LAPSED}
    assert misjudged(sessions.states, sessions.argo_cd, WORDS) == []


def test_a_cluster_has_the_health_that_a_person_would_say(clusters: Judged) -> None:
    """Jobs would be applied before their Cluster is there, and a Cluster that is gone would look well."""
    assert {each.meant for each in clusters.states} == set(Meant) - {Meant.STRANDED, Meant.STUCK}
    assert misjudged(clusters.states, clusters.argo_cd, WORDS) == []


def test_a_cluster_is_judged_by_its_newest_spec(words: Words, scripts: Mapping[str, str], clusters: Judged) -> None:
    """The sync that mends a wrong host key would fail at once, since the Cluster is still said to be degraded."""
    changed = [unseen(each) for each in clusters.states]
    assert misjudged(changed, words.health(scripts, [each.body for each in changed]), dict.fromkeys(Meant, "Progressing")) == []


def test_an_end_is_an_end(words: Words, scripts: Mapping[str, str], jobs: Judged) -> None:
    """A finished Job whose TTL was changed would count as running for ever."""
    changed = [unseen(each) for each in jobs.states if each.meant in {Meant.DONE, Meant.FAILED}]
    assert misjudged(changed, words.health(scripts, [each.body for each in changed]), WORDS) == []


def test_each_word_has_a_sentence(jobs: Judged, sessions: Judged, clusters: Judged) -> None:
    """Argo CD would show a colour without a reason."""
    judged = (jobs, sessions, clusters)
    for state, verdict in (pair for each in judged for pair in zip(each.states, each.argo_cd, strict=True)):
        assert verdict.message
        if state.meant in {Meant.FAILED, Meant.LAPSED, Meant.STRANDED}:
            assert verdict.message.startswith(f"{state.reason}: ")


def test_the_scripts_need_no_more_than_argo_cd_opens_to_them(words: Words, scripts: Mapping[str, str]) -> None:
    """A script that works here would fail there: neither strings nor mathematics are opened to it."""
    body = {"apiVersion": names.API_VERSION, "kind": "Job", "metadata": {"name": "sim"}, "spec": {}}
    with pytest.raises(BedError, match="attempt to index a non-table object"):
        words.health({"Job": 'return { status = string.upper("healthy") }'}, [body])
    assert words.health(scripts, [body])[0].status == "Progressing"


def test_the_snippet_for_argocd_cm_holds_these_scripts(scripts: Mapping[str, str]) -> None:
    """Who pastes it would have older rules than the files beside it."""
    snippet = yaml.safe_load((ARGO_CD / "argocd-cm.yaml").read_text(encoding="utf-8"))
    assert snippet["data"] == {f"resource.customizations.health.{names.GROUP}_{kind}": text for kind, text in scripts.items()}
    assert set(scripts) == {names.JOB_KIND, names.SESSION_KIND, names.CLUSTER_KIND}
