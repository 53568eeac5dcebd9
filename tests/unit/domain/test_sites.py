"""What a Cluster's status remembers of the logins of other namespaces."""

from dataclasses import replace

import pytest

from fairlead.api.v1alpha1.cluster import ClusterStatus, LoginStatus, SweepAgreement, WorkDirStatus
from fairlead.domain.cluster import sites
from fairlead.domain.cluster.access import address_of
from fairlead.domain.cluster.cluster import Health, report
from fairlead.domain.errors import Unreadable
from product.objects import NOW, a_cluster

MINE, THEIRS = (WorkDirStatus(path=f"/home/{each}/.fairlead/one", marker=each * 8) for each in ("user", "bea"))
BIOLOGY = LoginStatus(namespace="biology", user="bea", work_dir=THEIRS, sweep_agreement=SweepAgreement(number=12, left=3))
CHEMISTRY = LoginStatus(namespace="chemistry", user="cy")
CLUSTER = replace(a_cluster(credentials="PerNamespace"), status=ClusterStatus(work_dir=MINE, logins=(BIOLOGY, CHEMISTRY)))
SECRET = {"ssh-privatekey": b"key", "username": b"bea\n"}


def test_each_login_sees_its_own_work_folder_and_no_others() -> None:
    """Else a login would take another's folder for its own that has lost its mark, or not notice that its own is gone."""
    seen = [sites.seen_by(CLUSTER, each) for each in ("", "biology", "chemistry", "nobody")]
    assert [each.marker for each in seen] == [MINE.marker, THEIRS.marker, "", ""]
    assert [each.login_namespace for each in seen] == ["lab", "biology", "chemistry", "nobody"]
    assert seen[1].status.sweep_agreement == BIOLOGY.sweep_agreement


def test_what_one_login_says_leaves_the_others_as_they_are() -> None:
    """Else the mark of a work folder would be forgotten, and an empty home be taken for it."""
    told = sites.seen_by(CLUSTER, "chemistry").status.model_copy(update={"work_dir": THEIRS})
    after = sites.with_login(CLUSTER, "chemistry", "", told)
    assert after.logins == (BIOLOGY, CHEMISTRY.model_copy(update={"work_dir": THEIRS}))
    assert after.work_dir == MINE
    assert sites.without(replace(CLUSTER, status=after), "chemistry").logins == (BIOLOGY,)


def test_a_login_says_whether_it_is_ready_and_no_more() -> None:
    """Else the status of a Cluster with hundreds of logins would be too large to be written, and the marks in it would be forgotten."""
    view = sites.seen_by(CLUSTER, "chemistry")
    status = report(view, Health(), NOW, 300)
    assert status is not None
    [login] = [each for each in sites.with_login(CLUSTER, "chemistry", "cy", status).logins if each.namespace == "chemistry"]
    assert [each.type for each in login.conditions] == ["Ready"]
    again = report(sites.seen_by(replace(CLUSTER, status=sites.with_login(CLUSTER, "chemistry", "cy", status)), "chemistry"),
                   Health(), NOW, 300)
    assert again is not None
    assert sites.status_of(replace(CLUSTER, status=sites.with_login(CLUSTER, "chemistry", "cy", again)), "chemistry") == login


def test_what_is_said_twice_changes_nothing() -> None:
    """Else each look at a login would be a write to the API server."""
    assert sites.with_login(CLUSTER, "biology", "bea", sites.seen_by(CLUSTER, "biology").status) is CLUSTER.status


def test_the_secret_of_a_namespace_says_as_whom_its_jobs_run() -> None:
    """Else they would run as the Cluster's user."""
    assert address_of(sites.seen_by(CLUSTER, "biology"), SECRET, "").user == "bea"
    assert address_of(CLUSTER, SECRET, "").user == "ann"


@pytest.mark.parametrize("user", [None, b"", b"-oProxyCommand=x", b"two words", b"\xff"], ids=["none", "empty", "option", "space", "bytes"])
def test_without_a_login_name_nobody_logs_in(user: bytes | None) -> None:
    """Else the Cluster's user would stand in, or a name reach sshd that the API would refuse."""
    secret = {name: value for name, value in {**SECRET, "username": user}.items() if value is not None}
    with pytest.raises(Unreadable, match="Secret biology/hpc-key has no login name in its field username"):
        address_of(sites.seen_by(CLUSTER, "biology"), secret, "")
