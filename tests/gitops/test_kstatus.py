"""Flux's status of every state, by its own library: what `wait: true` and `dependsOn` of a Kustomization go by."""

from bed.gitops import Words
from fairlead.api.crd import RESOURCES, definition
from product.judged import Judged, misjudged
from product.states import Meant, unseen

WORDS = {
    Meant.GOES_ON: "InProgress", Meant.DONE: "Current", Meant.FAILED: "Failed", Meant.SET_ASIDE: "InProgress",
    Meant.STRANDED: "InProgress", Meant.STUCK: "Failed", Meant.LAPSED: "InProgress", Meant.GOING: "Terminating",
}
UNSEEN = dict.fromkeys(Meant, "InProgress") | {Meant.GOING: "Terminating"}


def test_a_job_is_current_when_it_is_complete_and_failed_when_it_has_failed(jobs: Judged) -> None:
    """What depends on a Job would begin before its end, or wait for a failed one until the time-out."""
    assert misjudged(jobs.states, jobs.flux, WORDS) == []


def test_a_session_is_current_while_it_can_be_used_and_failed_when_it_has_ended(sessions: Judged) -> None:
    """What depends on its address would begin before anybody answers there, or wait for one that has ended until the time-out."""
    assert misjudged(sessions.states, sessions.flux, WORDS) == []


def test_a_cluster_is_current_when_it_is_ready(clusters: Judged) -> None:
    """Jobs would be applied before their Cluster can be worked with, or a wrong host key be waited for until the time-out."""
    assert misjudged(clusters.states, clusters.flux, WORDS) == []


def test_a_changed_spec_is_in_progress_until_it_was_seen(words: Words, jobs: Judged, clusters: Judged) -> None:
    """Flux would go by what the spec before had come to."""
    live = [each for each in jobs.states if each.meant not in {Meant.DONE, Meant.FAILED}]
    changed = [unseen(each) for each in [*live, *clusters.states]]
    assert misjudged(changed, words.kstatus([each.body for each in changed]), UNSEEN) == []


def test_an_end_is_an_end(words: Words, jobs: Judged) -> None:
    """A finished Job is not watched: one whose TTL was changed would be in progress for ever, and so would all that depends on it."""
    changed = [unseen(each) for each in jobs.states if each.meant in {Meant.DONE, Meant.FAILED}]
    assert changed
    assert misjudged(changed, words.kstatus([each.body for each in changed]), WORDS) == []


def test_what_the_controller_has_not_seen_is_in_progress(words: Words) -> None:
    """A Job that was just applied has no condition: Flux would take it for done, and go on before it has begun."""
    for resource in RESOURCES:
        schema = definition(resource)["spec"]["versions"][0]["schema"]["openAPIV3Schema"]   # type: ignore[index,call-overload]
        new = {"apiVersion": "fairlead.dev/v1alpha1", "kind": resource.kind, "metadata": {"name": "new", "generation": 1}}
        filled_in = new | {"status": schema["properties"]["status"]["default"]}
        assert [each.status for each in words.kstatus([filled_in, new])] == ["InProgress", "Current"]
