"""What a user's Cluster or Job refers to must be read as it is, and what is missing must be told from what could not be asked."""

import json
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from fairlead.app.kinds import KINDS
from fairlead.domain.errors import Unavailable
from fairlead.kube.client import KubeClient
from fairlead.kube.references import KubeReferences
from fairlead.kube.store import KubeStore

from .conftest import Sandbox


@pytest.fixture
def references(client: KubeClient) -> KubeReferences:
    return KubeReferences(client, KINDS)


@pytest.fixture
async def stranger(sandbox: Sandbox) -> AsyncIterator[KubeReferences]:
    """Somebody to whom RBAC grants nothing."""
    async with KubeClient.load(str(sandbox.plane.kubeconfig_for("stranger"))) as client:
        yield KubeReferences(client, KINDS)


async def test_a_secret_is_read_byte_for_byte(sandbox: Sandbox, references: KubeReferences) -> None:
    manifest = {"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "key"}, "stringData": {"a": "line\r\n"}, "data": {"b": "AP8="}}
    sandbox.kubectl("create", "-f", "-", text=json.dumps(manifest))
    assert await references.read_secret(sandbox.namespace, "key") == {"a": b"line\r\n", "b": b"\x00\xff"}


async def test_an_empty_secret_is_not_a_missing_one(sandbox: Sandbox, references: KubeReferences) -> None:
    sandbox.kubectl("create", "secret", "generic", "empty")
    assert await references.read_secret(sandbox.namespace, "empty") == {}


@pytest.mark.parametrize("name", ["nobody", "..", ".", "", "../../namespaces/default", "a/b", "ü", "x?y#z"])
async def test_a_name_that_nothing_has_is_a_missing_object(sandbox: Sandbox, references: KubeReferences, name: str) -> None:
    assert await references.read_secret(sandbox.namespace, name) is None
    assert await references.read_config_map(sandbox.namespace, name) is None


async def test_a_config_map_is_read_as_kubectl_makes_it_of_files(sandbox: Sandbox, references: KubeReferences, tmp_path: Path) -> None:
    """Else a script in an encoding of old would seem not to be there: kubectl puts it elsewhere than the others."""
    (tmp_path / "run.sh").write_text("#!/bin/sh\necho ü\n", encoding="utf-8")
    (tmp_path / "old.sh").write_text("#!/bin/sh\necho ü\n", encoding="latin-1")
    sandbox.kubectl("create", "configmap", "script", f"--from-file={tmp_path}", f"--from-file=other={tmp_path}/run.sh")
    assert await references.read_config_map(sandbox.namespace, "script") == {
        "run.sh": "#!/bin/sh\necho ü\n", "other": "#!/bin/sh\necho ü\n", "old.sh": b"#!/bin/sh\necho \xfc\n"}


async def test_who_may_not_read_a_secret_is_told_so_and_not_that_it_is_missing(sandbox: Sandbox, stranger: KubeReferences) -> None:
    with pytest.raises(Unavailable, match='cannot get resource "secrets"'):
        await stranger.read_secret(sandbox.namespace, "nobody")


async def test_labels_of_a_namespace_are_read_by_those_who_may(
        sandbox: Sandbox, references: KubeReferences, stranger: KubeReferences) -> None:
    """Else a Cluster would be opened or closed to the wrong namespaces, or a missing right would look like a missing label."""
    sandbox.kubectl("label", "namespace", sandbox.namespace, "queue=night")
    read = await references.read_labels(sandbox.namespace)
    assert read == {"kubernetes.io/metadata.name": sandbox.namespace, "queue": "night"}
    assert await references.read_labels("nobodys") is None
    with pytest.raises(Unavailable, match='cannot get resource "namespaces"'):
        await stranger.read_labels(sandbox.namespace)


async def test_finished_objects_are_listed_over_all_pages(sandbox: Sandbox, client: KubeClient, store: KubeStore) -> None:
    finished = [sandbox.job(f"done-{number}") for number in range(5)]
    sandbox.job("running")
    for ref in finished:
        await store.release(ref, finished=True)
    listed = await KubeReferences(client, KINDS, page_size=2).list_objects("jobs", finished=True)
    assert sorted((ref for ref in listed if ref.namespace == sandbox.namespace), key=str) == finished
