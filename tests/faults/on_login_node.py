"""Faults of the login node: its file systems, its clock, its login shells and its limits."""

import os
import resource
import shutil

from bed.enclosure import HOME
from faults.fault import CANCEL, EITHER, FAILED, SUBMIT, Fault, Group
from faults.play import Play
from product.waiting import until

NOISE = "printf 'Welcome to \\033[1mthe cluster\\n'; printf 'no newline'; printf 'noise' >&2\n"
VARIABLES = "\n".join(f"export {each}" for each in (
    "SQUEUE_FORMAT=%i", "SQUEUE_STATES=PENDING", "SQUEUE_USERS=root", "SQUEUE_PARTITION=gpu", "SQUEUE_SORT=-i", "SBATCH_REQUEUE=1",
    "SBATCH_JOB_NAME=mine", "SBATCH_PARTITION=nowhere", "SBATCH_TIMELIMIT=1", "SBATCH_NO_REQUEUE=", "SCANCEL_STATE=PENDING", "SACCT_FORMAT=jobid",
    "SLURM_TIME_FORMAT=relative", "SLURM_CLUSTERS=other",
)) + "\n"
_DOTFILES = (".bashrc", ".profile")


def _hide_home(play: Play) -> None:
    play.node.run("mount", "-t", "tmpfs", "-o", f"uid={play.node.enclosure.uid},mode=755", "tmpfs", HOME, user=False)


def _show_home(play: Play) -> None:
    play.node.run("umount", "-l", HOME, user=False)


def _local_home(play: Play) -> None:
    """slurmd starts anew where another, empty home is mounted: as a compute node that does not share the login node's."""
    slurmd = play.node.node(1)
    slurmd.kill()
    mount = f"mount -t tmpfs -o uid={play.node.enclosure.uid},mode=755 tmpfs {HOME}; exec {' '.join(slurmd.argv)}"
    play.node.run("unshare", "--mount", "sh", "-ec", mount, user=False)
    until(lambda: slurmd.alive and "idle" in play.admin("sinfo", "-h", "-o", "%t"), "the node to be back")


def _fill(room_bytes: int) -> Fault:
    def strike(play: Play) -> None:
        home = os.statvfs(play.node.home)
        used = (home.f_blocks - home.f_bfree) * home.f_frsize
        play.kept["full"] = full = play.node.full_disk(str(used + room_bytes))
        full.__enter__()
    where = f"after {room_bytes // 1024} KiB more" if room_bytes else "at once"
    return Fault(name=f"home full {where}", group=Group.LOGIN_NODE, strike=strike, heal=lambda play: play.kept["full"].__exit__(None, None, None),
                 lasts_seconds=2.5)


def _purge(play: Play) -> None:
    until(lambda: list(play.node.home.glob(f".fairlead/*/runs/{play.uid}-*/id")) or play.result != "waits", "the run directory to be there")
    for folder in play.node.home.glob(f".fairlead/*/runs/{play.uid}-*"):
        shutil.rmtree(folder)


def _clock(play: Play, seconds: int) -> None:
    play.node.shim("date", f'[ "$*" = +%s ] || exec $REAL "$@"\necho $(($($REAL +%s) + {seconds}))')


def _dotfiles(play: Play, text: str) -> None:
    for name in _DOTFILES:
        path = play.node.home / name
        path.write_text(text)
        os.chown(path, play.node.enclosure.uid, play.node.enclosure.uid)


def _limit_processes(play: Play) -> None:
    few = len(play.node.user_pids()) + 2
    _processes(play, few)


def _processes(play: Play, count: int) -> None:
    resource.prlimit(play.node.sshd.pid, resource.RLIMIT_NPROC, (count, count))
    play.node.end_sessions()


FAULTS = (
    Fault(name="home not mounted", group=Group.LOGIN_NODE, strike=_hide_home, heal=_show_home, lasts_seconds=2.5),
    Fault(name="home local to the node", group=Group.LOGIN_NODE, setup=_local_home, with_=(SUBMIT, CANCEL), why="no script can start there",
          ends=FAILED),
    *(_fill(room) for room in (0, 4096, 16384)),
    Fault(name="run directory purged", group=Group.LOGIN_NODE, during=_purge, ends=EITHER),
    Fault(name="clock an hour ahead", group=Group.LOGIN_NODE, setup=lambda play: _clock(play, 3600)),
    Fault(name="clock stepped back by an hour", group=Group.LOGIN_NODE, strike=lambda play: _clock(play, -3600)),
    Fault(name="login shell csh", group=Group.LOGIN_NODE, config={"login_shell": "/bin/tcsh"}),
    Fault(name="login shell fish", group=Group.LOGIN_NODE, config={"login_shell": "/usr/bin/fish"}),
    Fault(name="noisy dotfiles", group=Group.LOGIN_NODE, setup=lambda play: _dotfiles(play, NOISE)),
    Fault(name="SQUEUE_ and SBATCH_ variables set in dotfiles", group=Group.LOGIN_NODE, setup=lambda play: _dotfiles(play, VARIABLES)),
    Fault(name="hidden partitions", group=Group.LOGIN_NODE, setup=lambda play: play.admin("scontrol", "update", "partitionname=debug", "hidden=yes")),
    Fault(name="process limit reached", group=Group.LOGIN_NODE, strike=_limit_processes, lasts_seconds=2.5,
          heal=lambda play: _processes(play, resource.RLIM_INFINITY)),
)
