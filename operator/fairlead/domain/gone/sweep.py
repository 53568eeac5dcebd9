"""Whether a sweep may clean up behind all the objects that it found gone, or a person has to say so first.

Many gone at once looks like an API server that was restored from a backup, or that shows us less than before.
"""

from dataclasses import dataclass

from fairlead.api.v1alpha1.cluster import SweepAgreement

SUSPICIOUS_COUNT, SUSPICIOUS_SHARE = 10, 0.2
"""More gone at once than the greater of the two is suspicious."""


@dataclass(frozen=True, slots=True)
class Found:
    """What a sweep found: how many Runs, and how many of them have lost their objects, in a way that nobody knew of."""

    runs: int
    gone: int

    @property
    def is_suspicious(self) -> bool:
        """Whether so many may not go without a person."""
        return self.gone > max(SUSPICIOUS_COUNT, SUSPICIOUS_SHARE * self.runs)


@dataclass(frozen=True, slots=True)
class Ruling:
    """Whether the sweep `passes`, and what is left of a person's agreement then: written into the status before anything is done."""

    passes: bool
    agreement: SweepAgreement | None
    by_agreement: bool = False


def rule_on(found: Found, agreed: int, before: SweepAgreement | None, *, refused: bool) -> Ruling:
    """Rule on a sweep. `agreed` is the annotation's number, 0 without one; `before` what the status remembers of it.

    An agreement answers a refusal that has been told (`refused`) and allows as many as it names. Once used, it allows no more than the
    sweep it was used for found, since that one may have been cut off; and once a sweep passes without it, nothing: it is spent, until the
    annotation is taken away or has another number.
    """
    if not agreed:
        return Ruling(not found.is_suspicious, None)
    if not found.is_suspicious:
        return Ruling(True, SweepAgreement(number=agreed, left=0))
    left = before.left if before is not None and before.number == agreed else agreed if refused else 0
    passes = found.gone <= left
    return Ruling(passes, SweepAgreement(number=agreed, left=found.gone if passes else left), by_agreement=passes)


def number_to_agree(found: Found, agreed: int) -> int:
    """The number that a person may write to agree: one that is not there already."""
    return found.gone + 1 if agreed == found.gone else found.gone
