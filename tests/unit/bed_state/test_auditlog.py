"""API writes are counted from the audit log."""

from pathlib import Path

import pytest

from bed.controlplane import auditlog

FIRST, SECOND = '{"verb": "create"}', '{"verb": "patch"}'


@pytest.mark.parametrize(("text", "verbs"), [
    pytest.param("", [], id="nothing yet"),
    pytest.param(f"{FIRST}\n{SECOND}\n", ["create", "patch"], id="whole lines"),
    pytest.param(f"{FIRST}\n{SECOND[:9]}", ["create"], id="a line that is being written"),
    pytest.param(FIRST, [], id="a whole object whose line is not ended"),
])
def test_whole_lines_are_events(tmp_path: Path, text: str, verbs: list[str]) -> None:
    """A count that is taken while the server writes would fail or count twice."""
    (tmp_path / "audit.log").write_text(text)
    assert [event["verb"] for event in auditlog.read(tmp_path / "audit.log")] == verbs


def test_no_log_is_no_events(tmp_path: Path) -> None:
    """A control plane without an audit log would fail instead of counting nothing."""
    assert auditlog.read(tmp_path / "none") == []
