"""What a Job asks for with its current attempt."""

from fairlead.domain.job.job import Job
from fairlead.domain.run.request import RunRequest


def request(job: Job, script: str | None) -> RunRequest:
    """What is to be prepared; `script` is the text of script or scriptRef, None for a command."""
    spec = job.spec
    env = {each.name: each.value for each in spec.env}
    return RunRequest(job.key, job.owner, spec, script, spec.command, spec.args, env, spec.login_shell, spec.requeue, spec.priority)
