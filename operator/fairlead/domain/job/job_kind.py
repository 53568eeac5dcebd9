"""Job as a row of the table of kinds."""

from typing import Final

from fairlead.api.v1alpha1 import names
from fairlead.api.v1alpha1.job import JobPhase
from fairlead.domain.job.job import Job
from fairlead.domain.job.job_reading import read_job
from fairlead.domain.job.job_report import report
from fairlead.domain.job.job_request import request, text_ref
from fairlead.domain.kinds import Kind

JOB: Final[Kind[Job]] = Kind(
    names.JOB_KIND, tuple(JobPhase), (JobPhase.COMPLETE, JobPhase.FAILED), read_job, report, request, text_ref, has_ttl=True,
    long_fields=("script",),
)
