"""Faults that the user's own script commits."""

from functools import partial

from faults.fault import ALL, CANCEL, COMPLETE, DELETE, EITHER, FAILED, WAITS, Fault, Group
from faults.play import Play

_fault = partial(Fault, group=Group.SCRIPT)
_STARTED = tuple(each for each in ALL if each != CANCEL)
_ENDING = tuple(each for each in _STARTED if each != DELETE)
_NEVER = "the script never starts"
_NOT_SO_FAR = "the script is ended before it comes so far, or never starts"


def _small_home(play: Play) -> None:
    play.ends.enter_context(play.node.full_disk("16m"))


FAULTS = (
    _fault("`kill -9 0`", script={"late": "kill -9 0"}, with_=_ENDING, why=_NOT_SO_FAR, ends=FAILED),
    _fault("`kill -9 -1`", script={"late": "kill -9 -1"}, with_=_ENDING, why=_NOT_SO_FAR, ends=FAILED),
    _fault("TERM trapped", script={"early": "trap '' TERM"}, with_=_STARTED, why=_NEVER),
    _fault("a `setsid` grandchild that holds the output", script={"early": "setsid sleep 8 &"}, with_=_STARTED, why=_NEVER),
    _fault("1 GB of output", script={"late": "head -c 1073741824 /dev/zero"}, with_=_ENDING, why=_NOT_SO_FAR),
    _fault("its own run directory removed", script={"late": 'rm -rf "${0%/*}"'}, with_=_ENDING, why=_NOT_SO_FAR, ends=EITHER | WAITS),
    _fault("its quota filled", setup=_small_home, script={"early": "head -c 100000000 /dev/zero >~/filled 2>/dev/null"},
           with_=_STARTED, why=_NEVER, ends=COMPLETE | WAITS),   # for room, where another attempt follows
    _fault("limits changed", script={"early": "ulimit -n 16; ulimit -s 512; ulimit -t 30; ulimit -c 0; umask 777"},
          with_=_STARTED, why=_NEVER),
)
