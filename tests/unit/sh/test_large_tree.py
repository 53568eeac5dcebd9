"""A tree with as many tombstones as a busy site makes in a week: what goes through all of it comes to its end in the time that it has."""

import shutil
import time
from collections.abc import Callable
from pathlib import Path
from secrets import token_hex

import pytest
from far_end import HERE, FarEnd, key, submission

from fairlead.domain.run.answers import Remnant
from fairlead.schedulers.seam import Removal, TreeRemoval, TreeState

pytestmark = pytest.mark.timeout(900)
MANY = 200_000


def bury_many(runs: Path, many: int) -> None:
    for number in range(100, 100 + many):
        folder = runs / str(key(number=number))
        folder.mkdir()
        (folder / "claim").symlink_to("revoked")


def test_a_sweep_and_a_removal_of_200_000_tombstones_come_to_their_end(far: FarEnd, rounds: Callable[[int], int]) -> None:
    """Each sweep of a busy site would be cut off and begun anew, so that nothing lost is ever found; or its tree would stay for good."""
    mine = key()
    far.submit(submission(mine))
    bury_many(far.tree / "runs", rounds(MANY))
    sweep = far.slurm.remove(token_hex(16), far.known, Removal((), sweep=True))
    began = time.monotonic()
    swept = sweep.parse(far.send(sweep.stdin()))
    seconds = time.monotonic() - began
    print(far.shell, f"a sweep: {seconds:.1f} s of {sweep.timeout_seconds:g}")
    assert swept.complete
    assert swept.remnants == (Remnant(mine, submission(mine).owner, tombstone=False, listed=True),)
    assert seconds < sweep.timeout_seconds
    far.remove(mine)
    known, execs, state = far.known, 0, TreeState.MORE
    while state is TreeState.MORE:
        removal = far.slurm.remove_tree(token_hex(16), TreeRemoval(known, HERE))
        began = time.monotonic()
        removed = removal.parse(far.send(removal.stdin()))
        print(far.shell, f"the tree: {time.monotonic() - began:.1f} s of {removal.timeout_seconds:g}, {removed}")
        assert time.monotonic() - began < removal.timeout_seconds
        state, execs = removed.state, execs + 1
    assert state is TreeState.GONE
    assert not far.tree.exists()
    shutil.rmtree(far.root)
