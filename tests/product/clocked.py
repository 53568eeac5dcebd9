"""The product on a machine whose clock somebody sets: `python -m product.clocked` is `fairlead controller`, whose time of day is off by the
seconds that the file in FAIRLEAD_TEST_CLOCK names. A time namespace cannot do that: the kernel has none for the time of day.
"""

import os
import time
from pathlib import Path

from fairlead.cli import main

VARIABLE = "FAIRLEAD_TEST_CLOCK"
_real = time.time


def _set_time() -> float:
    try:
        return _real() + float(Path(os.environ[VARIABLE]).read_text(encoding="utf-8"))
    except (OSError, ValueError):        # it is being written
        return _real()


if __name__ == "__main__":
    time.time = _set_time
    main()
