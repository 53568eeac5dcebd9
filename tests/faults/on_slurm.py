"""Faults of Slurm: its daemons, its commands, its memory, its nodes, and what a site does to a job."""

import os
import shutil
from functools import partial
from pathlib import Path

from bed import proc
from bed.slurmconf import INSIDE
from faults.fault import (
    ADOPT,
    CANCEL,
    DELETE,
    EITHER,
    END,
    POLL,
    RETRY,
    SUBMIT,
    SUBMITTING,
    SUSPEND,
    Act,
    Fault,
    Group,
)
from faults.ledger import FOLDER
from faults.play import Play
from product.waiting import until

_fault = partial(Fault, group=Group.SLURM)

STRUCK = "struck"
STRANGER = "stranger"
FILLER = "filler"
_MET = f"touch /srv/c/{FOLDER}/{STRUCK}\n"
_NOT_SUBMITTED = "nothing is submitted then"
_GARBAGE = "printf 'Submitted \\303 batch job 12x\\n7;\\n'"
_RUNNING = (POLL, DELETE, RETRY, SUSPEND, ADOPT)
_NOT_RUNNING = "no script of it runs then"
_PLUGIN = """function slurm_job_submit(job, partitions, uid)
  {lines}
  return slurm.SUCCESS
end
function slurm_job_modify(job, record, partitions, uid)
  return slurm.SUCCESS
end
"""
_PREEMPTION = ("PreemptType=preempt/partition_prio", "PreemptMode=REQUEUE", "PartitionName=urgent Nodes=ALL PriorityTier=10 State=UP")


def _struck(play: Play) -> bool:
    return (play.node.folder / FOLDER / STRUCK).exists()


def _shimmed(name: str, command: str, script: str, with_: tuple[str, ...] | None = None) -> Fault:
    more = {} if with_ is None else {"with_": with_, "why": _NOT_SUBMITTED}
    return _fault(name, strike=lambda play: play.node.shim(command, _MET + script), met=_struck, lasts_seconds=1.5,
                 heal=lambda play: play.node.unshim(command), **more)   # type: ignore[arg-type]


def _state(play: Play) -> Path:
    return play.node.folder / "state"


def _save_state(play: Play) -> None:
    play.node.slurmctld.term()   # writes it down
    saved = play.node.folder / "saved-state"
    shutil.copytree(_state(play), saved)
    play.kept["saved"] = saved
    play.node.slurmctld.start()
    until(lambda: "idle" in play.admin("sinfo", "-h", "-o", "%t"), "the node to be back")


def _lose_state(play: Play) -> None:
    """slurmctld is back with what it had written before the Job came, and gives its ids to others."""
    until(lambda: play.run_id, "the Job to be accepted")
    owner = _state(play).stat()
    play.node.slurmctld.kill()
    shutil.rmtree(_state(play))
    shutil.copytree(play.kept["saved"], _state(play))
    for path in (_state(play), *_state(play).rglob("*")):
        os.chown(path, owner.st_uid, owner.st_gid)
    play.node.slurmctld.start()
    for _ in range(3):
        play.admin("sbatch", "--parsable", f"--job-name={STRANGER}", "--mem=10", "--output=/dev/null", "--wrap=sleep 300")


def _end_strangers(play: Play) -> None:
    strangers = play.admin("squeue", "-h", "-t", "all", "-n", STRANGER, "-o", "%T").split()
    play.kept["strangers"] = strangers
    play.admin("scancel", f"--name={STRANGER}")


def _strangers_live(play: Play) -> list[str]:
    ended = [state for state in play.kept["strangers"] if state not in {"PENDING", "RUNNING", "CONFIGURING"}]
    return ["a stranger's job that was given the Job's id was ended"] if ended or len(play.kept["strangers"]) != 3 else []


def _once_submitted(act: Act) -> tuple[Act, Act]:
    """`strike` and `during`: at the moment if the Job is there already, else once it is."""
    def strike(play: Play) -> None:
        play.kept["early"] = bool(play.uid)
        if play.uid:
            act(play)

    def during(play: Play) -> None:
        if not play.kept["early"]:
            act(play)
    return strike, during


def _fill_queue(play: Play) -> None:
    for _ in range(10):
        done = play.node.run("timeout", "2", "sbatch", "--hold", f"--job-name={FILLER}", "--output=/dev/null", "--mem=10", "--wrap=true",
                             user=False, check=False)   # it would wait for room
        if done.returncode:
            return
    raise AssertionError("the queue does not get full")


def _node_down(play: Play) -> None:
    play.admin("scontrol", "update", f"nodename={play.node.nodes[0]}", "state=down", "reason=test")


def _node_up(play: Play) -> None:
    play.admin("scontrol", "update", f"nodename={play.node.nodes[0]}", "state=resume")


def _requeue(play: Play) -> None:
    number = play.run_id
    play.admin("scontrol", "requeue", number)
    _hasten(play, number)


def _hasten(play: Play, number: str) -> None:
    """Slurm lets a requeued job wait for two minutes, in which the end of its first start comes in. Here it is there much sooner."""
    until(lambda: "PENDING" in play.admin("squeue", "-h", "-j", number, "-o", "%T"), "the job to be requeued", 40)
    step = f"slurmstepd: [{number}."
    until(lambda: not any(step in proc.command(pid) for pid in play.node.pids()), "its first start to be cleared up", 40)
    play.admin("scontrol", "update", f"jobid={number}", "starttime=now+4")


def _requeue_against_its_will(play: Play) -> None:
    play.admin("scontrol", "update", f"jobid={play.run_id}", "requeue=1")
    _requeue(play)


def _requeue_after_end(play: Play) -> None:
    number = play.run_id
    play.wait_result("Complete")
    _requeue(play)
    until(lambda: not play.node.jobs_active(), f"job {number} to end by itself", 40)


def _preempt_and_hasten(play: Play) -> None:
    _preempt(play)
    _hasten(play, play.run_id)


def _preempt(play: Play) -> None:
    seen = play.node.folder / "urgent-seen"
    play.admin("sbatch", f"--job-name={STRANGER}", "--partition=urgent", "--exclusive", "--output=/dev/null",
               f"--wrap=sleep 3; until [ -e {INSIDE}/{seen.name} ]; do sleep 0.2; done")
    until(lambda: "RUNNING" in play.admin("squeue", "-h", "-n", STRANGER, "-o", "%T"), "the urgent job to run", 40)
    seen.touch()


def _hold(play: Play) -> None:
    if play.uid and play.run_id and "PENDING" in play.admin("squeue", "-h", "-j", play.run_id, "-o", "%T"):
        play.admin("scontrol", "hold", play.run_id)
    else:
        play.node.shim("sbatch", 'exec $REAL --hold "$@"')


def _release(play: Play) -> None:
    play.node.unshim("sbatch")
    for number in play.node.jobs_active():
        play.admin("scontrol", "release", number)


def _held(play: Play) -> bool:
    return play.result == "gone" or "JobHeld" in play.admin("squeue", "-h", "-o", "%r")


def _hook(name: str) -> Act:
    return lambda play: play.node.write(f"hooks/{name}", "")


def _unhook(name: str) -> Act:
    def heal(play: Play) -> None:
        (play.node.folder / "hooks" / name).unlink()
        _node_up(play)
        _release(play)
    return heal


def _plugin(name: str, *fields: str) -> Fault:
    text = _PLUGIN.format(lines="\n  ".join(f'job.{field} = "site"' for field in fields))
    return _fault(f"a submit plugin that rewrites {name}", config={"submit_plugin": text})


_LOSE = _once_submitted(_lose_state)

FAULTS = (
    _fault("slurmctld down", strike=lambda play: play.node.slurmctld.term(), heal=lambda play: play.node.slurmctld.start(),
          lasts_seconds=2.5),
    _fault("slurmctld hung", strike=lambda play: play.node.slurmctld.stop(), heal=lambda play: play.node.slurmctld.cont(),
          lasts_seconds=6),
    _fault("slurmctld killed, its last seconds lost, its ids given out again", setup=_save_state, strike=_LOSE[0],
          during=_LOSE[1], heal=_end_strangers, lasts_seconds=2, ends=EITHER, afterwards=_strangers_live),
    _shimmed("`sbatch` accepts and hangs", "sbatch", '$REAL "$@" >/dev/null 2>&1\nsleep 60', SUBMITTING),
    _shimmed("`sbatch` accepts and prints nothing", "sbatch", '$REAL "$@" >/dev/null 2>&1', SUBMITTING),
    _shimmed("`sbatch` accepts and prints garbage", "sbatch", f"$REAL \"$@\" >/dev/null 2>&1\n{_GARBAGE}", SUBMITTING),
    _shimmed("`sbatch` accepts and is killed", "sbatch", '$REAL "$@" >/dev/null 2>&1\nkill -9 $$', SUBMITTING),
    _shimmed("`sbatch` is killed before it asks", "sbatch", "kill -9 $$", SUBMITTING),
    _fault("queue full (MaxJobCount)", config={"max_job_count": 4, "min_job_age_seconds": 2}, strike=_fill_queue,
          heal=lambda play: play.admin("scancel", f"--name={FILLER}"), lasts_seconds=2),
    _shimmed("`squeue` empty, with exit code 0", "squeue", "exit 0"),
    _shimmed("`squeue` cut in the middle, with exit code 0", "squeue", '$REAL "$@" | head -c 150; exit 0'),
    _fault("accounting down", config={"accounting": True}, strike=lambda play: play.node.slurmdbd.kill(),
          heal=lambda play: play.node.slurmdbd.start(), lasts_seconds=2),
    _fault("accounting hung", config={"accounting": True}, strike=lambda play: play.node.slurmdbd.stop(),
          heal=lambda play: play.node.slurmdbd.cont(), lasts_seconds=4),
    _fault("MinJobAge=2 and accounting absent, the link down for longer", config={"min_job_age_seconds": 2},
          strike=lambda play: play.node.link_down(), heal=lambda play: play.node.link_up(), lasts_seconds=6),
    _fault("MinJobAge=2 with accounting, the link down for longer", config={"min_job_age_seconds": 2, "accounting": True},
          strike=lambda play: play.node.link_down(), heal=lambda play: play.node.link_up(), lasts_seconds=6),
    _fault("slurmd killed", strike=lambda play: play.node.node(1).kill(), heal=lambda play: play.node.node(1).start(),
          lasts_seconds=2.5),
    _fault("node failed and back", strike=_node_down, heal=_node_up, lasts_seconds=2, ends=EITHER),
    _fault("job requeued by the site, as the Job allows", spec={"requeue": True}, strike=_requeue, lasts_seconds=1, again=1,
          with_=_RUNNING, why=_NOT_RUNNING),
    _fault("job requeued by an admin against the Job's will", strike=_requeue_against_its_will, lasts_seconds=1,
          with_=_RUNNING, why=_NOT_RUNNING, ends=EITHER),
    _fault("job requeued by an admin after it had ended", during=_requeue_after_end, spec={"requeue": True}, again=1,
          with_=(END,), why="it has not ended then"),
    _fault("job requeued by preemption", config={"extra": _PREEMPTION}, spec={"requeue": True}, strike=_preempt_and_hasten, again=1,
          with_=_RUNNING, why=_NOT_RUNNING),
    _fault("job preempted for good", config={"extra": _PREEMPTION}, strike=_preempt, with_=_RUNNING, why=_NOT_RUNNING, ends=EITHER),
    _fault("job held", strike=_hold, met=_held, heal=_release, with_=(SUBMIT, CANCEL), why="a job that runs cannot be held"),
    _plugin("the name", "name"),
    _plugin("the comment", "comment"),
    _plugin("name and comment", "name", "comment"),
    _fault("a prolog that fails on the node", config={"hooks": True}, strike=_hook("node-fail"), heal=_unhook("node-fail"),
          lasts_seconds=2, ends=EITHER),
    _fault("a prolog that takes long", config={"hooks": True}, strike=_hook("node-slow"), heal=_unhook("node-slow")),
)
