"""How many tests run at a time: more than there are cores, since most of them wait for real parts."""

import os
from typing import Final

FOR_TWO_CORES: Final = 3
"""Workers: a plain scene of 2.3 s takes 0.8 s of a core, but a controller that starts takes 2 s of one. With four workers somebody
waited for a core in nine seconds of ten, and Leases were not renewed in time. No test may depend on that."""
EACH_BYTES: Final = 3 * 2**30
"""What one worker and its bed need at most: a control plane with a node, a controller and a few clusters."""


def workers(cores: int, memory: int) -> int:
    """How many workers suit so many cores and so many bytes of memory; at least one."""
    return max(1, min(FOR_TWO_CORES * cores // 2, memory // EACH_BYTES))


def of_this_machine() -> int:
    """How many suit this machine."""
    return workers(len(os.sched_getaffinity(0)), os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES"))
