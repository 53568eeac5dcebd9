"""Which of a Cluster's bare hosts a Job gets. Pure.

A Job is given a host once it fits there beside what was given to that host before, so that none waits at one while another is free. Until
then it is on none of them. What a host really has free is seen to there: others may use it too.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

from fairlead.domain.run.request import Size


@dataclass(frozen=True, slots=True)
class Room:
    """One host: all that it has, what of it is free, and whether it answers."""

    host: str
    whole: Size
    free: Size
    is_reached: bool


def place(waiting: Iterable[tuple[str, Size, str]], rooms: Sequence[Room]) -> Mapping[str, str]:
    """The hosts of those Jobs that get one now, `waiting` in their order: uid, size, and the only host that it may be, if it is one.

    The first that fits on no host holds back all behind it from every host that is large enough for it, so that a large Job gets its turn.
    Of several hosts on which a Job fits, it gets the one that has the fewest GPUs left then, and of these the most slots: whoever needs
    many GPUs finds them on one host.
    """
    given: dict[str, str] = {}
    open_rooms = {room.host: room for room in rooms}
    known = {room.host for room in rooms}
    for uid, size, wish in waiting:
        fitting = [room for room in open_rooms.values()
                   if room.is_reached and room.free.holds(size) and (wish not in known or wish == room.host)]
        if fitting:
            room = min(fitting, key=lambda each: (each.free.gpus - size.gpus, -each.free.slots))
            given[uid] = room.host
            open_rooms[room.host] = replace(room, free=room.free - size)
        else:
            open_rooms = {host: room for host, room in open_rooms.items()
                          if not room.whole.holds(size) or (wish in known and wish != host)}
    return given
