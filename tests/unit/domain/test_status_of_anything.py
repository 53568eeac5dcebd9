"""Whatever a far end says, the status made of it is one that the API server takes: else a Job would stay as it was for ever."""

import random
from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import Any

import pytest

from fairlead.api.crd import RESOURCES
from fairlead.api.structural import structural_schema
from fairlead.api.v1alpha1.cluster import ClusterStatus
from fairlead.api.v1alpha1.job import JobStatus
from fairlead.api.v1alpha1.reasons import ClusterReason
from fairlead.domain.cluster import cluster
from fairlead.domain.cluster.cluster import Health, Trouble
from fairlead.domain.errors import FairleadError, RemoteFault
from fairlead.domain.job.job import Job
from fairlead.domain.pacing import Pacing, Turn
from fairlead.domain.run.installation import Installation
from fairlead.domain.run.memory import Memory
from fairlead.domain.run.observation import Observation
from fairlead.domain.run.run import Owner
from fairlead.schedulers import answers
from fairlead.schedulers.fence import Answer, Row
from fairlead.schedulers.process import answers as host
from fairlead.schedulers.slurm import answers as slurm
from product import settled as settle
from product.objects import KEY, NOW, a_cluster, a_job, submitted
from product.worst_words import NAME, SITE, USUAL, WORST, answer, changed

JOBS = [a_job(), a_job(status=submitted()), a_job(status=submitted(), suspend=True), a_job(status=submitted(), backoffLimit=3)]
SCHEMAS = {resource.kind: structural_schema(resource.status) for resource in RESOURCES}


def observations(said: Answer) -> Iterator[Observation]:
    yield slurm.observation(said, "here", {KEY: "7"})
    yield host.observation(said, {KEY: "7"})


def faults(schema: dict[str, Any], value: Any, place: str = "status") -> Iterator[str]:
    """What the API server would say."""
    kind = {"string": str, "integer": int, "boolean": bool, "object": dict, "array": list, "number": (int, float)}[schema["type"]]
    if not isinstance(value, kind):
        yield f"{place}: {value!r:.60} is no {schema['type']}"
        return
    if schema["type"] == "string":
        if len(value) > schema.get("maxLength", 64 * 1024) or value not in schema.get("enum", [value]):
            yield f"{place}: {value!r:.60} ({len(value)} characters)"
        if not value.replace("\n", "").replace("\t", "").isprintable() or ("tail" not in place and not value.isprintable()):
            yield f"{place}: {value!r:.60} holds what a terminal would obey"
        if schema.get("format") == "date-time" and not value.startswith("20") and datetime.fromisoformat(value).year > 9999:
            yield f"{place}: {value}"
    if schema["type"] in {"integer", "number"} and not schema.get("minimum", value) <= value <= schema.get("maximum", 2**53):
        yield f"{place}: {value}"
    if schema["type"] == "array":
        if len(value) > schema.get("maxItems", 1000):
            yield f"{place}: {len(value)} items"
        for number, each in enumerate(value):
            yield from faults(schema["items"], each, f"{place}[{number}]")
    for name, each in value.items() if schema["type"] == "object" else ():
        yield from faults(schema["properties"][name], each, f"{place}.{name}")


def require_taken(kind: str, status: JobStatus | ClusterStatus | None) -> None:
    """Else a sentence says which field would be refused."""
    if status is None:
        return
    written = status.model_dump(mode="json", by_alias=True, exclude_none=True)
    assert list(faults(SCHEMAS[kind], written)) == []
    assert type(status).model_validate(written) == type(status).model_validate(status.model_dump())


def require_all_taken(said: Answer, jobs: Sequence[Job]) -> None:
    """Of each thing that can follow from an answer."""
    for job in jobs:
        memory = Memory(claim="7", absent_since=-1e9)
        submissions = answers.submitted(said, [KEY], slurm.VOCABULARY)
        submitted_now = settle.submitted(job, memory, submissions[KEY], Turn(NOW, Pacing()))
        for outcome in (submitted_now, *(settle.observed(job, memory, each, Turn(NOW, Pacing())) for each in observations(said))):
            require_taken("Job", outcome.status)
            assert all(len(event.message) <= 1024 and event.message.isprintable() for event in outcome.events)


def require_site_taken(said: Answer) -> None:
    """Of what a probe says."""
    probe = answers.probe(said)
    health = Health(probe) if probe.problem is None else Health(trouble=Trouble(ClusterReason.SCHEDULER_DOWN, probe.text))
    require_taken("Cluster", cluster.report(a_cluster(), health, NOW, 300.0))
    assert len(probe.tree.path if probe.tree else "") <= 4096


@pytest.mark.parametrize("listed", [True, False], ids=["listed", "left"])
@pytest.mark.parametrize("value", WORST, ids=range(len(WORST)))
def test_the_worst_value_in_any_one_place_makes_a_status_that_the_api_server_takes(value: str, listed: bool) -> None:
    """A time of the year 33658, a path of three megabytes: the write is refused, and the Job has no end for ever."""
    for said in changed([row for row in USUAL if listed or row[0] != "job"], value):
        require_all_taken(answer(said), JOBS[1:2])


@pytest.mark.parametrize("value", WORST, ids=range(len(WORST)))
def test_the_worst_value_of_a_site_makes_a_status_that_the_api_server_takes(value: str) -> None:
    """A version or a path that a login node makes up would keep its Cluster as it was last written."""
    for said in (*changed(SITE, value), *changed([row for row in SITE if row[0] != "problem"], value)):
        require_site_taken(answer(said))


@pytest.mark.parametrize("seed", range(60))
def test_anything_makes_a_status_that_the_api_server_takes(seed: int) -> None:
    """Several such values at once are no other matter."""
    chance = random.Random(seed)
    said = [(kind, *(chance.choice(WORST) if chance.random() < 0.3 else each for each in fields))
            for kind, *fields in USUAL + SITE if chance.random() < 0.8]
    require_all_taken(answer(said), JOBS)
    require_site_taken(answer(said))


@pytest.mark.parametrize("text", WORST, ids=range(len(WORST)))
def test_what_a_far_end_says_in_an_error_is_one_clean_line(text: str) -> None:
    """A log or a condition would carry its escape codes."""
    for rows in ((Row("no-tree", (text,)),), (Row("failed", ("1", text)),)):
        with pytest.raises((FairleadError, RemoteFault)) as fault:
            slurm.observation(Answer(rows), "here", {})
        assert str(fault.value).isprintable()
        assert len(str(fault.value)) < 1200


@pytest.mark.parametrize(("owner", "is_one"), [
    (f"lab sim {KEY.uid}", True), (f"lab ../../secrets/x {KEY.uid}", False), (f"lab sim\x1b[31m {KEY.uid}", False),
    (f"{'a' * 5000} sim {KEY.uid}", False), (f"LAB sim {KEY.uid}", False), ("lab sim other", False),
])
def test_whose_a_directory_is_said_to_be_is_a_name_or_nothing(owner: str, is_one: bool) -> None:
    """The sweep would ask the API server, and tell people, of what one script has written."""
    here = Installation("here", "one", b"s" * 32)
    namespace, name, *_ = owner.split(" ")
    proved = f"{owner} {here.proof_of_owner(KEY, Owner(namespace, name, KEY.uid))}"
    for text, is_proved in ((proved, is_one), (owner, False), (f"{owner} {'0' * 64}", False)):
        found = answers.removed(Answer((Row("remnant", (NAME, text, "0", "0")), Row("listed", ("0",)))), here, slurm.VOCABULARY)
        assert (found.remnants[0].owner is not None) == is_proved
