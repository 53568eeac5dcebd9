"""The text of a Job's script, from its spec or from a ConfigMap, checked as sbatch would."""

from fairlead.api.v1alpha1 import script_rules
from fairlead.api.v1alpha1.reasons import JobReason
from fairlead.domain.errors import UserFault
from fairlead.domain.job.job import Job
from fairlead.engine.ports import ClusterData


class ScriptMissing(UserFault):
    """The ConfigMap or its field is not there (yet): the Job waits for it."""

    reason = JobReason.SCRIPT_REF_NOT_FOUND


async def script_of(job: Job, data: ClusterData) -> str | None:
    """The script's text, None for a Job that has a command instead.

    Raises `ScriptMissing` while scriptRef leads nowhere, `UserFault` for a script that sbatch would refuse, `Unavailable`.
    """
    reference = job.spec.script_ref
    if reference is None:
        return job.spec.script
    found = await data.read_config_map(job.ref.namespace, reference.name)
    if found is None or reference.key not in found:
        lacks = "does not exist" if found is None else f"has no field {reference.key}"
        msg = f"ConfigMap {job.ref.namespace}/{reference.name} {lacks}: create it, or change the Job's scriptRef"
        raise ScriptMissing(msg)
    text = found[reference.key]
    if problem := script_rules.script_fault(text):
        msg = f"ConfigMap {job.ref.namespace}/{reference.name}, field {reference.key}: {problem}"
        raise UserFault(msg)
    return text
