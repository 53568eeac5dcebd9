"""The engine's own settings: batch sizes and intervals in seconds. What a Cluster's spec says about itself is not here."""

from dataclasses import dataclass, field

from fairlead.domain.pacing import Pacing


@dataclass(frozen=True, slots=True)
class PauseSettings:
    """How long what failed waits before it is tried again. Each pause is twice as long as the one before, from the first to its limit."""

    first_seconds: float = 1.0
    """The first pause of a cluster that does not answer, of a site's loop that met an error, and of a write that was not taken."""
    write_limit_seconds: float = 10.0
    """Of a write while the API server does not answer, or others wrote meanwhile: what it did not take then, it takes soon."""
    refused_limit_seconds: float = 300.0
    """Of a write that is refused, which lasts until a person changes something."""
    asked_limit_seconds: float = 60.0
    """The longest pause that the API server may ask for itself."""
    mishap_seconds: float = 5.0
    """The first pause of one object with which something went wrong that nobody has foreseen."""
    mishap_limit_seconds: float = 300.0
    """The longest of these."""
    mishap_forgotten_seconds: float = 600.0
    """After so long without another the next one counts as the first."""
    deletion_seconds: float = 30.0
    """A deletion of a finished object that the API server did not do is asked for again after this."""
    deletion_limit_seconds: float = 1800.0
    """The longest of these pauses."""
    api_seconds: float = 1.0
    """Before the next try to reach a cluster, when the API server did not give what that needs. Always the same."""
    debt_seconds: float = 5.0
    """Before a debt that could not be written down is tried again. Always the same."""
    service_seconds: float = 10.0
    """Before a Service that was refused, or whose name is another's, is tried again: nobody tells us when a name becomes free. Always the
    same."""
    look_seconds: float = 5.0
    """Before a look that failed is tried again, unless the next one is due sooner. Always the same."""


@dataclass(frozen=True, slots=True)
class ListeningSettings:
    """How a site has somebody listen at the far end for a Run's begin or end."""

    above_seconds: float = 2.5
    """Polls that are this often need nobody to listen for what they will see."""
    exec_seconds: int = 55
    """One exec listens so long: what a controller that ended has left there ends after this at the latest."""
    failed_seconds: float = 300.0
    """After an exec that failed nobody listens for so long."""
    within_seconds: float = 60.0
    """So many seconds see no more than six execs begin: two for each of three Runs that begin and end."""
    news_seconds: float = 30.0
    """A change that a poll sees so soon after news was heard is taken for what the news was of."""


@dataclass(frozen=True, slots=True)
class EngineSettings:
    """How the loops work."""

    pacing: Pacing = field(default_factory=Pacing)
    pauses: PauseSettings = field(default_factory=PauseSettings)
    listening: ListeningSettings = field(default_factory=ListeningSettings)
    submit_batch: int = 25
    """Keys in one submit exec: a hanging sbatch delays no more than these."""
    cancel_batch: int = 200
    """Keys in one cancel exec."""
    bury_batch: int = 500
    """Finished Runs whose directories one exec brings down to tombstones."""
    api_writes: int = 16
    """API writes of one site in flight."""
    api_questions: int = 16
    """Questions to the API server in flight, of one look at debts, logins or Jobs that no site has."""
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
    idle_seconds: float = 60.0
    """A site's loop looks at everything at least this often, also when nothing woke it."""
    rest_limit_seconds: float = 1.0
    """The longest rest of a site's loop after a look at many Jobs, for the others."""
    first_ledger_seconds: float = 0.5
    """Between two looks of a site at whether the ledger has been read, which the first sweep waits for."""
    unplaced_seconds: float = 5.0
    """Between two looks at the Jobs that no site has."""
    telling_seconds: float = 10.0
    """One such look tells Jobs what they wait for until this is over; the others are told by the next."""
    labels_again_seconds: float = 2.0
    """The labels of a namespace are read again after this at the soonest, for Clusters that go by them."""
    labels_kept_seconds: float = 60.0
    """Labels that cannot be read again count for so long; then the namespace is not admitted by them any more."""
    label_woken_seconds: float = 1.0
    """At least so long between two looks for wrong labels, also when Jobs leave the watch: who changes labels costs a list a second, no
    more."""
    expiry_seconds: float = 1.0
    """How late a finished Job may be deleted; each look is at a table in memory."""
    woken_seconds: float = 0.5
    """At least so long between two looks of a loop, however often it is woken: what wakes it meanwhile is seen by the next."""
    logins_seconds: float = 60.0
    """A namespace that had no Job on a Cluster is asked for again after this, if the Cluster's status still names its login."""
    port_first_seconds: float = 1.0
    """Until the first look at the port of a login node that did not answer; the first pause before a new try is no longer."""
    port_seconds: float = 3.0
    """Between two of these looks, up to a third less by chance."""
    poll_limit_seconds: float = 60.0
    """One poll looks at Runs for half of this at most; half of the Cluster's own time-out if that is shorter."""
    tree_seconds: float = 300.0
    """A deleted Cluster waits so long for its work folder to be gone, and goes without that then."""
    unaccounted_seconds: float = 604800.0
    """A debt of which nobody has said that its Run ended is struck after this: as long as tombstones stand, after which nothing can start
    under its key."""
