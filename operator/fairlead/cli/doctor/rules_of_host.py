"""Whether a bare host can hold Jobs: its tools, what happens at logout, how processes are found, its size. Pure."""

from fairlead.cli.doctor.finding import RuleFinding, note, ok, wrong
from fairlead.cli.doctor.view import View


def tools(view: View) -> RuleFinding | None:
    """The programs that handing out slots needs."""
    if view.facts.has("tools"):
        return ok("flock, setsid, find, grep and /proc are as they must be")
    words = _problem(view, "no-tools")
    return wrong(f"{words}: have it installed there") if words else None


def logout(view: View) -> RuleFinding | None:
    """Whether what a login has started lives on behind it."""
    facts = view.facts
    if not facts.has("systemd"):
        return None
    if not facts.has("ends-at-logout"):
        return ok("what a login has started lives on behind it")
    if facts.has("stays-in-scope"):
        return ok("logind ends what a login has started, and Jobs are in scopes of the user's own systemd, which lives on (linger is on)")
    return wrong(_problem(view, "ends-at-logout") or "logind ends what a login has started, and it is not known whether anything helps")


def processes(view: View) -> RuleFinding | None:
    """How a Job's processes are found."""
    user, means = view.facts.text("who"), view.facts.text("means")
    if means == "SystemdScope":
        return ok("by a scope of the user's own systemd for each Job")
    if means == "Cgroup":
        return ok("by a control group for each Job")
    if means != "LinuxProc":
        return None
    if view.facts.text("systemd"):
        return note(f"through /proc, which a process can hide from: have 'loginctl enable-linger {user}' run there, and each Job gets a "
                    "scope of its own")
    return ok("through /proc: the host offers the user neither systemd nor a control group of their own")


def slots(view: View) -> RuleFinding | None:
    """Whether the host is as large as the spec says."""
    cpus, gpus = view.facts.count("size"), view.facts.count("size", 1)
    if cpus is None:
        return None
    if view.host is None:
        return ok(f"{cpus} CPUs, {gpus or 'no'} GPUs: as many slots and gpus can be written into spec.process.hosts")
    if gpus is not None and view.host.gpus > gpus:
        return wrong(f"gpus is {view.host.gpus}, and nvidia-smi shows {gpus}: write {gpus}, or have the others brought back")
    if view.host.slots > cpus:
        return note(f"slots is {view.host.slots}, and the host has {cpus} CPUs: Jobs will share them")
    return ok(f"{view.host.slots} of {cpus} CPUs" + (f", {view.host.gpus} of {gpus} GPUs" if gpus else ""))


def _problem(view: View, kind: str) -> str:
    return next((words for found, words in view.facts.table("problem", 2) if found == kind), "")
