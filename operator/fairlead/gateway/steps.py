"""What one gateway does next for one Session, from what the API server shows. Pure.

    slice                        we hold it                        we do not
    none, Session served         KEEP: it is written again         OPEN, if it is ours by the roster
    ours, Session served         KEEP                              OPEN, with the port that it names: we were started anew
    another's, who lives         GIVE_UP                           NONE: nobody takes from a living holder
    another's, who is dead       GIVE_UP                           OPEN, if it is ours by the roster
    Session not served, or gone  CLOSE                             CLOSE, if the slice is ours, or a dead one's and it falls to us
"""  # noqa: D208  a table

from dataclasses import dataclass
from enum import Enum

from fairlead.gateway.roster import chosen


class Step(Enum):
    """What to do."""

    NONE = "none"
    OPEN = "open"                    # take a port, listen, write the slice
    KEEP = "keep"                    # have the slice as it shall be
    CLOSE = "close"                  # end the listener, the streams, the slice
    GIVE_UP = "give up"              # end the listener and the streams; the slice is another's


@dataclass(frozen=True, slots=True)
class Seen:
    """One Session at this moment: whether its process runs and is to be reached, which gateway its slice names, whether we hold it."""

    uid: str
    is_served: bool
    holder: str | None               # None: there is no slice of a gateway
    is_held: bool


@dataclass(frozen=True, slots=True)
class Among:
    """This gateway among the others. One that drains, or whose own Lease is not surely its own, takes nothing."""

    me: str
    live: frozenset[str]
    may_take: bool


def next_step(seen: Seen, among: Among) -> Step:
    """What to do."""
    is_mine = seen.holder == among.me
    is_anothers = seen.holder is not None and not is_mine
    falls_to_us = among.may_take and seen.holder not in among.live and chosen(seen.uid, among.live) == among.me
    if seen.is_held:
        if is_anothers:
            return Step.GIVE_UP
        return Step.KEEP if seen.is_served else Step.CLOSE
    if not seen.is_served:
        return Step.CLOSE if is_mine or (seen.holder is not None and falls_to_us) else Step.NONE
    return Step.OPEN if is_mine or falls_to_us else Step.NONE
