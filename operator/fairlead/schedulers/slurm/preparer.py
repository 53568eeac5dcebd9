"""From a request to what one attempt needs at the far end."""

from fairlead.api.v1alpha1.cluster import SlurmSettings
from fairlead.domain.run.request import RunRequest, Submission
from fairlead.schedulers.sbatch import directives, options


class SlurmPreparer:
    """The seam's `Preparer` for one Slurm Cluster's defaults."""

    def __init__(self, settings: SlurmSettings) -> None:
        self._defaults = options.Defaults(settings.default_partition or "", settings.default_account or "")

    def prepare(self, request: RunRequest) -> Submission:
        """The submission of the requested key. Raises `UserFault` for a directive or an option that can never work."""
        wanted = options.build(request.resources, self._defaults, directives.of(request.script))
        body, arguments = options.script_of(request)
        return Submission(
            request.key, request.owner, body, wanted.argv, request.env, wanted.working_dir, wanted.stdout_path, wanted.stderr_path,
            request.login_shell, arguments, request.requeue, job_name=wanted.job_name or request.owner.name,
        )
