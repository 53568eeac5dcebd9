"""Every error Fairlead raises, in one tree that answers two questions: whose fault is it, and will a retry help?

    FairleadError
    ├── UserFault            the user's; a retry helps only after they change something
    │   └── Unreadable       a Secret, a key or a script cannot be used as it is
    ├── RemoteFault          the other side's, or the network's
    │   ├── Refused          it answered and said no (host key, credentials): a person must act
    │   ├── Unreachable      no connection: a later try may work; nothing was sent
    │   │   └── NoStream     a connection, and no stream through it to what was asked for
    │   └── Unanswered       sent, and what happened is not known: time-out, cut connection, answer cut or forged
    └── ApiFault             the Kubernetes API server's
        ├── Conflict         our view was stale (409, 422 on a test, 404 on our uid): read again, decide again
        └── Unavailable      no answer, 429, 5xx: a later try may work
            └── Forbidden    we may not: a later try works once somebody grants it
"""  # noqa: D208  a tree

from enum import StrEnum

from fairlead.api.v1alpha1.reasons import ClusterReason


class FairleadError(Exception):
    """Anything Fairlead can say went wrong, in a sentence with what, where and what to do, and never a secret."""


class UserFault(FairleadError):
    """Something the user wrote cannot work; a retry helps only after they change it."""


class Unreadable(UserFault):
    """A Secret, key, host-key list or script cannot be used as it is; `reason` is what the Cluster's condition says."""

    def __init__(self, message: str, reason: ClusterReason = ClusterReason.SECRET_INVALID) -> None:
        super().__init__(message)
        self.reason = reason


class RemoteFault(FairleadError):
    """The remote side or the network failed; `reason` is what the Cluster's condition says."""

    def __init__(self, message: str, reason: ClusterReason) -> None:
        super().__init__(message)
        self.reason = reason


class Refused(RemoteFault):
    """The remote side answered and the connection must not or may not be: host key unknown, credentials refused. A person must act."""


class Unreachable(RemoteFault):
    """No connection came about, so nothing was sent; a later try may work. `silent`: not even a port answered, at any endpoint."""

    def __init__(self, message: str, reason: ClusterReason, *, silent: bool = False) -> None:
        super().__init__(message, reason)
        self.silent = silent


class Closed(StrEnum):
    """Why a login node opens no stream."""

    FORBIDDEN = "Forbidden"          # its sshd forwards nothing there
    NOBODY_LISTENS = "NobodyListens"  # or the node is not to be reached from it
    NO_ANSWER = "NoAnswer"           # within the bound: the node is dark, or sshd stopped


class NoStream(Unreachable):
    """The login node was reached, and opened no stream to what was asked for; `why` says whose that is."""

    def __init__(self, message: str, why: Closed) -> None:
        super().__init__(message, ClusterReason.CONNECTION_FAILED)
        self.why = why


class Unanswered(RemoteFault):
    """Something was sent and no whole answer came back: what it did is not known."""


class ApiFault(FairleadError):
    """The Kubernetes API server did not do what was asked."""

    @property
    def unanswered(self) -> bool:
        """Whether it has said nothing at all, so that nobody but the network has refused anything."""
        return self.__cause__ is not None


class Conflict(ApiFault):
    """The object is not what we thought (another uid, attempt or version, or gone): read it again and decide again."""


class Unavailable(ApiFault):
    """The API server gave no answer, or asked to wait; `retry_after_seconds` is its own wish, if it had one."""

    def __init__(self, message: str, retry_after_seconds: float | None = None) -> None:
        super().__init__(message)
        self.retry_after_seconds = retry_after_seconds


class Forbidden(Unavailable):
    """We may not: it works once somebody grants it."""
