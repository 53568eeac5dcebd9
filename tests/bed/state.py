"""A bed: the owner of all that is started for one test run, and its removal.

    create: guardian -> folder with owner -> anything else, each with the mark in its environment
    close:  processes -> mounts, namespaces, links, control groups, subnets -> folder (last: while it is there, the next start looks again)
"""

import ipaddress
import os
import secrets
import subprocess
import sys
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field, replace
from pathlib import Path
from types import TracebackType
from typing import Self

from bed import daemon, guardian, progress, registry, subnets, traces
from bed.errors import BedError
from bed.processes import MARK
from bed.sweep import leftovers, sweep

_GUARDIAN_SECONDS = 60
_open: dict[str, "Bed"] = {}


@dataclass(slots=True)
class Bed:
    """One bed and what reaches it. Made by `create`; a context manager that closes itself."""

    id: str
    folder: Path
    owner: registry.Owner
    _guardian: "subprocess.Popen[bytes] | None" = field(default=None, repr=False)
    _pipe: int = field(default=-1, repr=False)

    @classmethod
    def create(cls, purpose: str) -> "Bed":
        """A new, empty bed that lives as long as the calling process; what dead owners left is removed first.

        Raises:
            BedError: this is not Linux.
        """
        require_linux()
        reap_stale()
        bed_id = secrets.token_hex(4)
        process, pipe = guardian.start(bed_id)
        try:
            owner = registry.Owner.here(purpose)
            with registry.locked():
                folder = registry.enter(bed_id, owner)
        except BaseException:
            os.close(pipe)
            process.wait(_GUARDIAN_SECONDS)
            raise
        _open[bed_id] = cls(bed_id, folder, owner, process, pipe)
        return _open[bed_id]

    @property
    def env(self) -> dict[str, str]:
        """The mark, to be merged into the environment of every process that is started for this bed."""
        return {MARK: self.id}

    def allocate_subnet(self, prefix: int = 30) -> ipaddress.IPv4Network:
        """A subnet that no other bed on this machine has, of a prefix of at most 30; freed with the bed.

        Raises:
            BedError: none is free, or the caller is not root.
        """
        require_root()
        with registry.locked():
            subnet = subnets.take(self.id, prefix)
        if subnet is None:
            raise BedError(f"no /{prefix} of {subnets.RANGE} is free; `python -m bed status` shows who has them")
        return subnet

    def keep(self) -> None:
        """Lets the bed outlive its owner, until `python -m bed down` or the machine's restart."""
        self.owner = replace(self.owner, kept=True)
        registry.write_owner(self.folder, self.owner)
        self._release()

    def publish(self, name: str, facts: Mapping[str, str]) -> None:
        """Writes down how to reach a part of the bed, for `python -m bed status` and whoever comes later."""
        registry.publish(self.folder, name, facts)

    def close(self) -> None:
        """Ends and removes everything of the bed. A second call does nothing.

        Raises:
            BedError: something is still there; the message names it.
        """
        if self._pipe < 0:
            return
        try:
            left = sweep(self.id)
            daemon.reap(self.id)
            if not left:
                os.write(self._pipe, guardian.RELEASE)
        finally:
            self._end_guardian()
        if left and (left := leftovers(self.id)):
            raise BedError(f"bed {self.id} could not be removed whole: {'; '.join(left)}. The next start tries again.")

    def leftovers(self) -> list[str]:
        """A sentence for each thing of the bed that is on the machine; empty after `close`."""
        return leftovers(self.id)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self.close()

    def _release(self) -> None:
        os.write(self._pipe, guardian.RELEASE)
        self._end_guardian()

    def _end_guardian(self) -> None:
        os.close(self._pipe)
        self._pipe = -1
        _open.pop(self.id, None)
        if self._guardian is not None:
            with suppress(subprocess.TimeoutExpired):
                self._guardian.wait(_GUARDIAN_SECONDS)


def close_all() -> None:
    """Closes every bed of this process that is open: of a run that was interrupted while it closed them, some may be.

    Raises:
        BedError: something is still there; the message names it.
    """
    for bed in [*_open.values()]:
        bed.close()


def require_linux() -> None:
    """Raises:
    BedError: this is not Linux.
    """
    if not sys.platform.startswith("linux"):
        raise BedError("the test bed needs Linux: it finds its processes in /proc, and uses network namespaces")


def require_root() -> None:
    """What clusters and hosts with an address of their own need.

    Raises:
        BedError: the caller is not root.
    """
    if os.geteuid() != 0:
        raise BedError("this part of the test bed needs root, since it makes network namespaces and mounts: run it as root or with sudo")


def reap_stale() -> list[str]:
    """Removes every bed whose owner is dead, and what its making left half done. Returns the ids of those that are gone.

    What does not go away is said and does not stop a new bed: they share nothing.
    """
    if not registry.RUN.exists():
        return []
    with registry.locked():
        registry.discard_drafts()
        subnets.discard_orphans()
        known = registry.owners()
        stale = [bed_id for bed_id, owner in known.items() if owner is None or not owner.alive]
        if os.geteuid() == 0:  # who is not root has made no namespaces: those that are there are of root's beds
            stale += sorted(traces.ids() - known.keys())
    gone = []
    for bed_id in stale:
        progress.say(f"removing bed {bed_id}, whose owner has ended")
        try:
            remove(bed_id)
        except BedError as error:
            progress.say(str(error))
        else:
            gone.append(bed_id)
    registry.tidy()
    return gone


def remove(bed_id: str) -> None:
    """Removes a bed by its id, whoever owns it.

    Raises:
        BedError: something of it is still there; the message names it.
    """
    if left := sweep(bed_id):
        raise BedError(f"bed {bed_id} could not be removed whole: {'; '.join(left)}. End these by hand, then try again.")
