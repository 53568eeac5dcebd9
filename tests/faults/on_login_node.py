"""Faults of the login node: its file systems, its clock, its login shells and its limits."""

import os
import resource
import shutil
from functools import partial

from bed.enclosure import HOME
from faults.fault import CANCEL, EITHER, FAILED, SUBMIT, WAITS, Fault, Group
from faults.play import Play
from product.waiting import until

_fault = partial(Fault, group=Group.LOGIN_NODE)

NOISE = "printf 'Welcome to \\033[1mthe cluster\\n'; printf 'no newline'; printf 'noise' >&2\n"
VARIABLES = "\n".join(f"export {each}" for each in (
    "SQUEUE_FORMAT=%i", "SQUEUE_STATES=PENDING", "SQUEUE_USERS=root", "SQUEUE_PARTITION=gpu", "SQUEUE_SORT=-i", "SBATCH_REQUEUE=1",
    "SBATCH_JOB_NAME=mine", "SBATCH_PARTITION=nowhere", "SBATCH_TIMELIMIT=1", "SBATCH_NO_REQUEUE=", "SCANCEL_STATE=PENDING",
    "SACCT_FORMAT=jobid",
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
    return _fault(f"home full {where}", strike=strike, heal=lambda play: play.kept["full"].__exit__(None, None, None),
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
    _, most = play.kept["processes"] = resource.prlimit(play.node.sshd.pid, resource.RLIMIT_NPROC)
    _processes(play, (len(play.node.user_pids()) + 2, most))


def _processes(play: Play, limits: tuple[int, int]) -> None:
    resource.prlimit(play.node.sshd.pid, resource.RLIMIT_NPROC, limits)
    play.node.end_sessions()


FAULTS = (
    _fault("home not mounted", strike=_hide_home, heal=_show_home, lasts_seconds=2.5),
    _fault("home local to the node", setup=_local_home, with_=(SUBMIT, CANCEL), why="no script can start there",
          ends=FAILED),
    *(_fill(room) for room in (0, 4096, 16384)),
    _fault("run directory purged", during=_purge, ends=EITHER | WAITS),
    _fault("clock an hour ahead", setup=lambda play: _clock(play, 3600)),
    _fault("clock stepped back by an hour", strike=lambda play: _clock(play, -3600)),
    _fault("login shell csh", config={"login_shell": "/bin/tcsh"}),
    _fault("login shell fish", config={"login_shell": "/usr/bin/fish"}),
    _fault("noisy dotfiles", setup=lambda play: _dotfiles(play, NOISE)),
    _fault("SQUEUE_ and SBATCH_ variables set in dotfiles", setup=lambda play: _dotfiles(play, VARIABLES)),
    _fault("hidden partitions", setup=lambda play: play.admin("scontrol", "update", "partitionname=debug", "hidden=yes")),
    _fault("process limit reached", strike=_limit_processes, lasts_seconds=2.5,
          heal=lambda play: _processes(play, play.kept["processes"])),
)
