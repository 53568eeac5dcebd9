"""Helm with a home of its own, so that neither a person's settings nor another test's are in it."""

import os
import subprocess
from dataclasses import dataclass
from pathlib import Path

TIMEOUT_SECONDS = 90


@dataclass(frozen=True, slots=True)
class Helm:
    """Calls of `program`; `home` is for its caches, `kubeconfig` names the cluster, if it needs one."""

    program: Path
    home: Path
    kubeconfig: Path | None = None

    def __call__(self, *args: str, check: bool = True) -> "subprocess.CompletedProcess[str]":
        """Run it to its end. With `check` a failure is an AssertionError with what it said."""
        known = {"PATH": os.environ.get("PATH", os.defpath), "HOME": str(self.home), "KUBECACHEDIR": str(self.home / "kube")}
        if self.kubeconfig:
            known["KUBECONFIG"] = str(self.kubeconfig)
        done = subprocess.run([self.program, *args], env=known, capture_output=True, text=True, timeout=TIMEOUT_SECONDS, check=False)
        assert not check or done.returncode == 0, f"`helm {' '.join(args)}`: {done.stderr.strip() or done.stdout.strip()}"
        return done
