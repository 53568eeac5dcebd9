"""The rules of the protocol, by the names that its page and the scripts call them. Each can be taken away, and then something breaks."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

RULES: Final[Mapping[str, str]] = MappingProxyType({
    "NONCE": "the claim holds a random of this start: the same id with another random is a restart, whatever the restart count says",
    "PREV": "an attempt is submitted only when the one before is revoked by the same script, or has ended, or was judged Lost",
    "RELIST": "a claimed Run is Lost only when a listing that began after its claim was read lacks it",
    "CLOSE": "an attempt without `finished` is closed only after the cancel script ran on it; claimed in spite of a refusal: it is watched",
    "REFUSED": "a refusal does not answer a resubmission, which removes it",
    "RENAME": "a directory is emptied by renaming `revoked` over its claim first",
    "TOMB": "a directory that has lost its object goes down to a tombstone, never away",
    "ALL": "deletion, debt and sweep go for all attempts of the uid and one more, not for the one in the status",
    "DUP": "of two jobs listed under one key none is cancelled before one of them has claimed it",
    "NAME": "only what was just seen under the key is cancelled, by id and name together",
    "BEGUN": "that a script never ran is said only by the mark that it has to take away before it begins; a mark that is gone says nothing",
    "FINRC": "`finished` counts only for the last start",
    "WORD": "the scheduler's COMPLETED without `finished` is never Complete",
    "CD": "scripts enter the tree once and use relative paths: a mount that changes meanwhile changes nothing",
    "ASK": "the sweep lists directories first and asks the API server for each owner then",
    "ORPHAN": "the directory of an orphaned Run says so, before its object goes",
    "MARK": "what says so is an entry of its own, which a submission under way does not write over",
    "RELOOK": "the sweep looks for that entry again once the API server has said that the owner is gone",
    "KIND": "what is of a kind that only another release knows is left alone: of such objects the API server is not asked",
    "SUSPEND": "a suspended attempt is closed by the cancel script before the status says that nothing of it is left",
    "INTENT": "that an attempt is withdrawn for a suspension is written before it is cancelled: its end is no failure",
    "ADMIT": "whether the Cluster admits the Job is asked before each submission, whatever marks it bears; only a written intent was ours",
    "TREE": "tombstones go before their time with their whole tree alone, and its mark with it",
    "ONESHOT": "each task of an array takes an entry of its own before its script",
})
