"""From the release before this one to this one and back, with Jobs that run: its own chart, and its own program in the pods."""

import time
from collections.abc import Iterator

import pytest

from bed.slurm import SlurmCluster
from bed.sshd import SshHost
from e2e import earlier
from e2e.conftest import while_installed
from e2e.installation import CHART, GRACES, Installation, Release
from e2e.place import Place
from e2e.use import Cluster, Counted
from product.scene import Scene
from product.waiting import until

pytestmark = [pytest.mark.timeout(300), pytest.mark.long(of=0)]

HELD_SECONDS = 500   # the Deployment gives up after 600
TURNS = 8


@pytest.fixture(scope="module")
def before(place: Place) -> Release:
    """The release before this one; the nodes have its image."""
    if place.built is None:
        pytest.skip("the cluster's nodes cannot be given the image of an earlier release")
    image = earlier.image(place.built, place.bed.folder / "before.tar")
    place.load(image.archive)
    image.archive.unlink()
    return Release(earlier.CHART, image.name, earlier.known(GRACES))


@pytest.fixture(scope="module")
def installed(
    before: Release, place: Place, logins: list[SlurmCluster], box: SshHost, measured: dict[str, str],
) -> Iterator[Installation]:
    """That one, installed."""
    with while_installed(Installation.named(place, before), (*logins, box), measured) as installation:
        yield installation


def test_jobs_live_through_an_upgrade_and_the_way_back(
    before: Release, installed: Installation, place: Place, scene: Scene, cluster: Cluster, logins: list[SlurmCluster],
    measured: dict[str, str],
) -> None:
    """An upgrade would cost what runs, or run it twice, or there would be no way back from it.

    Old and new pods stand side by side, and the lead goes from an old one to a new one, back to an old one, and on to a new one for good.
    """
    cluster(logins[0])
    jobs = [Counted(scene, logins[0], "begun-before")]
    old = set(installed.ready())
    assert installed.leader() in old
    [generation] = installed.replica_sets()

    installed.hold(HELD_SECONDS)
    began = time.monotonic()
    installed.upgrade(to=Release(CHART, place.image), wait=False)
    until(lambda: len(installed.replica_sets()) == 2, "a new pod beside the old ones", 90)
    assert installed.leader() in old, "the new one waits until the old one has let go"
    jobs.append(Counted(scene, logins[0], "begun-beside"))
    led_by(installed, generation, old=False)
    jobs.append(Counted(scene, logins[0], "begun-by-the-new"))
    led_by(installed, generation, old=True)
    jobs.append(Counted(scene, logins[0], "begun-by-the-old-behind-the-new"))
    until(lambda: len(installed.replica_sets()) == 2, "pods of both generations, as before", 60)
    measured["old and new pods side by side, with the lead going to and fro"] = f"{time.monotonic() - began:.1f} s"

    began = time.monotonic()
    installed.hold(0)
    installed.rolled_out()
    led_by(installed, generation, old=False)
    measured["from there until the upgrade has come to its end, and a new pod leads"] = f"{time.monotonic() - began:.1f} s"
    assert generation not in installed.replica_sets()
    for job in jobs[1:]:
        job.ends_well()
    jobs[1:] = [Counted(scene, logins[0], "begun-after")]

    installed.upgrade("crds.enabled=false", to=before)
    until(lambda: installed.leader() in installed.ready(), "a leader of the earlier release", 60)
    jobs.append(Counted(scene, logins[0], "begun-by-the-earlier"))
    for job in jobs:
        job.ends_well()


def led_by(installed: Installation, generation: str, *, old: bool) -> None:
    """Has a pod of the old generation lead, or of the new one: others that lead are deleted, as a drain would."""
    for _ in range(TURNS):
        leader = until(installed.leader, "a leader", 60)
        if leader.startswith(f"{generation}-") == old:
            return
        if others := [each for each in installed.names() if each.startswith(f"{generation}-") != old]:
            installed.end(*others)
        until(lambda: installed.leader() not in {"", leader}, "another leader", 60)  # noqa: B023  asked at once
    raise AssertionError(f"in {TURNS} turns no pod of the {'old' if old else 'new'} generation came to lead")
