"""What a Job asks of a bare host: slots, GPUs and seconds; and what is refused, with a sentence that says what to write."""

import pytest

from fairlead.api.v1alpha1.cluster import ProcessHost
from fairlead.domain.errors import UserFault
from fairlead.domain.job.job_request import request
from fairlead.schedulers.process.preparer import ProcessPreparer
from product.objects import a_job

HOST = ProcessHost(host="box", slots=8, gpus=2)


@pytest.mark.parametrize(("spec", "lines", "options"), [
    pytest.param({}, "", ("1", "0", "0"), id="nothing said: one slot, no GPU, no limit"),
    pytest.param({"cpusPerTask": 4}, "", ("4", "0", "0"), id="CPUs of one task"),
    pytest.param({"ntasks": 2, "cpusPerTask": 4}, "", ("8", "0", "0"), id="tasks times CPUs"),
    pytest.param({"gpus": 2}, "", ("1", "2", "0"), id="GPUs"),
    pytest.param({"gres": "gpu:1"}, "", ("1", "1", "0"), id="GPUs as a generic resource"),
    pytest.param({"timeLimit": "90m"}, "", ("1", "0", "5400"), id="a time limit"),
    pytest.param({}, "#SBATCH --time=30 -c 2\n#SBATCH --gpus=1\n", ("2", "1", "1800"), id="lines of the script; a bare number is minutes"),
    pytest.param({"timeLimit": "1h"}, "#SBATCH --time=30\n", ("1", "0", "3600"), id="the spec wins over a line"),
    pytest.param({"nodes": 1}, "", ("1", "0", "0"), id="the one node"),
])
def test_what_is_asked_for(spec: dict[str, object], lines: str, options: tuple[str, ...]) -> None:
    """Else a Job would take slots that it did not ask for, or run without its GPU."""
    job = a_job(script=f"#!/bin/sh\n{lines}", **spec)
    assert ProcessPreparer([HOST]).prepare(request(job, job.spec.script)).options == options


@pytest.mark.parametrize(("spec", "lines", "words"), [
    pytest.param({"cpusPerTask": 9}, "", "asks for 9 slots .* no host of the Cluster has .box:22 8 and 2", id="more slots than there are"),
    pytest.param({"gpus": 3}, "", "asks for .* 3 GPUs, which no host of the Cluster has .box:22 8 and 2", id="more GPUs than there are"),
    pytest.param({"partition": "gpu"}, "", "has no partition", id="a partition"),
    pytest.param({"memory": "1Gi"}, "", "has no mem", id="memory, which nobody would enforce"),
    pytest.param({"nodes": 2}, "", "nodes is 1 there, not 2", id="two nodes"),
    pytest.param({"gres": "gpu:a100:1"}, "", "has no gres", id="a type of GPU"),
    pytest.param({"exclusive": True}, "", "has no exclusive", id="exclusive use"),
    pytest.param({"extraOptions": {"mail-type": "END"}}, "", "has no mail-type", id="an option of sbatch"),
    pytest.param({}, "#SBATCH --qos=high\n", "has no qos", id="a line of the script"),
    pytest.param({}, "#SBATCH --ntasks=two\n", "ntasks", id="a count that is no number"),
])
def test_what_is_refused(spec: dict[str, object], lines: str, words: str) -> None:
    """Else a wish would be dropped in silence, or a Job wait for ever for what the host does not have."""
    job = a_job(script=f"#!/bin/sh\n{lines}", **spec)
    with pytest.raises(UserFault, match=words):
        ProcessPreparer([HOST]).prepare(request(job, job.spec.script))
