"""Scripts that sbatch would refuse are refused before anything is submitted."""

import pytest

from fairlead.api.v1alpha1.script_rules import SCRIPT_LIMIT_BYTES, script_fault

HEAD = "#!/bin/sh\n"


@pytest.mark.parametrize("text", [
    pytest.param(HEAD, id="nothing but its first line"),
    pytest.param("#! /usr/bin/env python3\nprint('é')\n", id="another interpreter"),
    pytest.param(HEAD + "printf 'a\\r\\n'\n", id="a written-out carriage return"),
    pytest.param(HEAD + "x" * (SCRIPT_LIMIT_BYTES - len(HEAD)), id="as large as may be"),
])
def test_accepted(text):
    """A script that sbatch takes would not run."""
    assert script_fault(text) is None


@pytest.mark.parametrize(("text", "sentence"), [
    pytest.param("", "the script is empty", id="empty"),
    pytest.param(" \n\t\n", "the script is empty", id="blank"),
    pytest.param("echo hello\n", "names no interpreter", id="no first line"),
    pytest.param("\n" + HEAD, "names no interpreter", id="first line is second"),
    pytest.param("\ufeff" + HEAD, "byte-order mark", id="byte-order mark"),
    pytest.param(HEAD + "true\r\n", "Windows line ends", id="one Windows line end"),
    pytest.param(HEAD + "\0", "NUL", id="NUL"),
    pytest.param(HEAD + "é" * (SCRIPT_LIMIT_BYTES // 2), "larger than 1 MiB", id="too large in bytes though not in characters"),
])
def test_refused(text, sentence):
    """An empty or unreadable script would count as a success on the cluster."""
    assert sentence in (script_fault(text) or "")
