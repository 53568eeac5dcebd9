"""From a Job as the API server sends it to the domain's own view of it."""

from collections.abc import Mapping
from typing import Any

from fairlead.api.v1alpha1 import job as api
from fairlead.api.v1alpha1 import names
from fairlead.domain.job.job import Job
from fairlead.domain.run.reading import read_owner


def read_job(body: Mapping[str, Any]) -> Job:
    """A Job's body as the domain sees it. Raises `UserFault` when another release wrote what this one cannot read."""
    return read_owner(Job, api.Job, names.JOB_PLURAL, body)
