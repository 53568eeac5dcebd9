"""What a rule sees: the facts, and what the Cluster's spec says. Pure."""

from dataclasses import dataclass

from fairlead.api.v1alpha1.cluster import ClusterSpec, ProcessHost
from fairlead.schedulers.doctor import Facts


@dataclass(frozen=True, slots=True)
class View:
    """One endpoint or host. `sent_at` and `heard_at` are our clock's epoch seconds around the moment in which the far end read its own."""

    spec: ClusterSpec
    facts: Facts
    sent_at: float
    heard_at: float
    host: ProcessHost | None = None  # of a bare host, where a Cluster says how large it is
    broken: str = ""                 # why the answer is not whole, in a sentence
    not_run: str = ""                # why there is none at all, in a sentence
