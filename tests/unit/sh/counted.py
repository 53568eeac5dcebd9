"""Runs a command and counts the processes that it makes, itself among them: `python counted.py REPORT COMMAND...`.

The kernel stops each new process once and tells us (ptrace), so the count is exact, needs no right and no program of the machine. A shell's
fork that becomes no other program is counted as `fork`. What Slurm's stand-ins start is left out: the real ones start nothing.
"""

import ctypes
import os
import signal
import sys
from collections import Counter
from pathlib import Path

STAND_INS = frozenset({"sbatch", "squeue", "scancel", "scontrol", "sacct"})
_TRACEME, _CONT, _SETOPTIONS, _GETEVENTMSG = 0, 7, 0x4200, 0x4201      # linux/ptrace.h
_FORK, _VFORK, _CLONE, _EXEC = 1, 2, 3, 4
_OPTIONS = 1 << _FORK | 1 << _VFORK | 1 << _CLONE | 1 << _EXEC | 0x100000    # and all end with us
_ALL_CHILDREN = 0x40000000                                             # __WALL
_libc = ctypes.CDLL(None, use_errno=True)
_libc.ptrace.argtypes = (ctypes.c_long, ctypes.c_long, ctypes.c_void_p, ctypes.c_void_p)


def main(report: str, *command: str) -> int:
    """The command's exit code."""
    first = os.fork()
    if not first:
        _libc.ptrace(_TRACEME, 0, None, None)
        os.execvp(command[0], command)
    os.waitpid(first, 0)
    if _libc.ptrace(_SETOPTIONS, first, None, _OPTIONS):
        raise OSError(ctypes.get_errno(), "this machine lets nothing be traced")
    _libc.ptrace(_CONT, first, None, None)
    names, parents = {first: _program(first)}, {first: 0}
    alive, code = {first}, 1
    while alive:
        pid, status = os.waitpid(-1, _ALL_CHILDREN)
        if not os.WIFSTOPPED(status):
            alive.discard(pid)
            code = os.waitstatus_to_exitcode(status) if pid == first else code
            continue
        alive.add(pid)
        names.setdefault(pid, "fork")
        event, passed_on = status >> 16, os.WSTOPSIG(status)
        if event == _EXEC:
            names[pid] = _program(pid)
        elif event in {_FORK, _VFORK, _CLONE}:
            child = ctypes.c_ulong()
            _libc.ptrace(_GETEVENTMSG, pid, None, ctypes.addressof(child))
            parents[child.value] = pid
        if event or passed_on in {signal.SIGSTOP, signal.SIGTRAP}:
            passed_on = 0
        _libc.ptrace(_CONT, pid, None, passed_on)
    count = Counter(name for pid, name in names.items() if not _is_a_stand_ins(pid, names, parents))
    Path(report).write_text("".join(f"{number} {name}\n" for name, number in sorted(count.items())), encoding="utf-8")
    return code if code >= 0 else 128 - code


def _is_a_stand_ins(pid: int, names: dict[int, str], parents: dict[int, int]) -> bool:
    above = parents.get(pid, 0)
    while above:
        if names.get(above) in STAND_INS:
            return True
        above = parents.get(above, 0)
    return False


def _program(pid: int) -> str:
    return Path(f"/proc/{pid}/comm").read_text(encoding="utf-8", errors="replace").strip()


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
