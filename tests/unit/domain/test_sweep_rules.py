"""When a sweep may clean up, and when a person has to agree first."""

import pytest

from fairlead.api.v1alpha1.cluster import SweepAgreement
from fairlead.domain.gone.sweep import Found, Ruling, number_to_agree, rule_on


@pytest.mark.parametrize(("runs", "gone", "suspicious"), [
    pytest.param(0, 0, False, id="nothing-there"),
    pytest.param(10, 10, False, id="ten-are-few-whatever-the-share"),
    pytest.param(11, 11, True, id="more-than-ten-and-all-of-them"),
    pytest.param(100, 20, False, id="a-fifth-of-many"),
    pytest.param(100, 21, True, id="more-than-a-fifth"),
    pytest.param(50, 11, True, id="more-than-ten-is-more-than-a-fifth-of-fifty"),
    pytest.param(1000, 200, False, id="a-fifth-of-a-thousand"),
])
def test_what_is_suspicious(runs: int, gone: int, suspicious: bool) -> None:
    """Else a restored API server would cost every job, or each hour's few leftovers would wait for a person."""
    assert Found(runs, gone).is_suspicious is suspicious


def spent(number: int, left: int = 0) -> SweepAgreement:
    """What a status remembers."""
    return SweepAgreement(number=number, left=left)


@pytest.mark.parametrize(("found", "agreed", "before", "refused", "ruling"), [
    pytest.param(Found(9, 9), 0, None, False, Ruling(True, None), id="few"),
    pytest.param(Found(40, 40), 0, None, False, Ruling(False, None), id="many"),
    pytest.param(Found(40, 40), 0, None, True, Ruling(False, None), id="many-still"),
    pytest.param(Found(40, 40), 40, None, True, Ruling(True, spent(40, 40), by_agreement=True), id="agreed-after-the-refusal"),
    pytest.param(Found(40, 40), 40, None, False, Ruling(False, spent(40, 0)), id="written-before-anything-was-refused"),
    pytest.param(Found(50, 41), 40, None, True, Ruling(False, spent(40, 40)), id="more-than-was-agreed-to"),
    pytest.param(Found(50, 38), 40, None, True, Ruling(True, spent(40, 38), by_agreement=True), id="fewer-since-some-came-back"),
    pytest.param(Found(40, 25), 40, spent(40, 40), False, Ruling(True, spent(40, 25), by_agreement=True), id="the-rest-after-a-crash"),
    pytest.param(Found(40, 26), 40, spent(40, 25), False, Ruling(False, spent(40, 25)), id="more-than-the-sweep-before-had-found"),
    pytest.param(Found(40, 0), 40, spent(40, 40), False, Ruling(True, spent(40, 0)), id="done-so-it-is-spent"),
    pytest.param(Found(40, 40), 40, spent(40, 0), True, Ruling(False, spent(40, 0)), id="spent-counts-no-second-time"),
    pytest.param(Found(40, 12), 40, spent(40, 0), True, Ruling(False, spent(40, 0)), id="nor-for-fewer"),
    pytest.param(Found(40, 40), 41, spent(40, 0), True, Ruling(True, spent(41, 40), by_agreement=True), id="another-number-is-news"),
    pytest.param(Found(5, 1), 40, None, False, Ruling(True, spent(40, 0)), id="a-stale-one-is-spent-by-a-quiet-sweep"),
])
def test_an_agreement_counts_once(found: Found, agreed: int, before: SweepAgreement | None, refused: bool, ruling: Ruling) -> None:
    """Else an annotation that somebody forgot would wave through the next accident."""
    assert rule_on(found, agreed, before, refused=refused) == ruling


@pytest.mark.parametrize(("agreed", "number"), [(0, 40), (12, 40), (40, 41)])
def test_the_number_that_is_asked_for_is_not_there_already(agreed: int, number: int) -> None:
    """Else who writes what the condition says would change nothing."""
    assert number_to_agree(Found(40, 40), agreed) == number
