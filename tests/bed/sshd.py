"""A bare SSH host: a real sshd and an ordinary user, without a scheduler."""

from pathlib import Path
from typing import Self

from bed.cgroups import delegate
from bed.login import LoginNode
from bed.releases import DEFAULT_RELEASE, release_of
from bed.sshdconf import LoginOptions
from bed.state import Bed


class SshHost(LoginNode):
    """A host that takes ssh and nothing else. Its commands, faults and addresses are those of every login node."""

    @classmethod
    def start(cls, bed: Bed, release: str = DEFAULT_RELEASE, *, sshd_extra: tuple[str, ...] = (), login_shell: str = "/bin/bash",
              home: Path | None = None) -> Self:
        """A host of the suite that carries this Slurm release, ready for logins in about a tenth of a second.

        Hosts that are given the same folder as `home` have the same user, as hosts with a home on NFS.
        """
        host = cls(bed, release_of(release), "host", LoginOptions(sshd_extra, login_shell, home=home))
        host.sshd.start()
        return host

    def delegate(self) -> Path:
        """From the next session on all that the user starts is in a control group that is the user's own; its folder, for root."""
        return delegate(self.enclosure.network.name, self.enclosure.uid, self.sshd.pid)
