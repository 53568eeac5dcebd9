"""What a bare host prints, read into the words of a Run: what is not as our scripts write it counts as not there."""

import pytest

from fairlead.domain.errors import RemoteFault
from fairlead.domain.run.observation import LastWord, Listed
from fairlead.domain.run.run import RunKey, RunState
from fairlead.schedulers.fence import Answer, Row
from fairlead.schedulers.process.answers import observation

KEY = RunKey("0123abcd-0000-4000-8000-00000000000a", 1)
NAME = str(KEY)


def answer(*rows: tuple[str, ...]) -> Answer:
    return Answer(tuple(Row(kind, tuple(fields)) for kind, *fields in rows))


@pytest.mark.parametrize(("row", "expected"), [
    pytest.param(("7", "PENDING", "", "Priority", "box"), Listed(KEY, "7", RunState.PENDING, "PENDING", "Priority", "box", source="host"),
                 id="it waits"),
    pytest.param(("7", "RUNNING", "1700", "", "box"), Listed(KEY, "7", RunState.RUNNING, "RUNNING", "", "box", starts=1700, source="host"),
                 id="it runs"),
    pytest.param(("7", "RUNNING", "1700", "", "box", "Cgroup"),
                 Listed(KEY, "7", RunState.RUNNING, "RUNNING", "", "box", starts=1700, source="host", tracking="Cgroup"),
                 id="it runs in a control group"),
    pytest.param(("7", "RUNNING", "1700", "", "box", "Magic"),
                 Listed(KEY, "7", RunState.RUNNING, "RUNNING", "", "box", starts=1700, source="host"), id="means that nobody knows"),
    pytest.param(("7", "DANCING", "x", "", ""), Listed(KEY, "7", RunState.UNKNOWN, "DANCING", source="host"),
                 id="a word that nobody knows"),
])
def test_a_live_run(row: tuple[str, ...], expected: Listed) -> None:
    """Else a Job would be shown as it is not."""
    assert observation(answer(("job", NAME, *row)), {KEY: ""}).listed == {KEY: (expected,)}


@pytest.mark.parametrize("row", [
    pytest.param(("job", NAME, "7; rm", "RUNNING"), id="an id that is no number"),
    pytest.param(("job", "x", "7", "RUNNING"), id="a key that is none"),
    pytest.param(("job", str(KEY.next), "7", "RUNNING"), id="a key that was not asked for"),
    pytest.param(("outcome", NAME, "7 FAILED"), id="half an outcome"),
    pytest.param(("outcome", NAME, "7 FAILED x 1"), id="an exit code that is no number"),
])
def test_a_row_that_no_script_of_ours_prints(row: tuple[str, ...]) -> None:
    """Else a host could make up the end of a Job."""
    seen = observation(answer(row), {KEY: ""})
    assert (seen.listed, seen.records) == ({}, {})


@pytest.mark.parametrize(("line", "expected"), [
    pytest.param("7 COMPLETED 0 1700\x1fLinuxProc", LastWord("7", RunState.COMPLETED, "COMPLETED", source="host", tracking="LinuxProc"),
                 id="found through /proc"),
    pytest.param("7 TIMEOUT 143 1700", LastWord("7", RunState.TIMED_OUT, "TIMEOUT", 143, source="host"), id="out of time"),
    pytest.param("7 NODE_FAIL 0 1700", LastWord("7", RunState.NODE_FAILED, "NODE_FAIL", 0, source="host"), id="started anew"),
    pytest.param("7 FAILED 137 1700", LastWord("7", RunState.FAILED, "FAILED", 137, source="host"), id="its keeper was killed"),
])
def test_how_a_run_came_out(line: str, expected: LastWord) -> None:
    """Else a Job would end for another reason than it did."""
    rows = answer(("run", NAME, "present", "7.ab"), ("outcome", NAME, *line.split("\x1f")))
    assert observation(rows, {KEY: "7"}).records == {KEY: expected}


def test_a_tree_that_is_not_there() -> None:
    """Else a home that is not mounted would look like Jobs that are gone."""
    with pytest.raises(RemoteFault, match="holds no marker"):
        observation(answer(("no-tree", "/w holds no marker")), {KEY: ""})
