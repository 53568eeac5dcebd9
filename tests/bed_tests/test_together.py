"""Parts that start side by side end side by side."""

import pytest

from bed import progress
from bed.daemon import Daemon
from bed.errors import BedError
from bed.state import Bed
from bed.together import together


def test_the_failure_of_one_ends_the_others_and_is_told() -> None:
    """A failed download would be followed by minutes of a build that nobody waits for, or be told as the other's death."""
    with Bed.create("a test of starting together") as bed:

        def fail() -> None:
            raise BedError("the first one's words")

        def build() -> None:
            progress.run("a long build", ["sleep", "1000"], env=bed.env)

        def make_root() -> None:
            progress.run("a long build without the mark", ["sleep", "1000"])

        def serve() -> None:
            Daemon(["sleep", "1000"], bed.env, bed.folder / "log")

        with pytest.raises(BedError, match="the first one's words"):
            together(bed, build, fail, make_root, serve)
    assert bed.leftovers() == []


def test_all_are_done_afterwards() -> None:
    """The bed would be said to be up while a part still starts."""
    done: list[str] = []
    with Bed.create("a test of starting together") as bed:
        together(bed, lambda: done.append("one"), lambda: done.append("two"))
    assert sorted(done) == ["one", "two"]
