"""Else the comparison would say that a job costs nothing on the login node, or count what others do on this machine meanwhile."""

import os
import subprocess
import sys

from benchmarks.peers.forks import Forks


def test_each_process_below_counts_however_short_and_no_thread_and_nobody_else():
    with Forks({os.getpid()}) as forks:
        subprocess.run(["sh", "-c", "/bin/true; (/bin/true; :) & wait; :"], check=True)
    assert forks.count == 4      # sh, its command, the subshell, and the command of that
    with Forks({os.getpid()}) as forks:
        subprocess.run([sys.executable, "-c", "import threading as t; [t.Thread(target=int).start() for _ in range(9)]"], check=True)
    assert forks.count == 1
    with Forks({2**22 + 1}) as forks:        # no process has this number
        subprocess.run(["/bin/true"], check=True)
    assert forks.count == 0
