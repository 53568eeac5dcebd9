"""Starting parts of a bed side by side, so that a failure or Ctrl-C ends all of them and is not followed by a long wait."""

import os
import signal
from collections.abc import Callable
from concurrent.futures import FIRST_EXCEPTION, Future, ThreadPoolExecutor, wait
from contextlib import suppress

from bed import proc
from bed.state import Bed
from bed.sweep import sweep

_PAUSE_SECONDS = 0.2


def together(bed: Bed, *jobs: Callable[[], None]) -> None:
    """Runs jobs in threads until all are done. When one fails, or we are interrupted, whatever the others run is ended first.

    Raises:
        BedError: a job's; what the others met in consequence is not told.
    """
    pool = ThreadPoolExecutor(len(jobs))
    futures = [pool.submit(job) for job in jobs]
    try:
        wait(futures, return_when=FIRST_EXCEPTION)
        for future in sorted(futures, key=lambda one: not one.done()):
            future.result()
    except BaseException:
        _end(bed, futures)
        raise
    finally:
        pool.shutdown(wait=False)


def _end(bed: Bed, futures: list[Future[None]]) -> None:
    """Until every thread has met the end of its command: it may have been between two of them."""
    while not all(future.done() for future in futures):
        sweep(bed.id)
        _end_children()
        wait(futures, timeout=_PAUSE_SECONDS)


def _end_children() -> None:
    """Kills our children that lack the mark, such as one that makes a root for later beds as well.

    One with a session of its own is left to run: the guardian, and an installation of packages, which must not stop half-way.
    """
    for pid in proc.children(os.getpid()):
        with suppress(ProcessLookupError):
            if os.getsid(pid) != pid:
                os.kill(pid, signal.SIGKILL)
