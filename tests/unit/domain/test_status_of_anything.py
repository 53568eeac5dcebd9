"""Whatever a far end says, the status made of it is one that the API server takes: else a Job would stay as it was for ever."""

import random
import re
from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import Any

import pytest

from fairlead.api.crd import RESOURCES
from fairlead.api.structural import structural_schema
from fairlead.api.v1alpha1.cluster import ClusterStatus
from fairlead.api.v1alpha1.job import JobStatus
from fairlead.api.v1alpha1.reasons import ClusterReason
from fairlead.domain import cluster, settle
from fairlead.domain.cluster import Health, Trouble
from fairlead.domain.errors import FairleadError, RemoteFault
from fairlead.domain.job import Job
from fairlead.domain.memory import Memory
from fairlead.domain.pacing import Pacing
from fairlead.domain.run import Observation
from fairlead.schedulers import answers
from fairlead.schedulers.fence import Answer, Row
from fairlead.schedulers.process import answers as host
from fairlead.schedulers.slurm import answers as slurm
from product.objects import KEY, NOW, a_cluster, a_job, submitted

NAME = str(KEY)
JOBS = [a_job(), a_job(status=submitted()), a_job(status=submitted(), suspend=True), a_job(status=submitted(), backoffLimit=3)]
WORST = [
    "", "-1", "0", "999999999999", "9" * 5000, "٣", "x" * 5000, "\x1b[31m" * 900, "\x1b]0;" + "x" * 5000, "\u202egnp", "a\nb\0\ud800",
    "\x1e" * 3000, "/tmp/\x1b[2J\x07" + "d/" * 3000, "🙂" * 4000, "RUNNING", "COMPLETED", "CANCELLED by 0", "PENDING", "JobHeldUser",
    "revoked", "deadline", "6" * 40_000, "256:300",
]
SCHEMAS = {resource.kind: structural_schema(resource.status) for resource in RESOURCES}


USUAL: tuple[tuple[str, ...], ...] = (
    ("job", "7", "RUNNING", "1700000000", "1700000000", "n1", "None", f"fairlead:here:{NAME}"),
    ("job", NAME, "7", "RUNNING", "1700000000", "Priority", "n1", "Cgroup"),
    ("started-0", NAME, "7 0 1700000000 n1"), ("finished-0", NAME, "7 0 0 1700000001"), ("run", NAME, "present", "7.ab", "7", "1 no", ""),
    ("log", NAME, "12", "/home/a.out", "/home/a.err", "6869"),
    ("scontrol", NAME, f"JobId=7 JobName=x-{NAME} JobState=FAILED ExitCode=1:0 Reason=None"),
    ("sacct", f"7|TIMEOUT|0:15|None||{NAME}"), ("outcome", NAME, "7 TIMEOUT 0 1700000001", "Cgroup"),
    ("submit", NAME, "submitted", "7", "no"), ("submit", NAME, "refused", "1", "no"), ("submit", NAME, "unknown", "1", "no"),
)
"""Rows about one key as our scripts print them."""
SITE: tuple[tuple[str, ...], ...] = (
    ("tree", "/w/here", "ab" * 16), ("problem", "scheduler-down", "why"), ("version", "slurm 24.11.5"), ("home", "/home/ann"), ("up",),
    ("accounting", "available"),
)
"""Rows about a site."""


def changed(rows: Sequence[tuple[str, ...]], value: str) -> Iterator[list[tuple[str, ...]]]:
    """The rows with `value` in the place of each field in turn, and of each word of a field. With and without the job in the listing."""
    for place, row in enumerate(rows):
        for index in range(1, len(row)):
            words = re.split(r"([ |=])", row[index])
            for at in range(0, len(words), 2):
                field = "".join((*words[:at], value, *words[at + 1:]))
                new = (row[0].replace("-0", f"-{value}") if "-0" in row[0] and at == 2 else row[0], *row[1:index], field, *row[index + 1:])
                yield [*rows[:place], new, *rows[place + 1:]]


def answer(rows: Sequence[tuple[str, ...]]) -> Answer:
    """As the fence gives it."""
    return Answer(tuple(Row(kind, tuple(each.encode("utf-8", "replace").decode()[:40_000] for each in fields)) for kind, *fields in rows),
                  1700000000)


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
    if schema["type"] in {"integer", "number"} and not schema.get("minimum", value) <= value <= schema.get("maximum", 2**63 - 1):
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
        submitted_now = settle.submitted(job, memory, submissions[KEY], NOW, Pacing())
        for outcome in (submitted_now, *(settle.observed(job, memory, each, NOW, Pacing()) for each in observations(said))):
            require_taken("Job", outcome.status)
            assert all(len(event.message) <= 1024 and event.message.isprintable() for event in outcome.events)


def require_site_taken(said: Answer) -> None:
    """Of what a probe says."""
    probe = answers.probe(said)
    health = Health(probe) if probe.problem is None else Health(trouble=Trouble(ClusterReason.SCHEDULER_DOWN, probe.text))
    require_taken("Cluster", cluster.report(a_cluster(), health, NOW, 300.0))
    assert len(probe.home) <= 4096 >= len(probe.tree.path if probe.tree else "")
    assert probe.home.isprintable()


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
            slurm.observation(Answer(rows, 0), "here", {})
        assert str(fault.value).isprintable()
        assert len(str(fault.value)) < 1200


@pytest.mark.parametrize(("owner", "is_one"), [
    (f"lab sim {KEY.uid}", True), (f"lab ../../secrets/x {KEY.uid}", False), (f"lab sim\x1b[31m {KEY.uid}", False),
    (f"{'a' * 5000} sim {KEY.uid}", False), (f"LAB sim {KEY.uid}", False), ("lab sim other", False),
])
def test_whose_a_directory_is_said_to_be_is_a_name_or_nothing(owner: str, is_one: bool) -> None:
    """The sweep would ask the API server, and tell people, of what one script has written."""
    found = answers.removed(Answer((Row("remnant", (NAME, owner, "0", "0")), Row("listed", ("0",))), 0), "here", slurm.VOCABULARY)
    assert (found.remnants[0].owner is not None) == is_one
