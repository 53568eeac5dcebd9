"""Faults that the user's own script commits."""

from faults.fault import ALL, CANCEL, COMPLETE, DELETE, EITHER, FAILED, Fault, Group
from faults.play import Play

_STARTED = tuple(each for each in ALL if each != CANCEL)
_ENDING = tuple(each for each in _STARTED if each != DELETE)
_NEVER = "the script never starts"
_NOT_SO_FAR = "the script is ended before it comes so far, or never starts"


def _small_home(play: Play) -> None:
    play.ends.enter_context(play.node.full_disk("16m"))


FAULTS = (
    Fault(name="`kill -9 0`", group=Group.SCRIPT, script={"late": "kill -9 0"}, with_=_ENDING, why=_NOT_SO_FAR, ends=FAILED),
    Fault(name="`kill -9 -1`", group=Group.SCRIPT, script={"late": "kill -9 -1"}, with_=_ENDING, why=_NOT_SO_FAR, ends=FAILED),
    Fault(name="TERM trapped", group=Group.SCRIPT, script={"early": "trap '' TERM"}, with_=_STARTED, why=_NEVER),
    Fault(name="a `setsid` grandchild that holds the output", group=Group.SCRIPT, script={"early": "setsid sleep 8 &"}, with_=_STARTED, why=_NEVER),
    Fault(name="1 GB of output", group=Group.SCRIPT, script={"late": "head -c 1073741824 /dev/zero"}, with_=_ENDING, why=_NOT_SO_FAR),
    Fault(name="its own run directory removed", group=Group.SCRIPT, script={"late": 'rm -rf "${0%/*}"'}, with_=_ENDING, why=_NOT_SO_FAR, ends=EITHER),
    Fault(name="its quota filled", group=Group.SCRIPT, setup=_small_home, script={"early": "head -c 100000000 /dev/zero >~/filled 2>/dev/null"},
          with_=_STARTED, why=_NEVER, ends=COMPLETE),
    Fault(name="limits changed", group=Group.SCRIPT, script={"early": "ulimit -n 16; ulimit -s 512; ulimit -t 30; ulimit -c 0; umask 777"},
          with_=_STARTED, why=_NEVER),
)
