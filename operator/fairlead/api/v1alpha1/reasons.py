"""The words of conditions: their types, and their reasons with what each says to a person.

The documentation's table of reasons is made from the `meaning` of each. A reason is never renamed: people's alerts name it.
"""

from __future__ import annotations

from enum import StrEnum
from typing import Self


class Word(StrEnum):
    """A word with its meaning in one sentence."""

    meaning: str

    def __new__(cls, word: str, meaning: str) -> Self:
        """Make a member that is its word and knows its meaning."""
        member = str.__new__(cls, word)
        member._value_ = word
        member.meaning = meaning
        return member


class ClusterCondition(Word):
    """Types of a Cluster's conditions."""

    READY = "Ready", "Jobs can be submitted, watched and cancelled."
    REACHABLE = "Reachable", "A connection with authentication stands, or stood at the last poll."
    HOST_KEY_VERIFIED = "HostKeyVerified", "The server showed a host key that spec.hostKeys names."
    WORK_DIR_READY = "WorkDirReady", "The work folder is there, writable, and Fairlead's own."
    SCHEDULER_AVAILABLE = "SchedulerAvailable", "The scheduler answered the last poll."
    ACCOUNTING_AVAILABLE = "AccountingAvailable", "sacct answered, so the end of Jobs that left the queue can be looked up."
    IN_USE = "InUse", "Jobs of this Cluster have not ended, or something is owed there; a deleted Cluster stays until neither is so."
    SWEEP_HELD = "SweepHeld", "The sweep found suspiciously many Runs without their objects, and touches nothing until a person agrees."
    RECONCILING = "Reconciling", "The Cluster is on its way to a new state."
    STALLED = "Stalled", "The Cluster waits for a person to change something."


class JobCondition(Word):
    """Types of a Job's conditions."""

    SUBMITTED = "Submitted", "The scheduler accepted the Job, or its directory on the cluster says so."
    RUNNING = "Running", "The script runs."
    SUSPENDED = "Suspended", "The Job is set aside: by spec.suspend (reason JobSuspended), or for a while by the scheduler."
    HELD = "Held", "The Job waits for a person."
    COMPLETE = "Complete", "The script ended with exit code 0."
    FAILED = "Failed", "The Job has ended without success and is not tried again."
    READY = "Ready", "True when the Job is complete, for tools that wait for it."
    STALLED = "Stalled", "True when the Job has failed, or waits for a person to change a limit; for tools that wait for it."


class SessionCondition(Word):
    """Types of a Session's conditions."""

    SUBMITTED = "Submitted", "The scheduler accepted the Session, or its directory on the cluster says so."
    ALLOCATED = "Allocated", "The scheduler has given the Session its node, and its process was started there."
    SERVICE_READY = "ServiceReady", "The Session's Service is there, under its name, and is the Session's own."
    TUNNEL_READY = "TunnelReady", "A gateway says that it has a way to the Session's process."
    PROCESS_READY = (
        "ProcessReady",
        "A gateway says that the process answers as application.readiness says; Unknown while it has no way to it.",
    )
    READY = "Ready", "True when the process runs and is ready, its Service is there and a gateway has a way to it."
    IDLE = "Idle", "No byte is carried for clients, since when the message says; Unknown while the Session is not ready."
    EXPIRING = "Expiring", "The Session is ended soon, when and why the message says; set spec.expiry for how soon."
    SUSPENDED = "Suspended", "The Session is set aside: by spec.suspend (reason JobSuspended), or for a while by the scheduler."
    HELD = "Held", "The Session waits for a person."
    ENDED = "Ended", "The process ended with exit code 0, or its time was over."
    FAILED = "Failed", "The Session has ended otherwise."
    STALLED = "Stalled", "True when the Session has come to its end, or waits for a person to change a limit; for tools that wait for it."


class ClusterReason(Word):
    """Reasons in a Cluster's conditions."""

    READY = "Ready", "Every check passed."
    CONNECTED = "Connected", "A connection with authentication stands."
    VERIFIED = "Verified", "What was found is what the Cluster or Fairlead's own mark names."
    ANSWERING = "Answering", "The scheduler or its accounting answered."
    CONNECTING = "Connecting", "The first connection is being made."
    NOT_CHECKED = "NotChecked", "An earlier check did not pass, so this one was not made."
    SUSPENDED = "Suspended", "spec.suspend is true: the cluster is left alone."
    SECRET_NOT_FOUND = "SecretNotFound", "A Secret that the Cluster names does not exist in its namespace."
    SECRET_INVALID = "SecretInvalid", "A Secret lacks the field that was looked for, or the field cannot be read as a key."
    PASSPHRASE_REQUIRED = "PassphraseRequired", "The private key has a passphrase, and the Secret's passphrase field is missing or wrong."
    HOST_KEYS_INVALID = "HostKeysInvalid", "The known_hosts lines cannot be read or name no key of this host."
    HOST_KEY_UNKNOWN = "HostKeyUnknown", "No known key is listed for this host; the message has the fingerprint seen."
    HOST_KEY_MISMATCH = "HostKeyMismatch", "The server showed another key than the one listed; the message has the fingerprint seen."
    AUTHENTICATION_FAILED = "AuthenticationFailed", "The server refused the user with this key."
    NAME_NOT_RESOLVED = "NameNotResolved", "The host name has no address."
    CONNECTION_REFUSED = "ConnectionRefused", "Nothing listens on the port."
    CONNECT_TIMEOUT = "ConnectTimeout", "The connection was not made in time."
    CONNECTION_LOST = "ConnectionLost", "The connection broke off."
    CONNECTION_FAILED = "ConnectionFailed", "The connection could not be made for a reason that the message names."
    NO_COMMON_ALGORITHM = "NoCommonAlgorithm", "The server offers only algorithms that Fairlead does not accept, as too weak."
    NO_FREE_CONNECTION = "NoFreeConnection", "All connections that this controller may hold are in use."
    LOGIN_SHELL_FAILED = "LoginShellFailed", "The user's login shell on the cluster did not run what it was given."
    HOST_REMOVED = "HostRemoved", "The host is no longer in spec.process.hosts, and something of a Job may still be there."
    NO_SBATCH = "NoSbatch", "sbatch was found neither in the login shell's PATH nor in spec.slurm.binPath."
    TOOLS_MISSING = "ToolsMissing", "The bare host lacks a program that handing out its slots needs; the message names it."
    ENDS_AT_LOGOUT = "EndsAtLogout", "The host ends a user's processes when his connection closes, so that no Job would live on there."
    WORK_DIR_NOT_WRITABLE = "WorkDirNotWritable", "The work folder cannot be made or written to."
    WORK_DIR_NOT_OURS = "WorkDirNotOurs", "The work folder's mark is missing, not the one in the status, or another installation's."
    WORK_DIR_NOT_SAFE = "WorkDirNotSafe", "Others can write to the work folder, or to a folder above it; the message names which."
    SCHEDULER_DOWN = "SchedulerDown", "The scheduler did not answer."
    ACCOUNTING_DOWN = "AccountingDown", "sacct did not answer."
    ACCOUNTING_OFF = "AccountingOff", "spec.slurm.accounting is None, or the site keeps no accounting."
    POLL_TIMED_OUT = "PollTimedOut", "The last poll took longer than spec.polling.timeoutSeconds."
    POLL_FAILED = "PollFailed", "The last poll's answer was incomplete or unreadable."
    RUNS_ACTIVE = "RunsActive", "Jobs of this Cluster have not ended."
    DEBTS_OWED = "DebtsOwed", "Runs of deleted Jobs may have left something on the cluster; status.residue names them."
    CLEANING_UP = "CleaningUp", "Runs whose objects are gone are being cleaned up."
    NOT_IN_USE = "NotInUse", "No Job of this Cluster is waiting or running, and nothing is owed there."
    DEBTS_FORGIVEN = "DebtsForgiven", "A person has given up what was owed on the cluster: an Event on a Cluster that is being deleted."
    TOO_MANY_GONE = "TooManyGone", "More than ten, and more than a fifth, of the Runs have lost their objects at once."
    SWEEP_AGREED = "SweepAgreed", "A person has agreed to a sweep that was held, and it was made: an Event on the Cluster."
    INTERNAL_ERROR = "InternalError", "Fairlead met an error of its own; it tries again, and the controller's log has the details."
    WRITE_REFUSED = "WriteRefused", "The API server refuses what has to be written on the Cluster, in the message's words: an Event."
    STRANGE_ENTRIES = "StrangeEntries", "The work folder holds directories or entries that Fairlead has not made: an Event on the Cluster."
    WORK_DIR_KEPT = (
        "WorkDirKept",
        "The Cluster goes and its work folder stays, since something there is needed or cannot be removed: an Event on the Cluster.",
    )
    SWEEP_PASSED = "SweepPassed", "The last sweep found nothing suspicious, or a person agreed to it."


class JobReason(Word):
    """Reasons in a Job's conditions."""

    CLUSTER_NOT_FOUND = (
        "ClusterNotFound",
        "The Cluster that spec.clusterRef names does not exist; the Job waits for it.",
    )
    NAMESPACE_NOT_ALLOWED = "NamespaceNotAllowed", "The Cluster's spec.allowedNamespaces does not admit the Job's namespace; the Job waits."
    CLUSTER_NOT_READY = "ClusterNotReady", "The Cluster is not ready; the Job waits for it."
    CLUSTER_SUSPENDED = "ClusterSuspended", "The Cluster's spec.suspend is true; the Job waits."
    CLUSTER_TERMINATING = "ClusterTerminating", "The Cluster is being deleted and takes no new Job."
    CLUSTER_LIMIT_REACHED = (
        "ClusterLimitReached",
        "As many Jobs of the Cluster as its spec.limits.maxActiveJobs allows are active; the Job waits its turn.",
    )
    NO_FREE_HOST = "NoFreeHost", "The Job fits on none of the Cluster's hosts now; it waits its turn."
    HOST_UNKNOWN = "HostUnknown", "It is not known on which host of its Cluster the Job may run: somebody has changed status.host."
    SCRIPT_REF_NOT_FOUND = "ScriptRefNotFound", "The ConfigMap or its field does not exist; the Job waits for it."
    INVALID_SCRIPT = "InvalidScript", "The script would be refused by sbatch, or holds an #SBATCH line that Fairlead cannot pass on."
    SUBMITTING = "Submitting", "The Job is being handed to the scheduler."
    SUBMISSION_UNKNOWN = (
        "SubmissionUnknown",
        "Whether the scheduler took the Job is not known yet; the Job's directory on the cluster will tell.",
    )
    SUBMISSION_DEFERRED = "SubmissionDeferred", "The scheduler takes no Job now, in its own words; it is asked again."
    SUBMISSION_REJECTED = "SubmissionRejected", "The scheduler refused the Job, in its own words."
    DEPENDENCY_NEVER_SATISFIED = "DependencyNeverSatisfied", "What the Job was to wait for can never come any more, so it was withdrawn."
    SUBMITTED = "Submitted", "The scheduler accepted the Job."
    SUSPENDED = "Suspended", "The scheduler has stopped the Job for a while; it goes on by itself or when an operator resumes it."
    QUEUED = "Queued", "The Job waits in the queue, for the reason in the message."
    RUNNING = "Running", "The script runs."
    COMPLETING = "Completing", "The script has ended and the scheduler clears up behind it."
    HELD = "Held", "The Job is held on the cluster until a person releases it."
    UNSCHEDULABLE = "Unschedulable", "The Job waits in the queue for a reason that does not clear by itself, such as `PartitionTimeLimit`."
    STATE_UNKNOWN = "StateUnknown", "The scheduler's word is not known to this release; the Job is watched on."
    UNEXPLAINED = "Unexplained", "The Job left the queue without a sign of its end; other sources are asked."
    COMPLETED = "Completed", "The script ended with exit code 0."
    NON_ZERO_EXIT_CODE = "NonZeroExitCode", "The script ended with an exit code other than 0."
    SIGNALED = "Signaled", "A signal ended the script."
    TIME_LIMIT_EXCEEDED = "TimeLimitExceeded", "The scheduler ended the Job at its time limit."
    OOM_KILLED = "OOMKilled", "The Job used more memory than it had asked for."
    NODE_FAILURE = "NodeFailure", "A node of the Job failed."
    BOOT_FAILURE = "BootFailure", "A node of the Job could not be started."
    PREEMPTED = "Preempted", "The scheduler took the Job's nodes for another."
    CANCELLED_EXTERNALLY = "CancelledExternally", "Somebody cancelled the Job on the cluster."
    ENVIRONMENT_FAILURE = (
        "EnvironmentFailure",
        "The script was not started: something of it is missing on the compute node, or the login shell ended before it.",
    )
    OUTPUT_NOT_WRITABLE = "OutputNotWritable", "The output file could not be opened, so the script was not started."
    END_UNEXPLAINED = (
        "EndUnexplained",
        "The script ended with 0 after a signal to end, and nobody can say any more why that came: it may have been cut short.",
    )
    NEVER_STARTED = "NeverStarted", "It is proved that the attempt never ran and never will."
    RETRYING = "Retrying", "The last attempt never ran, or failed with some of backoffLimit left; another follows."
    BACKOFF_LIMIT_EXCEEDED = "BackoffLimitExceeded", "The last attempt that backoffLimit allows has failed, for the reason in the message."
    DEADLINE_EXCEEDED = "DeadlineExceeded", "activeDeadlineSeconds have passed since the Job was taken up."
    JOB_SUSPENDED = "JobSuspended", "The Job's spec.suspend is true: nothing of it is on the cluster."
    JOB_RESUMED = "JobResumed", "The Job's spec.suspend is false again: a new attempt follows."
    LOST = "Lost", "The Job left the queue without a sign of its end; it may have run."
    RUN_DIRECTORY_MISSING = "RunDirectoryMissing", "The Job's directory vanished from the cluster while the Job was alive."
    NOT_SHARED = "WorkDirNotShared", "The Job left no sign in the work folder: compute nodes do not seem to share it."
    DUPLICATE = "Duplicate", "The scheduler holds two jobs for one attempt; the one that did not claim it is cancelled."
    CANCELLING = "Cancelling", "The Job was told to end."
    HOST_KEPT = "HostKept", "Somebody has changed the annotation that names the Job's host; it stays where status.host says."
    LABEL_REMOVED = (
        "LabelRemoved",
        "Somebody had put the label of finished Jobs on a Job that has not ended; it was taken off, and the Job goes on.",
    )
    ORPHANED = "Orphaned", "deletionPolicy is Orphan: what the Job has on the cluster is left alone there."
    CLUSTER_UNREACHABLE = "ClusterUnreachable", "The Job is to be deleted, and its cluster does not answer."
    INTERNAL_ERROR = (
        "InternalError",
        "Something went wrong with this Job that nobody has foreseen; it is tried again, and the controller's log has the details.",
    )
    WRITE_REFUSED = (
        "WriteRefused",
        "The API server refuses what has to be written on the Job, by a policy or webhook, in the message's words; it is tried again.",
    )
    LET_GO = "LetGo", "deletionDeadlineSeconds were over, so the deleted Job went; what it may have left on the cluster is in the ledger."


class SessionReason(Word):
    """Reasons in a Session's conditions, beside a Job's."""

    READY = "Ready", "The Session is reached through its Service."
    NOT_RUNNING = "NotRunning", "The process does not run, so there is nothing to reach."
    SERVICE_MADE = "ServiceMade", "The Service is there, and is the Session's own."
    NAME_TAKEN = "NameTaken", "A Service of the Session's name is there and is not the Session's; it is left alone."
    SERVICE_REFUSED = "ServiceRefused", "The API server refuses the Service, in the message's words."
    NO_TUNNEL = "NoTunnel", "No gateway has opened a way to the process yet."
    TUNNEL_OPENING = "TunnelOpening", "A gateway is opening a way to the process."
    TUNNEL_OPEN = "TunnelOpen", "A gateway has a way to the process."
    TUNNEL_BROKEN = "TunnelBroken", "The way to the process is broken; the gateway tries again."
    ANSWERS = "Answers", "The process is ready, as application.readiness says."
    NOT_ANSWERING = "NotAnswering", "The process takes connections, and does not answer yet as application.readiness says."
    STARTUP_DEADLINE_EXCEEDED = "StartupDeadlineExceeded", "The process was not ready within startupDeadlineSeconds, and was ended."
    TOKEN_NOT_FOUND = "TokenNotFound", "The Secret of the token, or its field, does not exist; the Session waits for it."
    TOKEN_INVALID = "TokenInvalid", "The token cannot be used, for what the message says; the Session waits until that is changed."
    TOKEN_NAME_TAKEN = (
        "TokenNameTaken",
        "A Secret of the Session's name is there and is not the Session's; it is left alone, and the Session waits.",
    )
    TOKEN_REFUSED = "TokenRefused", "The API server refuses the Secret for the token, in the message's words; the Session waits."
    ENDED = "Ended", "The process ended of itself, with exit code 0."
    LIFETIME_OVER = "LifetimeOver", "maxLifetimeSeconds were over, so the Session was ended."
    IDLE_TIMEOUT = "IdleTimeout", "No byte was carried for clients for idleTimeoutSeconds, so the Session was ended."
    QUIET = "Quiet", "No byte is carried for clients, since when the message says."
    IN_USE = "InUse", "Bytes are carried for clients; or its gateway has only begun to look."
    ENDS_SOON = "EndsSoon", "The Session is ended at the time in the message, unless that is put off."
    GOES_ON = "GoesOn", "The end that was near has been put off."
