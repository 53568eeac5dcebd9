"""squeue with a log: what a login node saw of polls, by its own clock."""

from itertools import pairwise

from bed.slurm import SlurmCluster

_SHIM = 'case $* in *job*) date +%s.%N >>"$HOME/polls" ;; *) echo >>"$HOME/other-calls" ;; esac\nexec "$REAL" "$@"'


class PollLog:
    """Counts a cluster's polls from now on: calls of squeue with the format of a poll."""

    def __init__(self, node: SlurmCluster) -> None:
        self._polls = node.home / "polls"
        self._node = node
        node.shim("squeue", _SHIM)

    @property
    def times(self) -> list[float]:
        """When each poll called squeue, epoch seconds."""
        return [float(line) for line in self._polls.read_text().splitlines()] if self._polls.exists() else []

    @property
    def gaps(self) -> list[float]:
        """Seconds between polls, in their order."""
        times = self.times
        return [after - before for before, after in pairwise(times)]

    def close(self) -> None:
        """Take the shim and the log away."""
        self._node.unshim("squeue")
        for name in ("polls", "other-calls"):
            (self._node.home / name).unlink(missing_ok=True)
