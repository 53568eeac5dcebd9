"""One far end for each of the shells that login nodes have."""

from pathlib import Path

import pytest
from far_end import FarEnd

from unit.sh.tools import SHELLS


@pytest.fixture(params=SHELLS)
def shell(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
def bare(tmp_path: Path, shell: str) -> FarEnd:
    """A far end that nobody has probed."""
    return FarEnd(tmp_path, shell)


@pytest.fixture
def far(bare: FarEnd) -> FarEnd:
    """A far end with its tree."""
    probe = bare.probe()
    assert probe.problem is None, probe
    return bare
