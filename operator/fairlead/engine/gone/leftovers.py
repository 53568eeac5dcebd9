"""Directories that have lost their object. A finished Job's is kept while the Job is there, since it answers when a status was wiped.

Two ways lead here: a Job that ended while we looked, and a sweep of a cluster's tree (after a start, then hourly). In both the API server
is asked for each candidate, after the directory was seen: gone is a 404 or another uid; anything else is unknown, and is left alone. So is
what belongs to a namespace that is not watched, or, where only some are, to nobody knows which; and what is of a kind that only another
release knows.
"""

from collections.abc import Callable, Container, Iterable, Sequence
from dataclasses import dataclass, replace

import structlog

from fairlead.api.v1alpha1 import names
from fairlead.domain.cluster.residue import keys_told
from fairlead.domain.gone.remains import Remains
from fairlead.domain.gone.sweep import Found
from fairlead.domain.objects import ClusterName, Location, ObjectRef
from fairlead.domain.run.answers import Remnant
from fairlead.domain.run.owner import DeletionPolicy
from fairlead.domain.run.run import Owner, RunKey
from fairlead.engine.context import Overseer
from fairlead.engine.failures.mishaps import contained
from fairlead.engine.owed.debts import Debts
from fairlead.engine.ports import World
from fairlead.engine.registry import Registry
from fairlead.schedulers.seam import Removed

log = structlog.get_logger()

STRAYS_AT_ONCE = 200
"""So many directories that were never handed in go down to tombstones with one sweep: a script may have made any number."""
STRAYS_OF_ONE = 10
"""So many of them are taken along with what was handed in for the same object: a crash right after mkdir leaves one."""


@dataclass(frozen=True, slots=True)
class Leftover:
    """One Job's directories: where, whose, of which attempts; whether it had ended, so that nothing else can be left."""

    location: Location
    ref: ObjectRef
    attempts: tuple[int, ...]
    ended: bool = False
    policy: DeletionPolicy = "Cancel"    # what its Job wanted of a deletion
    was_watched: bool = False        # it ended while this process looked after it
    kind: str = names.JOB_KIND       # of the object

    @property
    def remains(self) -> Remains:
        """What is to be cleaned up once the object is gone."""
        return Remains(self.ref, self.location, self.attempts, self.policy, kind=self.kind)


class Leftovers:
    """Knows the directories of finished Jobs and finds out which have lost their object."""

    def __init__(
        self, world: World, registry: Registry, debts: Debts, clean_up: Callable[[Remains], None], is_reached: Callable[[Leftover], bool],
    ) -> None:
        self._world = world
        self._registry = registry
        self._debts = debts
        self._clean_up = clean_up
        self._is_reached = is_reached
        self._leftovers: dict[str, Leftover] = {}
        self._foreign: dict[Location, frozenset[RunKey]] = {}    # what was told of

    def keep(self, leftover: Leftover) -> None:
        """A Job has ended, or was found ended: watch over its directories."""
        self._leftovers[leftover.ref.uid] = leftover

    def leave(self, cluster: ClusterName) -> None:
        """A Cluster is gone, and with it the way to its directories."""
        self._leftovers = {uid: each for uid, each in self._leftovers.items() if each.location.cluster != cluster}
        self._foreign = {location: keys for location, keys in self._foreign.items() if location.cluster != cluster}

    def cluster_of(self, uid: str) -> ClusterName | None:
        """The Cluster of a finished Job, None if nobody watches over its directories."""
        return self._leftovers[uid].location.cluster if uid in self._leftovers else None

    def awaits(self, uid: str) -> bool:
        """Whether a Job has left without an end, and it is not known yet whether its object is gone."""
        return uid in self._leftovers and not self._leftovers[uid].ended

    def saw_end(self, uid: str) -> bool:
        """Whether a Job has ended while this process looked after it: its directories are buried as a finished Job's, whatever was owed."""
        return uid in self._leftovers and self._leftovers[uid].was_watched

    def on(self, cluster: ClusterName) -> list[Leftover]:
        """The directories that are kept on a Cluster."""
        return [each for each in self._leftovers.values() if each.location.cluster == cluster]

    async def look(self) -> None:
        """See which finished Jobs are gone, and have their directories buried. Raises `ApiFault`.

        Directories alone wait until their cluster answers: for them no deleted Cluster has to stay.
        """
        self._leftovers = {uid: each for uid, each in self._leftovers.items()
                           if each.ended or self._registry.job(uid) is None}     # else it is back again
        if not self._leftovers:
            return
        plurals = sorted({each.ref.plural for each in self._leftovers.values()})
        finished = {ref.uid for plural in plurals for ref in await self._world.data.list_objects(plural, finished=True)}
        unseen = [uid for uid in self._leftovers if uid not in finished and self._registry.job(uid) is None]
        for leftover in [self._leftovers[uid] for uid in unseen if not self._debts.is_foreign(uid)]:
            with contained("leftovers", job=str(leftover.ref)):
                if (self._is_reached(leftover) or not leftover.ended) and await self._is_gone(leftover.ref):
                    del self._leftovers[leftover.ref.uid]
                    self._clean_up(leftover.remains)

    async def swept(self, removed: Removed, overseer: Overseer) -> Sequence[RunKey]:
        """What a sweep found: keep watch over what has an object, bury what has none. Raises `ApiFault`.

        What is in the ledger is known to be gone: it arouses no suspicion. What was left alone by its Job's deletionPolicy stays. What was
        never handed in is nobody's and is given back, so many at a time: it may go down to a tombstone.
        """
        if not self._debts.known:
            return ()
        location = overseer.location
        objects, foreign = by_object(removed.remnants, self._world.kinds)
        self._tell_of_foreign(location, foreign)
        says_whose = self._world.scope.is_all and not foreign    # else what does not say whose it is may be theirs, or not watched
        found = [each for each in objects if each.was_handed_in]
        in_ledger = {each.ref.uid for each in self._debts.of(location.cluster)}
        gone: list[Leftover] = []
        all_uids: frozenset[str] | None = None
        for each in found:
            if self._is_known(each.uid, overseer):
                continue
            leftover = Leftover(location, each.ref, each.attempts, kind=each.kind)
            if self._debts.is_foreign(each.uid) or (each.owner is None and not says_whose):
                continue
            if each.owner is None:
                all_uids = all_uids if all_uids is not None else await self._all_uids()
                if removed.complete and each.uid not in all_uids:
                    gone.append(leftover)
            elif await self._is_gone(leftover.ref):
                gone.append(leftover)
            else:
                self.keep(replace(leftover, ended=True))
        unforeseen = [leftover for leftover in gone if leftover.ref.uid not in in_ledger]
        passes = await overseer.rule(Found(len(found), len(unforeseen)))
        if not passes:
            log.error("sweep_refused", gone=len(unforeseen), found=len(found), why="too many at once: is the API server whole?")
        payable = {each.ref.uid for each in self._debts.of(location.cluster) if each.is_payable}   # paid as such, on their own terms
        for leftover in gone if passes else [each for each in gone if each.ref.uid in in_ledger]:
            if leftover.ref.uid not in payable:
                overseer.clean_up(leftover.remains)
        strays = [each for each in objects if not each.was_handed_in and not self._is_known(each.uid, overseer)]
        await overseer.tell_of_strays(sum(len(each.strays) for each in strays), removed.strange)
        if not strays or not removed.complete or not says_whose:
            return ()
        all_uids = all_uids if all_uids is not None else await self._all_uids()
        nobodys = (each for each in strays if each.uid not in all_uids and not self._debts.is_foreign(each.uid))
        return [key for each in nobodys for key in each.keys][:STRAYS_AT_ONCE]

    def _is_known(self, uid: str, overseer: Overseer) -> bool:
        return self._registry.job(uid) is not None or uid in self._leftovers or overseer.is_under_way(uid)

    def _tell_of_foreign(self, location: Location, foreign: Sequence[Remnant]) -> None:
        """Say once of what another release has there that it is left alone."""
        found, known = {each.key: each for each in foreign}, self._foreign.get(location, frozenset())
        if found.keys() - known:
            kinds = sorted({each.owner.kind if each.owner else "unknown" for each in foreign})
            log.warning("runs_not_understood", cluster="/".join(location.cluster), host=location.host or None, kinds=kinds,
                        keys=keys_told([str(key) for key in sorted(found)]))
        self._foreign[location] = frozenset(found)

    async def _is_gone(self, ref: ObjectRef) -> bool:
        """Whether the API server says so; what goes wrong with the question is no answer. It is not asked about what is not watched."""
        if not self._world.scope.covers(ref.namespace):
            return False
        with contained("owner", owner=str(ref)):
            return await self._world.store.uid_of(ref) != ref.uid
        return False

    async def _all_uids(self) -> frozenset[str]:
        """The uids of all objects, asked after the tree was listed: whose is a directory without an owner (a crash right after mkdir)?"""
        return frozenset([ref.uid for kind in self._world.kinds for ref in await self._world.data.list_objects(kind.plural)])


@dataclass(frozen=True, slots=True)
class SweptObject:
    """What a sweep found of one object: its attempts with directories or jobs of ours, and the attempts of which nothing was handed in."""

    uid: str
    attempts: tuple[int, ...]
    strays: tuple[int, ...]
    owner: Owner | None

    @property
    def was_handed_in(self) -> bool:
        """Whether anything of it is, or was, more than a directory that nobody has proved to be ours."""
        return bool(self.attempts)

    @property
    def keys(self) -> tuple[RunKey, ...]:
        """Of all that was found."""
        return tuple(RunKey(self.uid, number) for number in (*self.attempts, *self.strays))

    @property
    def ref(self) -> ObjectRef:
        """The object, without a name if nobody knows whose it is."""
        return (self.owner or Owner("", "", self.uid)).ref

    @property
    def kind(self) -> str:
        """Its kind, a Job if nobody knows."""
        return self.owner.kind if self.owner else names.JOB_KIND


def by_object(remnants: Iterable[Remnant], kinds: Container[str]) -> tuple[list[SweptObject], list[Remnant]]:
    """What was found of each object, tombstones apart, and what another release has there: of none of these `kinds`, or who knows.

    An object of which any attempt was left alone, or is another release's, is left out.
    """
    found: dict[str, list[Remnant]] = {}
    foreign: list[Remnant] = []
    for each in remnants:
        if not each.tombstone:
            found.setdefault(each.key.uid, []).append(each)
        if each.foreign or (each.owner and each.owner.kind not in kinds):
            foreign.append(each)
    left_out = {each.key.uid for each in foreign}
    return [_swept_object(uid, of) for uid, of in found.items() if uid not in left_out and not any(each.orphaned for each in of)], foreign


def _swept_object(uid: str, remnants: Sequence[Remnant]) -> SweptObject:
    ours = sorted(each.key.attempt for each in remnants if each.owner or each.listed)
    strays = sorted(each.key.attempt for each in remnants if not (each.owner or each.listed))
    owner = next((each.owner for each in remnants if each.owner), None)
    return SweptObject(uid, tuple(ours + strays[:STRAYS_OF_ONE]) if ours else (), tuple(strays), owner)
