"""Reading objects as the API server gives them, and writing statuses as it takes them."""

from datetime import UTC, datetime

import pytest
from pydantic import ValidationError

from fairlead.api.v1alpha1 import names
from fairlead.api.v1alpha1.cluster import Cluster
from fairlead.api.v1alpha1.job import Job, JobStatus
from fairlead.api.v1alpha1.meta import Condition
from fairlead.api.v1alpha1.reasons import ClusterCondition, ClusterReason, JobCondition, JobReason, SessionCondition, SessionReason

NOON = datetime(2031, 5, 1, 12, 0, 0, 900_000, tzinfo=UTC)
JOB = {"metadata": {"name": "hello", "uid": "1"}, "spec": {"clusterRef": {"name": "hpc"}, "script": "#!/bin/sh\n"}}


def test_job_defaults():
    """An object that an earlier release stored without a field would be read as something else than the default."""
    spec = Job.model_validate(JOB).spec
    assert (spec.login_shell, spec.exclusive, spec.cancellation_grace_period_seconds, spec.env) == (True, False, 30, ())


def test_cluster_defaults():
    """A Cluster written in seven lines would not do."""
    spec = Cluster.model_validate({"metadata": {"name": "hpc"}, "spec": {
        "type": "Slurm", "endpoints": [{"host": "a"}], "user": "u", "authSecretRef": {"name": "k"}, "hostKeys": {"knownHosts": "x"},
    }}).spec
    assert (spec.endpoints[0].port, spec.work_dir, spec.connection.keepalive_interval_seconds) == (22, "~/.fairlead", 15)
    assert (spec.slurm.accounting, spec.connection.max_channels_per_connection, spec.suspend) == ("Auto", 4, False)


def test_fields_of_another_release_are_passed_over():
    """After a downgrade the controller could read no object."""
    assert Job.model_validate(JOB | {"spec": JOB["spec"] | {"madeLater": 1}, "status": {"madeLater": {}}}).metadata.name == "hello"


def test_what_a_newer_release_has_written_into_a_status_goes_out_again():
    """After a downgrade, or from an older replica, the next write of the whole status would destroy what the newer one goes by."""
    status = JobStatus.model_validate({"madeLater": {"a": 1}, "run": {"key": "u-1", "attempt": 1, "later": "x"}})
    written = status.having(phase="Running", run=status.run.having(state="RUNNING"))
    assert written.model_dump(mode="json", by_alias=True, exclude_none=True) == {
        "phase": "Running", "conditions": [], "attempts": [], "madeLater": {"a": 1},
        "run": {"key": "u-1", "attempt": 1, "state": "RUNNING", "later": "x"},
    }


def test_objects_do_not_change():
    """A pass could change what the next one reads."""
    with pytest.raises(ValidationError, match="frozen"):
        Job.model_validate(JOB).metadata.name = "other"


def test_status_goes_out_as_kubernetes_writes_it():
    """The API server would refuse the status, or change it and cause another write."""
    condition = Condition(type=JobCondition.READY, status="False", reason=JobReason.RUNNING, last_transition_time=NOON)
    status = JobStatus(observed_generation=1, conditions=(condition,), submit_time=NOON)
    assert status.model_dump(mode="json", by_alias=True, exclude_none=True) == {
        "observedGeneration": 1, "attempts": [], "submitTime": "2031-05-01T12:00:00Z",
        "conditions": [
            {"type": "Ready", "status": "False", "reason": "Running", "message": "", "lastTransitionTime": "2031-05-01T12:00:00Z"},
        ],
    }


@pytest.mark.parametrize("words", [ClusterCondition, ClusterReason, JobCondition, JobReason, SessionCondition, SessionReason])
def test_words_fit_kubernetes_and_have_a_meaning(words):
    """A condition would be refused, or stand in the documentation without a word of explanation."""
    assert all(word.isalnum() and word[0].isupper() and word.meaning.endswith(".") for word in words)


def test_frozen_strings():
    """After an upgrade the controller would not find what the release before has left in clusters."""
    assert (names.FINALIZER, names.FINISHED_LABEL, names.FINISHED_VALUE, names.FIELD_MANAGER) == (
        "fairlead.dev/remote-run", "fairlead.dev/finished", "true", "fairlead",
    )
    assert (names.LEASE_NAME, names.INSTALLATION_CONFIG_MAP, names.LEDGER_CONFIG_MAP, names.LEDGER_LABEL, names.REMOTE_LAYOUT) == (
        "fairlead-controller", "fairlead-installation", "fairlead-ledger", "fairlead.dev/ledger-of", 1,
    )
    assert (names.INSTALLATION_SECRET, names.PROOF_KEY_FIELD) == ("fairlead-installation", "proof-key")
    assert [(each.name, each.value) for each in names.WrapperExit] == [
        ("CLAIM_LOST", 121), ("REQUEUE_NOT_ALLOWED", 122), ("ENVIRONMENT", 123), ("OUTPUT", 124),
    ]
