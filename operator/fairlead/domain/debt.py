"""What is still owed on a cluster when an object had to be let go."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Debt:
    """A run that may have left something behind on a cluster, and whose object is gone."""

    key: str                         # <object uid>-<attempt>
    cluster_namespace: str
    cluster_name: str
    kind: str                        # of the object that is gone
    namespace: str
    name: str
    since: str                       # RFC 3339
    reason: str                      # CamelCase: Unreachable, Unaccounted


UNACCOUNTED = "Unaccounted"
"""Cancelled and not listed, yet neither the node nor the scheduler has said that it ended: a start which the scheduler itself has forgotten
may run on until its wrapper finds the claim changed."""
