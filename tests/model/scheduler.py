"""The scheduler: it accepts late, starts, forgets, gives ids out again, requeues and kills."""

from model.draft import Draft, Here
from model.state import ANOTHERS, PENDING, RUNNING, Job, Start

WHO = "scheduler"


def acts(here: Here) -> None:
    """What it may do now."""
    for job in dict.fromkeys(here.state.jobs):
        if job.attempt == ANOTHERS:
            continue
        match job.state:
            case "queued":
                _accepts(here, job)
            case "pending":
                _starts(here, job)
            case "running":
                _interrupts(here, job)
            case "ending":
                _without(here.step(WHO, f"ends job {job.id}"), job)
        if job.state in {PENDING, RUNNING} and here.may("lose"):
            draft = here.fault("lose", WHO, f"forgets job {job.id}")
            _without(draft, job, forgets=True)
            draft.lost_id = job.id
    if here.state.lost_id and here.may("foreign"):
        draft = here.fault("foreign", WHO, f"gives id {here.state.lost_id} to another Job's run")
        draft.jobs += (Job(ANOTHERS, here.state.lost_id, RUNNING),)
    if here.state.lost_id and here.may("namesake"):
        draft = here.fault("namesake", WHO, f"gives id {here.state.lost_id} to another Job's run, which has the same name")
        draft.jobs += (Job(ANOTHERS, here.state.lost_id, RUNNING, namesake=True),)
    for start in here.state.starts:
        if start.forgotten:
            draft = here.step("node", f"kills {start}")
            draft.starts = tuple(each for each in draft.starts if each is not start)


def _accepts(here: Here, job: Job) -> None:
    """A request that its sbatch did not see accepted."""
    tasks, lost_id = here.scenario.tasks, here.state.lost_id
    draft = here.step(WHO, "works on the request that was late")
    _without(draft, job)
    draft.enqueue(job.attempt, draft.next_id, PENDING, tasks)
    draft.next_id += 1
    if lost_id and here.may("reuse"):
        draft = here.fault("reuse", WHO, f"works on the request that was late, as job {lost_id} again")
        _without(draft, job)
        draft.enqueue(job.attempt, lost_id, PENDING, tasks)


def _starts(here: Here, job: Job) -> None:
    draft = here.step(WHO, f"starts job {job.id}" + f" task {job.task}" * bool(job.task))
    draft.jobs = tuple(each._replace(state=RUNNING) if each is job else each for each in draft.jobs)
    draft.starts += (Start(job.attempt, job.id, job.task, job.restart, draft.next_nonce),)
    draft.next_nonce += 1
    if here.may("hollow"):
        draft = here.fault("hollow", WHO, f"calls job {job.id} COMPLETED")
        _without(draft, job)
        draft.completed = True


def _interrupts(here: Here, job: Job) -> None:
    if here.may("rollback"):
        draft = here.fault("rollback", WHO, f"comes back from before job {job.id} began")
        _without(draft, job, forgets=True)
        draft.jobs += (job._replace(state=PENDING),)
    if here.may("requeue"):
        for cut_off in (False, True) if here.may("part") else (False,):
            draft = here.fault("requeue", WHO, f"requeues job {job.id}" + ", whose node is only cut off" * cut_off)
            _without(draft, job, forgets=cut_off)
            draft.jobs += (job._replace(state=PENDING, restart=job.restart + 1),)
            if cut_off:
                draft.use("part")
    if here.may("kill"):
        _without(here.fault("kill", WHO, f"kills job {job.id}"), job)


def _without(draft: Draft, job: Job, forgets: bool = False) -> None:
    """A job leaves the queue. Its start ends, or goes on when it is only forgotten."""
    draft.jobs = tuple(each for each in draft.jobs if each is not job)
    kept = []
    for start in draft.starts:
        mine = (start.attempt, start.id, start.task, start.forgotten) == (job.attempt, job.id, job.task, False)
        if not mine or forgets:
            kept.append(start._replace(forgotten=True) if mine else start)
    draft.starts = tuple(kept)


