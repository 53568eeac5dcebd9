"""If a row is misread, a Job takes another's fate, or one that still runs is taken for gone."""

import re

import pytest
from slurm_golden import in_every_release

from fairlead.domain.run.observation import Listed
from fairlead.domain.run.run import RunKey, RunState
from fairlead.schedulers.slurm import listing

KEY = RunKey("0f4a4b4c-1111-2222-3333-444455556666", 2)
OURS = listing.mark("prod", KEY)


def row(**changes):
    fields = {
        "id": "42", "state": "RUNNING", "starts": "1795240610", "submitted": "1795240609", "node": "n1", "reason": "None", "mark": OURS,
    } | changes
    return list(fields.values())


def as_listed(golden, mark):
    """The rows of a captured listing, in the columns that ours has, under our mark."""
    columns = re.findall(r"%(\w)", golden.command.partition("$'")[2])
    wanted = re.findall(r"%(\w)", listing.SQUEUE_FORMAT)
    for line in golden.stdout.splitlines():
        values = dict(zip(columns, line.split("\x1f"), strict=True))
        yield [values[letter] for letter in wanted[:-2]] + [mark]


def test_a_running_job_is_read_whole():
    assert listing.parse_row(row(), "prod") == Listed(KEY, "42", RunState.RUNNING, "RUNNING", "", "n1", 1795240609, 1795240610, "squeue")


def test_the_format_ends_with_path_and_comment_and_leaves_the_name_out():
    letters = re.findall(r"%(\w)", listing.SQUEUE_FORMAT)
    assert letters[-2:] == ["o", "k"]
    assert "j" not in letters


def test_a_job_is_named_after_its_key():
    assert listing.former_name("train", KEY) == "train-0f4a4b4c-1111-2222-3333-444455556666-2"


@pytest.mark.parametrize("golden", in_every_release("squeue-all-o") + in_every_release("squeue-final-o"), ids=str)
def test_every_single_job_of_a_real_listing_is_read(golden):
    rows = list(as_listed(golden, OURS))
    found = [listing.parse_row(fields, "prod") for fields in rows]
    assert len(rows) > 20
    for fields, listed in zip(rows, found, strict=True):
        assert (listed is not None) == fields[0].isdigit(), fields
        if listed is not None:
            assert listed.state is not RunState.UNKNOWN
            assert listed.submitted is not None
            assert (listed.starts is None) == (fields[2] == "N/A")


@pytest.mark.parametrize("golden", in_every_release("squeue-all-o"), ids=str)
def test_the_jobs_of_others_are_not_ours(golden):
    assert all(listing.parse_row(fields, "prod") is None for mark in ("(null)", "") for fields in as_listed(golden, mark))


@pytest.mark.parametrize(("printed", "shown"), [
    pytest.param("None", "", id="none"),
    pytest.param("(null)", "", id="null"),
    pytest.param("N/A", "", id="not available"),
    pytest.param("", "", id="empty"),
    pytest.param("Resources", "Resources", id="one word"),
    pytest.param("ReqNodeNotAvail, UnavailableNodes:n2", "ReqNodeNotAvail, UnavailableNodes:n2", id="blanks and commas"),
    pytest.param("RaisedSignal:53(Real-time signal 19)", "RaisedSignal:53(Real-time signal 19)", id="parentheses"),
    pytest.param("a\x1b[2J\tb\x07\u202ec", "a b c", id="escape codes and control characters"),
    pytest.param("x" * 5000, "x" * 255 + "…", id="endless"),
])
def test_a_reason_is_shown_as_slurm_says_it(printed, shown):
    listed = listing.parse_row(row(state="PENDING", reason=printed), "prod")
    assert listed is not None
    assert listed.reason == shown


@pytest.mark.parametrize(("changes", "field", "value"), [
    pytest.param({"starts": "N/A"}, "starts", None, id="no start is expected"),
    pytest.param({"starts": "0"}, "starts", None, id="a start of 0 is none"),
    pytest.param({"starts": "2026-01-01T00:00:00"}, "starts", None, id="a time in another format"),
    pytest.param({"submitted": "-5"}, "submitted", None, id="a negative time"),
    pytest.param({"node": "gpu[01-04,07],login-1.site"}, "node", "gpu[01-04,07],login-1.site", id="several nodes"),
    pytest.param({"node": ""}, "node", "", id="no node yet"),
    pytest.param({"node": "(null)"}, "node", "", id="null for a node"),
    pytest.param({"node": "-oProxyCommand=touch /tmp/x"}, "node", "", id="a node that is no name"),
    pytest.param({"state": "DANCING"}, "state", RunState.UNKNOWN, id="a state of tomorrow"),
    pytest.param({"state": ""}, "state", RunState.UNKNOWN, id="no state"),
    pytest.param({"state": "PENDING", "reason": "JobHeldUser"}, "state", RunState.HELD, id="held"),
])
def test_a_field_out_of_the_ordinary_leaves_the_row_standing(changes, field, value):
    assert getattr(listing.parse_row(row(**changes), "prod"), field) == value


@pytest.mark.parametrize("fields", [
    pytest.param([], id="nothing"),
    pytest.param([""], id="an empty line"),
    pytest.param(row()[:-1], id="a field too few"),
    pytest.param([*row(), "COMPLETED"], id="a field too many"),
    pytest.param(row(id=""), id="no id"),
    pytest.param(row(id="0"), id="id 0"),
    pytest.param(row(id="-1"), id="a negative id"),
    pytest.param(row(id="42; scancel 1"), id="a command for an id"),
    pytest.param(row(id="42\n43"), id="two lines for an id"),
    pytest.param(row(id="٤٢"), id="digits of another script"),
    pytest.param(row(id="9" * 30), id="an id without end"),
    pytest.param(row(id="7_[2-3%2]"), id="tasks of an array"),
    pytest.param(row(id="33+1"), id="part of a heterogeneous job"),
    pytest.param(row(mark=""), id="no mark"),
    pytest.param(row(mark="(null)"), id="null for a mark"),
    pytest.param(row(mark=f"fairlead:test:{KEY}"), id="another installation"),
    pytest.param(row(mark=f"fairlead:production:{KEY}"), id="an installation whose name begins like ours"),
    pytest.param(row(mark=f"x fairlead:prod:{KEY}"), id="words before the mark"),
    pytest.param(row(mark=f"{OURS} "), id="a blank behind the mark"),
    pytest.param(row(mark=f"{OURS}\n42"), id="a newline behind the mark"),
    pytest.param(row(mark="fairlead:prod:"), id="no key"),
    pytest.param(row(mark="fairlead:prod:0f4a4b4c-1111-2222-3333-444455556666-0"), id="attempt 0"),
    pytest.param(row(mark=OURS.upper()), id="in capitals"),
])
def test_a_row_that_is_not_exactly_ours_is_nobodys(fields):
    assert listing.parse_row(fields, "prod") is None


@pytest.mark.parametrize(("fields", "key"), [
    pytest.param(row(mark="site"), KEY, id="no mark, of an id that scontrol shows as ours"),
    pytest.param(row(mark="(null)"), KEY, id="null, of such an id"),
    pytest.param(row(id="43", mark="site"), None, id="no mark, of another id"),
])
def test_a_row_whose_comment_a_site_has_rewritten_is_known_by_its_id(fields, key):
    """Else a Job would look lost, and its whole cluster broken, where a submit plugin writes comments of its own."""
    found = listing.parse_row(fields, "prod", {"42": KEY})
    assert (found.key if found else None) == key
