"""Whose Secrets are used on a Cluster with credentials for each namespace."""

from dataclasses import replace

from fairlead.api.v1alpha1.cluster import ClusterStatus, LoginStatus
from fairlead.domain.cluster import sites
from fairlead.domain.errors import Unavailable
from fairlead.domain.scope import Scope
from fairlead.engine.cluster.logins import Logins
from product.objects import a_cluster
from unit.engine.virtual import SETTINGS, Virtual

STATUS = ClusterStatus(logins=(LoginStatus(namespace="biology"), LoginStatus(namespace="victim")))
CLUSTER = replace(a_cluster(credentials="PerNamespace"), status=STATUS)


async def test_a_login_that_a_status_names_is_used_only_if_its_namespace_has_jobs_there() -> None:
    """Else whoever may write a Cluster's status has any namespace's Secret used at a host of his choice."""
    assert sites.known_sites(CLUSTER) == {""}
    virtual = Virtual()
    virtual.data.wishing = frozenset({"biology"})
    logins = Logins(virtual.world)
    assert (logins.of(CLUSTER), logins.nobodys(CLUSTER, ())) == (set(), set()), "nothing is known yet"
    await logins.look([CLUSTER])
    assert (logins.of(CLUSTER), logins.nobodys(CLUSTER, ())) == ({"biology"}, {"victim"})
    assert logins.nobodys(CLUSTER, {"victim"}) == set(), "a Job that runs there was seen by the watch"


async def test_a_login_of_a_namespace_that_is_not_watched_is_left_as_it_is() -> None:
    """Else its work folder's mark would be forgotten while its Jobs run, or the API server be asked for what we may not see."""
    virtual = Virtual(scope=Scope(("biology",)))
    virtual.data.wishing = frozenset({"biology", "victim"})
    logins = Logins(virtual.world)
    await logins.look([CLUSTER])
    assert (logins.of(CLUSTER), logins.nobodys(CLUSTER, ())) == ({"biology"}, set())
    assert virtual.data.asked_for == ["biology"]


async def test_nobody_is_asked_for_without_end() -> None:
    """Else a status with a thousand names would be a thousand questions at each look."""
    virtual = Virtual()
    logins = Logins(virtual.world)
    await logins.look([CLUSTER])
    await logins.look([CLUSTER])
    assert sorted(virtual.data.asked_for) == ["biology", "victim"]
    virtual.clock.seconds += SETTINGS.logins_seconds
    await logins.look([CLUSTER])
    assert len(virtual.data.asked_for) == 4


async def test_an_api_server_that_does_not_answer_is_no_answer() -> None:
    """Else an outage of a second would make a team's login be forgotten."""
    virtual = Virtual()
    virtual.data.fault = Unavailable("away")
    logins = Logins(virtual.world)
    await logins.look([CLUSTER])
    assert (logins.of(CLUSTER), logins.nobodys(CLUSTER, ())) == (set(), set())
