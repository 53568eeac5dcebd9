"""A deleted Cluster takes its tree along, if nobody else needs it. In virtual time."""

from dataclasses import replace

import pytest
from test_site import Stage

from fairlead.api.v1alpha1.cluster import ClusterStatus, HostStatus, LoginStatus, WorkDirStatus
from fairlead.api.v1alpha1.reasons import ClusterReason
from fairlead.domain.cluster.cluster import Cluster
from fairlead.domain.errors import Unreachable
from fairlead.domain.gone.debt import UNACCOUNTED, Debt
from fairlead.engine.registry import Registry
from fairlead.engine.trees import Trees
from fairlead.schedulers.seam import TreeRemoved, TreeState
from product.objects import a_cluster
from unit.engine.virtual import SETTINGS

MARKER, OTHER = "a" * 32, "b" * 32
KEY = "00000000-0000-4000-8000-000000000001-1"


def at(uid: int, *markers: str, **fields: object) -> Cluster:
    """A Cluster whose own work folder, and those of whose logins, have these marks."""
    own, *theirs = (WorkDirStatus(path="/home/user/tree", marker=marker) for marker in markers)
    logins = tuple(LoginStatus(namespace=f"team-{number}", work_dir=each) for number, each in enumerate(theirs))
    made = a_cluster(uid=f"00000000-0000-4000-8000-{uid:012d}")
    return replace(made, ref=replace(made.ref, name=f"hpc{uid}"), status=ClusterStatus(work_dir=own, logins=logins))


def registry_of(*clusters: Cluster) -> Registry:
    registry = Registry()
    for each in clusters:
        registry.put_cluster(each)
    return registry


@pytest.mark.parametrize("other", [at(2, MARKER), at(2, OTHER, MARKER), replace(
    at(2, OTHER), status=ClusterStatus(hosts=(HostStatus(name="box", work_dir=WorkDirStatus(path="/x", marker=MARKER)),)))],
    ids=["its own", "a login's", "a host's"])
def test_a_tree_that_another_cluster_has_is_not_taken(other: Cluster) -> None:
    """Else to delete one of two Clusters that lead to one login would take the other's work folder away."""
    first = at(1, MARKER)
    assert not Trees(registry_of(first, other)).is_last(first, "", MARKER)
    assert Trees(registry_of(first, at(3, OTHER))).is_last(first, "", MARKER)


def test_of_two_that_go_together_one_takes_it() -> None:
    """Else each would leave it to the other, and it would stay for good."""
    first, second = at(1, MARKER), at(2, MARKER)
    trees = Trees(registry_of(first, second))
    assert [trees.is_last(each, "", MARKER) for each in (first, second)] == [False, True]


def test_who_came_to_a_tree_as_it_was_taken_away_makes_a_new_one() -> None:
    """Else a Cluster that is applied in the moment in which another goes would wait for a person."""
    trees, late = Trees(Registry()), at(2, MARKER)
    trees.took(MARKER)
    assert trees.remembered(late) == ""
    assert trees.remembered(replace(late, deleting=True)) == MARKER
    trees.keeps(MARKER)
    assert trees.remembered(late) == MARKER


class Going(Stage):
    """A Cluster that is deleted while it is ready."""

    async def goes(self, turns: int = 20) -> None:
        await self.debts.refresh()
        async with self.running():
            await self.turns()
            self.change(deleting=True, has_finalizer=True, generation=2)
            await self.turns(turns)

    @property
    def is_gone(self) -> bool:
        return [ref.name for ref in self.virtual.store.released] == ["hpc"]

    @property
    def told(self) -> list[str]:
        """The Events about the tree."""
        return [each for each in self.virtual.store.told if each == ClusterReason.WORK_DIR_KEPT]


async def test_a_deleted_cluster_takes_its_tree_along_in_as_many_pieces_as_it_takes() -> None:
    """Else its tombstones and its tree would stay for good, or half of them."""
    stage = Going()
    left = [3]

    def during(verb: str) -> None:
        if verb == "remove-tree":
            assert not stage.is_gone
            left[0] -= 1
            stage.virtual.remote.answers[verb] = TreeRemoved(TreeState.MORE if left[0] else TreeState.GONE)

    stage.virtual.remote.during = during
    await stage.goes(60)
    assert (left, stage.is_gone, stage.told) == ([0], True, [])


async def test_a_tree_that_stays_is_told() -> None:
    """Else a person would find it years later and not know whether anybody needs it."""
    stage = Going()
    stage.virtual.remote.answers["remove-tree"] = TreeRemoved(TreeState.STAYS, "it holds notes")
    await stage.goes()
    assert (stage.is_gone, len(stage.told)) == (True, 1)


async def test_a_tree_on_which_something_is_owed_stays() -> None:
    """Else a script that the scheduler has forgotten would run on for ever: its wrapper ends it by its tombstone."""
    stage = Going()
    owed = Debt(KEY, "lab", "hpc", "Job", "lab", "sim", "2023-11-14T00:00:00Z", UNACCOUNTED)
    stage.virtual.ledger.debts = {owed.key: owed}
    await stage.goes()
    assert (stage.is_gone, len(stage.told), stage.virtual.remote.count("remove-tree")) == (True, 1, 0)


async def test_what_is_owed_of_other_clusters_goes_along_with_the_question() -> None:
    """Else the tombstones of a Cluster that shared the tree and went before would go with it."""
    stage = Going()
    owed = Debt(KEY, "lab", "elsewhere", "Job", "lab", "sim", "2023-11-14T00:00:00Z", UNACCOUNTED)
    stage.virtual.ledger.debts = {owed.key: owed}
    await stage.goes()
    [code] = [code for verb, code in stage.virtual.remote.codes if verb == "remove-tree"]
    assert f"OWED={KEY[:36]}\n" in code


async def test_a_removal_that_is_cut_off_is_tried_again_and_not_for_ever() -> None:
    """Else half of the tree would stay at the first hiccup; or a Cluster in Terminating, since its host has died in the middle."""
    stage = Going()
    stage.virtual.remote.answers["remove-tree"] = Unreachable("cut off", ClusterReason.CONNECTION_LOST)
    await stage.debts.refresh()
    async with stage.running():
        await stage.turns()
        stage.change(deleting=True, has_finalizer=True, generation=2)
        await stage.turns()
        assert stage.virtual.remote.count("remove-tree") > 1
        assert not stage.is_gone
        stage.virtual.clock.seconds += SETTINGS.tree_seconds + 1
        await stage.turns()
    assert stage.is_gone
