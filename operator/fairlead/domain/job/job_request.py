"""What a Job asks for with its current attempt."""

from fairlead.domain.job.job import Job
from fairlead.domain.kinds import TextRef
from fairlead.domain.run.request import RunRequest


def text_ref(job: Job) -> TextRef | None:
    """Where its script is, if it is not in its spec."""
    found = job.spec.script_ref
    return None if found is None else TextRef(found.name, found.key, "scriptRef")


def request(job: Job, text: str | None) -> RunRequest:
    """What is to be prepared; `text` is that of scriptRef, None without one."""
    spec = job.spec
    script = spec.script if text is None else text
    env = {each.name: each.value for each in spec.env}
    return RunRequest(job.key, job.owner, spec, script, spec.command, spec.args, env, spec.login_shell, spec.requeue, spec.priority)
