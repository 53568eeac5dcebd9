"""The image of this checkout, built once for all tests of this folder, and containers of it."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from bed import packages
from bed.image import Image, ensure
from bed.image.contained import Contained
from bed.image.opened import Opened, opened
from bed.state import Bed


@pytest.fixture(scope="session")
def image(bed: Bed) -> Image:
    """The built image, as an archive."""
    return ensure(bed)


@pytest.fixture(scope="session")
def inside(bed: Bed, image: Image) -> Opened:
    """Its configuration and its files."""
    return opened(image, bed.folder / "image" / "root")


@pytest.fixture
def contained(bed: Bed, inside: Opened) -> Iterator[Callable[..., Contained]]:
    """Makes containers of the image, which end with the test."""
    packages.ensure("runc")
    made: list[Contained] = []

    def make(**files: Path) -> Contained:
        made.append(Contained(inside, bed.folder / "image", bed.env, {f"/run/{name}": source for name, source in files.items()}))
        return made[-1]

    yield make
    for one in made:
        one.remove()
