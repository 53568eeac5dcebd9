"""One far end for each of the shells that login nodes have."""

import shutil
from pathlib import Path

import pytest
from far_end import SHELLS, FarEnd

from bed import packages


@pytest.fixture(scope="session", autouse=True)
def _shells() -> None:
    """Every shell is on this machine."""
    if missing := [shell for shell in SHELLS if shutil.which(shell) is None]:
        packages.ensure(*missing)   # Debian's packages are called like the shells


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
