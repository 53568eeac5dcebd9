"""Objects that are kept for others, on a real API server: made, repaired and removed as such, and nobody else's is ever touched."""

import json
from typing import Any

import pytest

from fairlead.domain.errors import Conflict
from fairlead.domain.objects import ObjectRef
from fairlead.kube.children import Child, ChildKind, Children, Taken
from fairlead.kube.client import KubeClient

from .conftest import Sandbox

CONFIG_MAPS = ChildKind("", "v1", "configmaps", "ConfigMap")
SERVICES = ChildKind("", "v1", "services", "Service")


def child(owner: ObjectRef, name: str = "one", content: dict[str, Any] | None = None) -> Child:
    """A ConfigMap for a Job."""
    return Child(owner, "Job", name, {"data": {"a": "1", "b": "2"}} if content is None else content, {"team": "lab"}, {})


def live(sandbox: Sandbox, name: str = "one", plural: str = "configmaps") -> dict[str, Any]:
    """The object as a person sees it."""
    found: dict[str, Any] = json.loads(sandbox.kubectl("get", plural, name, "-o", "json", "--show-managed-fields").stdout)
    return found


@pytest.fixture
def children(client: KubeClient) -> Children:
    return Children(client, CONFIG_MAPS)


async def test_a_child_has_what_was_asked_for_and_its_owner(sandbox: Sandbox, children: Children) -> None:
    """Else it would stay when its owner is gone, or somebody's selector would not find it."""
    owner = sandbox.job()
    await children.keep(child(owner))
    found = live(sandbox)
    assert found["data"] == {"a": "1", "b": "2"}
    assert found["metadata"]["labels"] == {"team": "lab", "app.kubernetes.io/managed-by": "fairlead"}
    [reference] = found["metadata"]["ownerReferences"]
    assert (reference["kind"], reference["uid"], reference["controller"]) == ("Job", owner.uid, True)
    assert [(each["manager"], each["operation"]) for each in found["metadata"]["managedFields"]] == [("fairlead", "Apply")]


async def test_what_is_not_asked_for_any_more_goes_and_what_others_have_added_stays(sandbox: Sandbox, children: Children) -> None:
    """Else a port that was taken out would stay open, or each write would undo what another controller has written."""
    owner = sandbox.job()
    await children.keep(child(owner))
    sandbox.kubectl("annotate", "configmap", "one", "seen-by=somebody")
    await children.keep(child(owner, content={"data": {"a": "3"}}))
    found = live(sandbox)
    assert found["data"] == {"a": "3"}
    assert found["metadata"]["annotations"] == {"seen-by": "somebody"}


async def test_without_a_change_nothing_is_written(sandbox: Sandbox, children: Children) -> None:
    """Else each look at a Session would cost the API server a write."""
    owner = sandbox.job()
    await children.keep(child(owner))
    version = live(sandbox)["metadata"]["resourceVersion"]
    asked = len(sandbox.requests())
    await children.keep(child(owner))
    assert len(sandbox.requests()) == asked
    assert live(sandbox)["metadata"]["resourceVersion"] == version


@pytest.mark.parametrize("how", ["seen by a watch", "seen by a list", "by a process that knows nothing"])
async def test_what_somebody_has_changed_by_hand_is_put_right(
    sandbox: Sandbox, client: KubeClient, children: Children, how: str,
) -> None:
    """Else a tenant could have his address lead elsewhere."""
    owner = sandbox.job()
    await children.keep(child(owner))
    sandbox.kubectl("patch", "configmap", "one", "--type=merge", "-p", '{"data":{"a":"forged"}}')
    if how == "seen by a watch":
        children.take("MODIFIED", live(sandbox))
    elif how == "seen by a list":
        await children.refresh()
    else:
        children = Children(client, CONFIG_MAPS)
    await children.keep(child(owner))
    assert live(sandbox)["data"] == {"a": "1", "b": "2"}


async def test_one_that_was_deleted_by_hand_is_made_again(sandbox: Sandbox, children: Children) -> None:
    """Else an address would be gone for good after a slip of a person."""
    owner = sandbox.job()
    before = await children.keep(child(owner))
    sandbox.kubectl("delete", "configmap", "one")
    children.take("DELETED", before)
    after = await children.keep(child(owner))
    assert after["metadata"]["uid"] != before["metadata"]["uid"]


@pytest.mark.parametrize("whose", ["nobody's", "another owner's", "one with our label"])
async def test_an_object_that_is_not_ours_is_never_touched(sandbox: Sandbox, children: Children, whose: str) -> None:
    """Else a Session could take over a Service of somebody else by its name."""
    owner = sandbox.job()
    if whose == "another owner's":
        await children.keep(child(sandbox.job("other")))
    else:
        sandbox.kubectl("create", "configmap", "one", "--from-literal=a=theirs")
    if whose == "one with our label":
        sandbox.kubectl("label", "configmap", "one", "app.kubernetes.io/managed-by=fairlead")
    before = live(sandbox)
    await children.refresh()
    with pytest.raises(Taken, match=r"is there, and is not of Job hello$"):
        await children.keep(child(owner))
    await children.remove(owner, "one")
    assert live(sandbox) == before


async def test_a_namesake_that_came_meanwhile_is_not_changed(sandbox: Sandbox, children: Children) -> None:
    """Else whoever is quick with a delete and a create would have his object taken for ours."""
    owner = sandbox.job()
    await children.keep(child(owner))
    sandbox.kubectl("delete", "configmap", "one")
    sandbox.kubectl("create", "configmap", "one", "--from-literal=a=theirs")
    before = live(sandbox)
    for _ in range(2):                   # by what it knew, and by what it finds then
        with pytest.raises(Conflict):
            await children.keep(child(owner, content={"data": {"a": "3"}}))
    assert live(sandbox) == before


async def test_only_its_own_are_known_and_removed(sandbox: Sandbox, children: Children) -> None:
    """Else one Session's end would take another's address."""
    owner, other = sandbox.job(), sandbox.job("other")
    for each, name in ((owner, "one"), (owner, "two"), (other, "three")):
        await children.keep(child(each, name))
    sandbox.kubectl("create", "configmap", "strange", "--from-literal=a=theirs")
    await children.refresh()
    assert sorted(each["metadata"]["name"] for each in children.of(owner)) == ["one", "two"]
    for name in ("one", "three", "strange", "missing"):
        await children.remove(owner, name)
    await children.refresh()
    assert [each["metadata"]["name"] for each in children.of(owner)] == ["two"]
    assert [each["metadata"]["name"] for each in children.of(other)] == ["three"]
    assert live(sandbox, "strange")["data"] == {"a": "theirs"}


async def test_a_service_keeps_the_address_that_it_was_given(sandbox: Sandbox, client: KubeClient) -> None:
    """Else each repair of a Service would be refused, or change the address that people use."""
    owner, services = sandbox.job(), Children(client, SERVICES)

    def wanted(port: int) -> Child:
        return child(owner, content={"spec": {"ports": [{"name": "http", "port": port}]}})

    made = await services.keep(wanted(80))
    changed = await services.keep(wanted(8080))
    assert changed["spec"]["clusterIP"] == made["spec"]["clusterIP"] != ""
    assert [each["port"] for each in changed["spec"]["ports"]] == [8080]


async def test_of_two_who_write_at_once_one_looks_again(sandbox: Sandbox, client: KubeClient) -> None:
    """Else two gateways would each believe that a Session is theirs, and write over each other for ever."""
    owner, one, other = sandbox.job(), Children(client, CONFIG_MAPS, exact=True), Children(client, CONFIG_MAPS, exact=True)
    await one.keep(child(owner))
    await other.refresh()
    await other.keep(child(owner, content={"data": {"a": "2"}}))
    with pytest.raises(Conflict):
        await one.keep(child(owner, content={"data": {"a": "3"}}))
    assert live(sandbox)["data"] == {"a": "2"}
    await one.refresh()
    await one.keep(child(owner, content={"data": {"a": "3"}}))
    assert live(sandbox)["data"] == {"a": "3"}
