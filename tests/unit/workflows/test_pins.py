"""The workflows of public CI: what they use is pinned, what they may do is said, and what they call is there."""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

ROOT = Path(__file__).parents[3]
WORKFLOWS = sorted((ROOT / ".github" / "workflows").glob("*.yml"))
PINNED = re.compile(r"[a-z0-9._-]+/[a-z0-9._/-]+@[0-9a-f]{40} # v\d+\.\d+\.\d+")
MAY_WRITE = {"release.yml"}
each_workflow = pytest.mark.parametrize("path", WORKFLOWS, ids=lambda path: path.name)


def _jobs(path: Path) -> dict[str, dict[str, Any]]:
    jobs: dict[str, dict[str, Any]] = yaml.safe_load(path.read_text())["jobs"]
    return jobs


def _scripts() -> Iterator[tuple[str, str]]:
    for path in WORKFLOWS:
        for name, job in _jobs(path).items():
            yield from ((f"{path.name} {name}", step["run"]) for step in job["steps"] if "run" in step)


def test_there_are_workflows():
    """The other tests would look at nothing."""
    assert {"ci.yml", "e2e.yml", "release.yml"} <= {path.name for path in WORKFLOWS}


@each_workflow
def test_each_action_is_pinned_by_its_commit(path):
    """Who moves a tag of an action's repository would run what he likes with our rights."""
    used = re.findall(r"uses: (.+)", path.read_text())
    assert used
    assert [each for each in used if not PINNED.fullmatch(each)] == []


@each_workflow
def test_one_action_has_one_pin(path):
    """One place that was forgotten would keep what the others have left for a reason."""
    pins = {line for other in WORKFLOWS for line in re.findall(r"uses: (.+)", other.read_text())}
    names = [pin.split("@")[0] for pin in pins]
    assert sorted(names) == sorted(set(names))


@each_workflow
def test_a_job_may_what_it_says_and_no_more(path):
    """A stolen token of a job that only tests would push an image."""
    assert yaml.safe_load(path.read_text())["permissions"] == {}
    for name, job in _jobs(path).items():
        given = job["permissions"]
        assert given, f"{name} says nothing"
        assert path.name in MAY_WRITE or set(given.values()) == {"read"}, name
        checkouts = [step for step in job["steps"] if "actions/checkout" in step.get("uses", "")]
        assert all(step["with"]["persist-credentials"] is False for step in checkouts), name


def test_no_script_is_made_of_what_others_wrote():
    """The title of a pull request would run as code."""
    assert [name for name, script in _scripts() if "${{" in script] == []


def test_what_they_make_is_there():
    """A workflow would fail on a target that has another name today; or what takes longest would be run by nobody."""
    targets = set(re.findall(r"^([a-z0-9-]+):", (ROOT / "Makefile").read_text(), re.MULTILINE))
    called = {target for _, script in _scripts() for target in re.findall(r"^\s*make ([a-z0-9-]+)", script, re.MULTILINE)}
    assert {"check", "test", "e2e"} <= called <= targets


def test_images_are_pinned_and_one_with_the_dockerfile():
    """CI would test on one base and release on another, or on whatever the tag says that day."""
    bases = re.findall(r"^ARG \w+_BASE=(\S+)$", (ROOT / "Dockerfile").read_text(), re.MULTILINE)
    assert len(bases) == 2
    assert all(re.fullmatch(r"\S+:\S+@sha256:[0-9a-f]{64}", base) for base in bases)
    used = {job["container"]["image"] for path in WORKFLOWS for job in _jobs(path).values() if "container" in job}
    assert used <= set(bases)


def test_a_release_goes_to_one_registry():
    """Images would be pushed to a place that nobody looks after."""
    text = (ROOT / ".github" / "workflows" / "release.yml").read_text()
    assert set(re.findall(r"\b[a-z0-9-]+(?:\.[a-z0-9-]+)*\.(?:io|com|dev|org)\b", text)) == {"ghcr.io"}


def test_helm_is_the_tests_helm():
    """A release would be packaged by a Helm that no test has seen."""
    pinned = re.findall(r"\bhelm\.sh/helm/v3 (v\S+)", (ROOT / "tests/bed/helm/go.mod").read_text())
    used = {version for _, script in _scripts() for version in re.findall(r"helm\.sh/helm/v3/cmd/helm@(v\S+)", script)}
    assert used == set(pinned)
    assert len(used) == 1


def test_kind_runs_three_minors_in_a_row():
    """A minor that people use would be left out, or one tag would mean another image tomorrow."""
    [nodes] = [job["strategy"]["matrix"]["node"] for job in _jobs(ROOT / ".github" / "workflows" / "e2e.yml").values()]
    found = [re.fullmatch(r"kindest/node:v1\.(\d+)\.\d+@sha256:[0-9a-f]{64}", node) for node in nodes]
    minors = [int(match[1]) for match in found if match]
    assert len(minors) == len(nodes) == 3
    assert minors == [minors[0], minors[0] - 1, minors[0] - 2]
    cluster = yaml.safe_load((ROOT / "kind-config.yaml").read_text())
    assert {node["image"] for node in cluster["nodes"]} == {nodes[0]}
