"""From a Job's spec to what one attempt needs at the far end."""

from fairlead.api.v1alpha1.cluster import SlurmSettings
from fairlead.domain.job import Job
from fairlead.domain.run import Submission
from fairlead.schedulers.slurm import directives, options


class SlurmPreparer:
    """The seam's `Preparer` for one Slurm Cluster's defaults."""

    def __init__(self, settings: SlurmSettings) -> None:
        self._defaults = options.Defaults(settings.default_partition or "", settings.default_account or "")

    def prepare(self, job: Job, script: str | None) -> Submission:
        """The submission of `job`'s current key. Raises `UserFault` for a directive or an option that can never work."""
        spec = job.spec
        wanted = options.build(spec, self._defaults, directives.parse(script) if script is not None else ())
        if script is None:
            body, arguments = options.script_of_command(spec.command, spec.args)
        else:
            body, arguments = script.encode(), ()
        return Submission(
            job.key, job.owner, body, wanted.argv, {each.name: each.value for each in spec.env}, wanted.working_dir, wanted.stdout_path,
            wanted.stderr_path, spec.login_shell, arguments, spec.requeue,
        )
