"""Whether Slurm can be worked with: its commands, its controller, its books, and what it lets the user have. Pure."""

import re
from typing import Final

from fairlead.cli.doctor.finding import RuleFinding, note, ok, wrong
from fairlead.cli.doctor.view import View

_BESIDE_SBATCH: Final = ("scontrol", "squeue", "scancel")
_OF_THE_USER: Final = re.compile(r"account|association|not permitted|denied", re.IGNORECASE)
"""Of a refusal: whatever a Job asks for, this user has none."""
_SHOWN: Final = 8
BY_DIRECTORY: Final = "how a job ended that left the queue is read from its directory alone"


def sbatch(view: View) -> RuleFinding | None:
    """The commands in PATH."""
    places = {row[0]: row[1] for row in view.facts.table("tool", 2)}
    if not places:
        return None
    if not places.get("sbatch"):
        return wrong(f"sbatch is not in PATH ({view.facts.text('path')}): write its folder into spec.slurm.binPath")
    missing = [name for name in _BESIDE_SBATCH if not places.get(name)]
    if missing:
        return wrong(f"{', '.join(missing)} is not beside {places['sbatch']}: write the folder that holds all of Slurm's commands into "
                     "spec.slurm.binPath")
    return ok(places["sbatch"])


def scontrol(view: View) -> RuleFinding | None:
    """Whether slurmctld answers."""
    facts = view.facts
    if facts.has("up"):
        return ok(f"slurmctld answers, {facts.text('version')}")
    if facts.has("down"):
        return wrong(f"slurmctld does not answer ({facts.said_by_slurm('down', 0) or 'no word of it in time'}): have the site start it")
    return wrong("scontrol is not in PATH, so nobody can say whether slurmctld answers: write its folder into spec.slurm.binPath") \
        if facts.has("tool") else None


def partitions(view: View) -> RuleFinding | None:
    """What the user's groups may use, and the default."""
    facts = view.facts
    if facts.has("partitions-unknown"):
        return wrong(f"sinfo does not say which there are: {facts.said_by_slurm('partitions-unknown', 0)}")
    rows = facts.table("partition", 2)
    names = list(dict.fromkeys(name.rstrip("*") for name, _ in rows))
    default = next((name.rstrip("*") for name, _ in rows if name.endswith("*")), "")
    wanted = view.spec.slurm.default_partition
    if not names:
        return wrong(f"{facts.text('who')} may use none: ask the site for one (AllowGroups, AllowAccounts)")
    if wanted and wanted not in names:
        return wrong(f"spec.slurm.defaultPartition is {wanted}, which is not there, or not for {facts.text('who')}: write one of "
                     f"{_some(names)}")
    if not (wanted or default):
        return note(f"{_some(names)}, and none is the site's default: write one into spec.slurm.defaultPartition, or into each Job")
    closed = [name.rstrip("*") for name, state in rows if name.rstrip("*") == (wanted or default) and state != "up"]
    if closed:
        return note(f"{closed[0]} takes Jobs that name none, and is not up: they wait until the site opens it")
    return ok(f"{_some(names)}; Jobs that name none go to {wanted or default}")


def submit(view: View) -> RuleFinding | None:
    """What `sbatch --test-only` says of a job that asks for nothing."""
    code, words = view.facts.count("submit"), view.facts.said_by_slurm("submit", 1)
    if code is None:
        return None
    if code == 0:
        return ok("sbatch --test-only would take a Job that asks for nothing")
    advice = "set spec.slurm.defaultPartition or defaultAccount, or give each Job what the site asks for"
    if _OF_THE_USER.search(words):
        return wrong(f"sbatch would refuse a Job of {view.facts.text('who')}: {words}; ask the site for an account, or {advice}")
    return note(f"sbatch would not take a Job that asks for nothing: {words or f'it ended with {code}'}; {advice}")


def sacct(view: View) -> RuleFinding | None:
    """Whether there are books, and the Cluster needs them."""
    facts, wanted = view.facts, view.spec.slurm.accounting
    state = facts.text("accounting")
    if wanted == "None":
        return ok("not asked, as spec.slurm.accounting says")
    if state == "available":
        return ok("the site's accounting answers")
    if not state and not facts.has("tool"):
        return None
    seen = {"absent": "the site keeps no accounting", "down": f"it does not answer ({facts.said_by_slurm('accounting', 1) or 'in time'})"}
    why = seen.get(state, "it is not in PATH")
    if wanted == "Required":
        return wrong(f"{why}, and spec.slurm.accounting is Required: have the site mend it, or write Auto")
    if state == "absent":
        return ok(f"{why}: {BY_DIRECTORY}")
    return note(f"{why}: until the site mends it, {BY_DIRECTORY}")


def limits(view: View) -> RuleFinding | None:
    """How many jobs the site lets the user have."""
    facts, most = view.facts, view.spec.limits.max_active_jobs
    if facts.text("accounting") != "available":
        return None
    rows = facts.table("association", 5)
    user = facts.text("who")
    if not rows:
        return note(f"the books have no association of {user}: where the site enforces them, ask for an account")
    accounts = [account for _, account, *_ in rows if account]
    wanted = view.spec.slurm.default_account
    if wanted and wanted not in accounts:
        return wrong(f"spec.slurm.defaultAccount is {wanted}, which is none of {user}'s: write one of {_some(accounts)}")
    submits = [int(row[4]) for row in rows if row[4].isascii() and row[4].isdigit() and len(row[4]) < 10]
    said = "; ".join(_association(row) for row in rows[:_SHOWN])
    if submits and (most is None or most > min(submits)):
        return note(f"{said}: write {min(submits)} into spec.limits.maxActiveJobs, so that what is beyond waits here and is not "
                    "refused there")
    return ok(said)


def _association(row: tuple[str, ...]) -> str:
    _, account, partition, jobs, submit_ = row
    bounds = [f"{name} {value}" for name, value in (("MaxJobs", jobs), ("MaxSubmit", submit_)) if value]
    place = f"account {account}{f' in {partition}' if partition else ''}"
    return f"{place}: {', '.join(bounds) or 'no limit of jobs'}"


def _some(names: list[str]) -> str:
    more = len(names) - _SHOWN
    return ", ".join(names[:_SHOWN]) + (f" and {more} more" if more > 0 else "")
