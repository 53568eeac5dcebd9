"""The kinds of objects that Runs are made for, as far as this release knows them. What is of another kind is another release's."""

from typing import Final

from fairlead.api.v1alpha1 import names

KNOWN: Final = frozenset({names.JOB_KIND})
"""By the word that stands in manifests, in the ledger, and in a run directory; there a Job's is left out."""


def plural_of(kind: str) -> str:
    """What a kind of ours is called in the API's paths: `jobs` for Job."""
    return f"{kind.lower()}s"
