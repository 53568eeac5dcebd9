"""A cluster that is there already, in place of a control plane of the bed: what KUBECONFIG names, with `--use-existing`."""

import os
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import NoReturn

from bed.controlplane import auditlog, binaries, kubectl
from bed.errors import BedError
from bed.state import Bed


@dataclass(frozen=True, slots=True)
class ExistingControlPlane:
    """Somebody's cluster. It is used and never started, stopped or broken."""

    kubeconfig: Path
    kubectl_path: Path
    bed: Bed

    @classmethod
    def from_environment(cls, bed: Bed) -> "ExistingControlPlane":
        """The cluster that KUBECONFIG names, reached by the kubectl in PATH or else the bed's own.

        Raises:
            BedError: KUBECONFIG is not set or names no file, or the cluster does not answer.
        """
        named = os.environ.get("KUBECONFIG", "")
        if not named or not Path(named).is_file():
            raise BedError(f"--use-existing needs KUBECONFIG to name one file, the kubeconfig of the cluster to use; it is {named!r}")
        installed = shutil.which("kubectl")
        program = Path(installed) if installed else binaries.provide(["kubectl"], bed)["kubectl"]
        found = cls(Path(named).resolve(), program, bed)
        found.kubectl("get", "--raw", "/readyz")
        return found

    @property
    def url(self) -> str:
        """Where the API server is."""
        return self.kubectl("config", "view", "--minify", "-o", "jsonpath={.clusters[0].cluster.server}").stdout

    def kubectl(  # `input` is the word of subprocess
        self, *args: str, input: str | None = None, check: bool = True,  # noqa: A002
    ) -> "subprocess.CompletedProcess[str]":
        """Runs kubectl as the kubeconfig's user; see `kubectl.call`."""
        return kubectl.call(self.kubectl_path, self.kubeconfig, args, mark=self.bed.env, text=input, check=check)

    def audit(self) -> list[auditlog.AuditEvent]:
        """Raises:
        BedError: always; the audit log of somebody's cluster is not ours to read.
        """
        self._refuse("has no audit log that the bed can read")

    def restart_apiserver(self) -> None:
        """Raises:
        BedError: always.
        """
        self._refuse("is not the bed's to restart")

    def stop(self) -> None:
        """Does nothing: the cluster stays."""

    def _refuse(self, why: str) -> NoReturn:
        raise BedError(f"the existing cluster at {self.url} {why}; run without --use-existing for this")
