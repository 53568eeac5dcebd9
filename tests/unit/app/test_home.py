"""Where people's files are found, and what a uid that nobody knows has instead."""

import os
import subprocess
import sys

SHOWN = """
import os, sys
sys.argv = ["fairlead", "--version"]
who = int(os.environ["AS"])
os.getuid = lambda: who
from fairlead.cli.main import main
try:
    main()
finally:
    print(os.environ.get("HOME"))
"""


def home_for(uid: int) -> str:
    """HOME after the command line has begun, where it was not set."""
    surroundings = {"PATH": os.environ["PATH"], "AS": str(uid)}
    shown = subprocess.run([sys.executable, "-c", SHOWN], env=surroundings, capture_output=True, text=True, check=True)
    return shown.stdout.splitlines()[-1]


def test_who_has_a_home_keeps_it_and_a_uid_that_nobody_knows_has_none() -> None:
    """Else a person's ~/.kube/config would not be found where HOME is not set, or a pod's random uid would end the controller."""
    assert home_for(os.getuid()) == "None"
    assert home_for(4_000_000) == "/nonexistent"
