"""One far end for each of the shells that login nodes have."""

import shutil
from pathlib import Path

import pytest
from far_end import FarEnd

from unit.sh.tools import SHELLS


@pytest.fixture(params=[pytest.param(each, marks=pytest.mark.long(of=len(SHELLS), one=each)) for each in SHELLS])
def shell(request: pytest.FixtureRequest) -> str:
    """Each test of each of them in the long run; `make test` draws one of them for it."""
    return str(request.param)


@pytest.fixture
def bare(tmp_path: Path, shell: str) -> FarEnd:
    """A far end that nobody has probed."""
    return FarEnd(tmp_path, shell)


@pytest.fixture(scope="session")
def _probed() -> dict[str, FarEnd]:
    """A far end of each shell that was probed once and that nobody touches: a probe starts many programs, and makes the same tree."""
    return {}


@pytest.fixture
def far(bare: FarEnd, shell: str, _probed: dict[str, FarEnd], tmp_path_factory: pytest.TempPathFactory) -> FarEnd:
    """A far end with its tree: a copy of what this shell's probe has made."""
    if shell not in _probed:
        first = FarEnd(tmp_path_factory.mktemp(f"probed-{shell}"), shell)
        probe = first.probe()
        assert probe.problem is None, probe
        _probed[shell] = first
    shutil.copytree(_probed[shell].home, bare.home, symlinks=True, dirs_exist_ok=True)
    for calls in _probed[shell].root.glob("*.calls"):
        shutil.copy(calls, bare.root)
    return bare
