"""What is known of objects: a stale view must not bring back what has gone."""

from fairlead.engine.registry import Registry
from product.objects import OTHER_UID, UID, a_cluster, a_job, submitted


def filled() -> Registry:
    registry = Registry()
    registry.put_cluster(a_cluster(version=3))
    registry.put_job(a_job(version=4))
    return registry


def test_an_older_event_changes_nothing() -> None:
    """Else a Job that has ended would be taken for running again."""
    registry = filled()
    registry.put_job(a_job(version=2, has_finalizer=False))
    assert registry.jobs_of(("lab", "hpc"))[0].has_finalizer


def test_a_list_says_what_is_gone_when_the_watch_was_cut() -> None:
    """Else a Job deleted while nobody watched would be polled for ever."""
    registry = filled()
    registry.replace([a_cluster(version=3)], [], {OTHER_UID}, registry.begin_list())
    assert registry.jobs_of(("lab", "hpc")) == ()
    assert [each.ref.name for each in registry.clusters] == ["hpc"]


def test_what_came_after_the_list_was_asked_for_stays() -> None:
    """Else a Job just applied would be forgotten."""
    registry = Registry()
    known = registry.begin_list()
    registry.put_job(a_job())
    registry.replace([], [], set(), known)
    assert registry.job(UID) is not None


def test_what_went_while_the_list_was_read_does_not_come_back() -> None:
    """Else a Job that ended meanwhile would keep its deleted Cluster in Terminating."""
    registry = filled()
    known = registry.begin_list()
    registry.drop_job(UID)
    registry.drop_cluster(OTHER_UID)
    registry.replace([a_cluster(version=3)], [a_job(version=4)], {UID, OTHER_UID}, known)
    assert registry.job(UID) is None
    assert list(registry.clusters) == []


def test_what_came_and_went_while_the_list_was_read_does_not_come_back() -> None:
    """Else a Job that lives for a second would now and then be stuck for ever, with every write about it refused."""
    registry = Registry()
    known = registry.begin_list()
    registry.put_job(a_job(version=4))
    registry.drop_job(UID)
    registry.replace([], [a_job(version=3)], {UID}, known)
    assert registry.job(UID) is None
    registry.begin_list()
    registry.put_job(a_job(version=9))
    assert registry.job(UID) is not None


def test_a_job_whose_finalizer_went_in_an_event_of_its_own_is_missed_all_the_same() -> None:
    """Else what it has on the cluster would run on until the next sweep, for up to an hour."""
    registry, lost = Registry(), []
    registry.on_job_lost = lambda job: lost.append(job.ref.uid)
    registry.put_job(a_job(version=1, status=submitted()))
    registry.put_job(a_job(version=2, has_finalizer=False, status=submitted()))
    registry.drop_job(UID)
    assert lost == [UID]
    registry.put_job(a_job(version=3, has_finalizer=False))
    registry.drop_job(UID)
    assert lost == [UID], "of a Job that was never taken up there is nothing"


def test_a_deletion_that_came_between_a_look_and_our_write_is_not_missed() -> None:
    """Else a Job or Cluster deleted in the moment of a status write would stay in Terminating, and a deleted Job would run on."""
    registry, woken = filled(), []
    registry.on_job, registry.on_cluster = woken.append, lambda cluster, _gone: woken.append(cluster)
    registry.job_written(a_job(version=4), 6, status=a_job(version=6, status=submitted()).status)
    registry.cluster_written(a_cluster(version=3), 5)
    registry.put_job(a_job(version=5, deleting=True))
    registry.put_cluster(a_cluster(version=4, deleting=True))
    registry.put_job(a_job(version=6, deleting=True, status=submitted()))
    registry.put_cluster(a_cluster(version=5, deleting=True))
    assert [each.deleting for each in (*registry.jobs, *registry.clusters)] == [True, True]
    assert len(woken) == 2


def test_the_echo_of_our_own_write_wakes_nobody() -> None:
    """Else each status write would cost a second look at all Jobs of its cluster."""
    registry, woken = filled(), []
    written = a_job(version=6, status=submitted())
    registry.job_written(a_job(version=4), 6, status=written.status)
    registry.on_job = woken.append
    registry.put_job(written)
    assert woken == []


def test_a_cluster_is_found_by_its_name_as_long_as_one_lives() -> None:
    """Else Jobs would wait for a Cluster that was made anew, or be seen to at one that is gone."""
    registry, old = Registry(), a_cluster(deleting=True, version=5)
    new = a_cluster(uid="88888888-0000-4000-8000-000000000000")
    for each in (old, new):
        registry.put_cluster(each)
    assert registry.cluster_named(old.name) == new
    registry.drop_cluster(new.ref.uid)
    assert registry.cluster_named(old.name) == old
    registry.drop_cluster(old.ref.uid)
    assert registry.cluster_named(old.name) is None
