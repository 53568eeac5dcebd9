"""The faults, played against any peer: each begins with a calm cluster and leaves one."""

import time
from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Final

from benchmarks.peers.peer import Peer
from benchmarks.peers.place import Place, need, until
from benchmarks.peers.verdicts import Kind, Outcome

_ACCEPT_SECONDS = 120.0              # until a submission is at sbatch
_END_SECONDS = 150.0                 # until an end is told
_EMPTY_SECONDS = 60.0                # how long squeue is empty
_CHANGED_SECONDS = 30.0              # how long the host key is another
_AFTER_SECONDS = 15.0                # in which a second start would be seen


def _hangs(place: Place, peer: Peer, tag: str) -> Outcome:
    place.sbatch_hangs()
    peer.begin(tag, place.short(tag, 1))
    return _over(Kind.HANGS, place, peer, tag)


def _killed(place: Place, peer: Peer, tag: str) -> Outcome:
    place.sbatch_is_slow()
    peer.begin(tag, place.short(tag, 1))
    need(place.accepted, f"{tag}: a submission", _ACCEPT_SECONDS)
    peer.kill()
    peer.again(tag)
    return _over(Kind.KILLED, place, peer, tag)


def _empty(place: Place, peer: Peer, tag: str) -> Outcome:
    peer.begin(tag, place.held(tag))
    need(lambda: place.starts(tag) and peer.seen(tag).submitted, f"{tag}: a start", _ACCEPT_SECONDS)
    place.squeue_is_empty()
    early = until(lambda: peer.seen(tag).ended, _EMPTY_SECONDS)
    place.calm_commands()
    place.let_end(tag)
    return _over(Kind.EMPTY, place, peer, tag, early=early)


def _host_key(place: Place, peer: Peer, tag: str) -> Outcome:
    with place.another_host_key():
        peer.begin(tag, place.short(tag, 1))
        until(lambda: peer.seen(tag).ended or place.starts(tag), _CHANGED_SECONDS)
        starts = place.starts(tag)
    return _over(Kind.HOST_KEY, place, peer, tag, while_changed=starts)


FAULTS: Final[Mapping[Kind, Callable[[Place, Peer, str], Outcome]]] = MappingProxyType({
    Kind.KILLED: _killed, Kind.EMPTY: _empty, Kind.HOST_KEY: _host_key, Kind.HANGS: _hangs,
})
"""In the order in which they are played: the one last after which a peer may be stuck."""


def _over(kind: Kind, place: Place, peer: Peer, tag: str, *, early: bool = False, while_changed: int = 0) -> Outcome:
    """Wait for the end as the peer tells it, then for what may still start; and look at what the script has written."""
    until(lambda: peer.seen(tag).ended, _END_SECONDS)
    need(lambda: not place.running(), f"{tag}: the end of its jobs", _ACCEPT_SECONDS)
    time.sleep(_AFTER_SECONDS)           # a look that sees nothing more is worth as much as the time it waited
    seen = peer.seen(tag)
    asked = seen.asked or time.time()
    return Outcome(kind, place.starts(tag), place.ended_at(tag) is not None, seen.ended is not None, seen.good,
                   (seen.ended or time.time()) - asked, early, while_changed)


def play(kind: Kind, place: Place, peer: Peer, tag: str) -> Outcome:
    """One fault. Raises `BedError` when it could not be played."""
    try:
        return FAULTS[kind](place, peer, tag)
    finally:
        place.calm()
