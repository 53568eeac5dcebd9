"""What the far end answers when it is asked to do something: to submit, to cancel, to say what a tree holds, or what a site is."""

from dataclasses import dataclass
from enum import StrEnum

from fairlead.domain.run.run import Owner, RunKey, Tree


class SubmitWord(StrEnum):
    """What the far end says of one key after the submit script ran."""

    SUBMITTED = "submitted"   # the scheduler accepted it under `id`, now or before
    CLAIMED = "claimed"       # job `id` has already claimed the key
    REVOKED = "revoked"       # no job ever may run under this key
    REFUSED = "refused"       # the scheduler said no, in words that mean for ever: `text`
    WAITING = "waiting"       # the scheduler said no for now (limits, queue full): `text`
    UNSURE = "unsure"         # the scheduler said no in words that are in no table: `text`
    NOT_YET = "not-yet"       # the directory is there, and nothing else: somebody has begun
    ALIVE = "alive"           # the attempt before this one is claimed by `id` and has not ended
    BUSY = "busy"             # not tried: the scheduler hung earlier in this batch
    UNKNOWN = "unknown"       # no answer that decides anything: `text` says why
    NO_TREE = "no-tree"       # the marker is missing or another: `text` says what was seen


@dataclass(frozen=True, slots=True)
class SubmitAnswer:
    """One key's answer to a submission."""

    word: SubmitWord
    id: str = ""
    text: str = ""


class CancelPhase(StrEnum):
    """How hard to cancel: nothing but revoke; ask with TERM; end for good. Or leave alone what is there, and let nothing follow."""

    REVOKE = "revoke"
    ASK = "term"
    END = "kill"
    ORPHAN = "orphan"


@dataclass(frozen=True, slots=True)
class CancelAnswer:
    """One key after the cancel script: `claim` the id that may have run (empty: none ever will), `ids` what was cancelled."""

    known: bool                      # False: no answer that decides anything, `text` says why
    claim: str = ""
    revoked: bool = False
    ids: tuple[str, ...] = ()
    text: str = ""
    orphaned: bool = False           # left alone, now or before: nothing was done


@dataclass(frozen=True, slots=True)
class Remnant:
    """What a sweep found under one key: whose it is, whether it is down to its tombstone, and whether a live job is listed under it."""

    key: RunKey
    owner: Owner | None              # None: nobody, or nobody who could prove it: it was never handed in, or its script has changed that
    tombstone: bool
    orphaned: bool = False           # left alone by its Job's deletionPolicy, and that is proved
    listed: bool = False
    foreign: bool = False            # its `owner` is proved to be ours, and of a form that this release cannot read: another's


class AccountingState(StrEnum):
    """Whether the scheduler's accounting answers: a finished job's word can still be had after the listing forgot it."""

    AVAILABLE = "available"
    ABSENT = "absent"
    DOWN = "down"


@dataclass(frozen=True, slots=True)
class Probe:
    """What a site is: made once for each connection, and again after an error."""

    tree: Tree | None                # None: `problem` says why
    version: str = ""                # the scheduler's own word
    accounting: AccountingState = AccountingState.ABSENT
    problem: "ProbeProblem | None" = None
    text: str = ""                   # the far end's words on the problem


class ProbeProblem(StrEnum):
    """Why a site cannot be used."""

    NO_SCHEDULER = "no-scheduler"            # no sbatch in PATH
    NO_TOOLS = "no-tools"                    # a bare host without a program that we need there
    ENDS_AT_LOGOUT = "ends-at-logout"        # a bare host that would end what we start when the connection closes
    NOT_WRITABLE = "not-writable"            # workDir cannot be made or written
    NOT_OURS = "not-ours"                    # another owner's marker, or not the marker we know
    NOT_SAFE = "not-safe"                    # others can write to it, or to a folder above it
    SCHEDULER_DOWN = "scheduler-down"
