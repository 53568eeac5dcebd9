"""The engine's own settings: batch sizes and intervals in seconds. What a Cluster's spec says about itself is not here."""

from dataclasses import dataclass, field

from fairlead.domain.pacing import Pacing


@dataclass(frozen=True, slots=True)
class EngineSettings:
    """How the loops work."""

    pacing: Pacing = field(default_factory=Pacing)
    submit_batch: int = 25
    """Keys in one submit exec: a hanging sbatch delays no more than these."""
    cancel_batch: int = 200
    """Keys in one cancel exec."""
    bury_batch: int = 500
    """Finished Runs whose directories one exec brings down to tombstones."""
    api_writes: int = 16
    """API writes of one site in flight."""
    breaker_limit_seconds: float = 30.0
    """The longest pause between two tries to reach a cluster that does not answer: with the time to connect, all are back within a minute
    after an outage."""
    reach_seconds: float = 180.0
    """For one try to reach a cluster and to check it, all waits included; the time to connect, which a Cluster may set, comes on top."""
    turn_seconds: float = 300.0
    """A site's loop, and each of the others, shows a sign of life within this, however slow API server and login nodes are."""
    stuck_seconds: float = 60.0
    """A loop that is so much later than its deadlines allow counts as stuck: /livez says so."""
    breaker_person_seconds: float = 300.0
    """The longest pause when only a person can mend it: each try costs the login node an authentication."""
    overdue_seconds: float = 2.0
    """Between two looks at which deleted Jobs are past their deadline, while a login node keeps us waiting."""
    heartbeat_seconds: float = 300.0
    """A Cluster's status is confirmed this often, though nothing in it changed."""
    secret_refresh_seconds: float = 300.0
    """The Secrets of a Cluster are read again this often."""
    touch_seconds: float = 86400.0
    """Directories of live Runs are touched this often: sites purge what lies untouched."""
    finished_seconds: float = 60.0
    """Between two looks at which finished Jobs are gone."""
    label_seconds: float = 15.0
    """Between two looks at which Jobs have the label of finished ones and have not ended."""
    ledger_seconds: float = 60.0
    """The ledger is read again this often, should a person have changed it."""
    payments_seconds: float = 5.0
    """Between two looks at which clusters answer on which something is owed."""
    relist_seconds: float = 300.0
    """All objects are listed this often, should a watch have missed one."""
    sweep_seconds: float = 3600.0
    """Each cluster is searched this often for Runs whose object is gone."""
    gauges_seconds: float = 15.0
    """What is watched is counted this often for the metrics."""
