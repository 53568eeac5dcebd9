"""A Session's token: it comes to the process, on Slurm and on a bare host, and shows up nowhere else."""

import base64
import contextlib
import hashlib
import json
import re
from pathlib import Path
from typing import Any

import pytest

from bed.login import LoginNode
from product.controller import Controller
from product.either import cluster_on
from product.ownerkind import SESSION
from product.scene import Scene, Thing
from product.waiting import until

pytestmark = pytest.mark.parametrize("kind", [SESSION], ids=str, indirect=True)
TOKEN = "planted-token-4b1d7e50aa92"
SAYS_DIGEST = "ps axww -o args= >$HOME/args-$NAME; printf %s \"$FAIRLEAD_TOKEN\" | sha256sum >$HOME/digest-$NAME; exec sleep 600"
"""Shows that the token has arrived, without showing it; and what processes are called meanwhile."""


@pytest.fixture(params=["hpc", "bare"], ids=["Slurm", "bare host"])
def node(request: pytest.FixtureRequest) -> LoginNode:
    """A cluster of either kind."""
    node: LoginNode = request.getfixturevalue(request.param)
    return node


def guarded(scene: Scene, name: str, **token: Any) -> Thing:
    """A Session with a token."""
    named = [{"name": "NAME", "value": f"{scene.namespace}-{name}"}]
    process = {"command": ["/bin/sh", "-c", SAYS_DIGEST], "env": named, "port": 8000, **token}
    return scene.session(name, "true", application=process, cancellationGracePeriodSeconds=0)


def digest_file(node: LoginNode, session: Thing) -> Path:
    """Where a process says what it has."""
    return node.home / f"digest-{session.scene.namespace}-{session.name}"


def digest_at(node: LoginNode, session: Thing) -> str:
    """Of the token that the process has."""
    path = digest_file(node, session)
    return until(lambda: path.exists() and path.read_text().partition(" ")[0], "the process to have said what it has", 60)


def holders(node: LoginNode, *tokens: str) -> list[tuple[str, int]]:
    """Files below the home that hold one of these, and their modes."""
    found = []
    for path in node.home.rglob("*"):
        with contextlib.suppress(OSError):
            if path.is_file() and any(each.encode() in path.read_bytes() for each in tokens):
                found.append((path.name, path.stat().st_mode & 0o777))
    return found


def sha256(text: str) -> str:
    """As sha256sum shows it."""
    return hashlib.sha256(text.encode()).hexdigest()


def secret_of(scene: Scene, name: str) -> dict[str, Any] | None:
    """A Secret."""
    return scene.api.get(f"/api/v1/namespaces/{scene.namespace}/secrets/{name}")


def shown(scene: Scene) -> str:
    """All that people who may not read Secrets may read of a namespace."""
    paths = (f"/apis/fairlead.dev/v1alpha1/namespaces/{scene.namespace}/sessions", f"/api/v1/namespaces/{scene.namespace}/events",
             f"/apis/discovery.k8s.io/v1/namespaces/{scene.namespace}/endpointslices", "/api/v1/namespaces/default/configmaps")
    return json.dumps([(scene.api.get(path) or {"items": []})["items"] for path in paths])


def test_a_token_comes_to_the_process_and_shows_up_nowhere_else(node: LoginNode, scene: Scene, controller: Controller) -> None:
    """Else clients could not be told from strangers; or whoever reads a status, a log or a process list could be one."""
    cluster_on(node, scene)
    began = controller.log.stat().st_size
    scene.secret("mine", password=TOKEN)
    named = guarded(scene, "named", tokenSecretRef={"name": "mine", "key": "password"})
    made = guarded(scene, "made", token="Generated")
    assert digest_at(node, named) == sha256(TOKEN)
    secret = until(lambda: secret_of(scene, "made"), "the Session's own Secret")
    token = base64.b64decode(secret["data"]["token"]).decode()
    assert re.fullmatch("[0-9a-f]{64}", token), "256 bits at random"
    assert digest_at(node, made) == sha256(token)
    assert [each["uid"] for each in secret["metadata"]["ownerReferences"]] == [made.uid]
    named.wait("Allocated")
    made.wait("Allocated")

    assert set(holders(node, TOKEN, token)) <= {("env", 0o600)}, "nothing but the file of variables, for its user alone"
    log = controller.log.read_bytes()[began:].decode(errors="replace")
    for place, text in {"statuses, Events, slices": shown(scene), "the log": log,
                        "process lists": "".join(
                            (node.home / f"args-{scene.namespace}-{name}").read_text() for name in ("named", "made"))}.items():
        assert [each for each in (TOKEN, token) if each in text] == [], f"in {place}"

    made.change(suspend=True)
    made.wait("Suspended", reason="JobSuspended")
    digest_file(node, made).unlink()
    made.change(suspend=False)
    assert digest_at(node, made) == sha256(token), "the same one with each start"
    for each in (named, made):
        each.delete()
    until(lambda: secret_of(scene, "made") is None, "its Secret to go with it", 120)
    assert secret_of(scene, "mine") is not None
    assert holders(node, TOKEN, token) == []


@pytest.mark.parametrize(("data", "reason", "says"), [
    pytest.param(None, "TokenNotFound", "does not exist", id="no Secret"),
    pytest.param({"other": TOKEN}, "TokenNotFound", "has no field password", id="no such field"),
    pytest.param({"password": ""}, "TokenInvalid", "is empty", id="empty"),
    pytest.param({"password": f"{TOKEN}\n"}, "TokenInvalid", "ends with a line end", id="a line end"),
    pytest.param({"password": "x" * 4097}, "TokenInvalid", "4096 at most", id="too long"),
])
def test_a_session_waits_for_a_token_that_can_be_used(
    bare: LoginNode, scene: Scene, data: dict[str, str] | None, reason: str, says: str,
) -> None:
    """Else a process would run that everybody may use, or none; and nobody would know why."""
    cluster_on(bare, scene)
    if data is not None:
        scene.secret("mine", **data)
    session = guarded(scene, "waits", tokenSecretRef={"name": "mine", "key": "password"})
    told = session.wait("Submitted", "False", reason=reason)
    session.wait("Ready", "False", reason=reason)
    assert says in told["message"]
    assert TOKEN not in json.dumps(session.status)
    assert not digest_file(bare, session).exists()
    scene.secret("mine", password=TOKEN)
    assert digest_at(bare, session) == sha256(TOKEN)
    session.wait("Allocated")


def test_a_secret_of_somebody_else_is_left_alone(bare: LoginNode, scene: Scene) -> None:
    """Else a Session would take a Secret over by its name, or hand it to a process."""
    cluster_on(bare, scene)
    scene.secret("taken", token=TOKEN)
    before = secret_of(scene, "taken")
    session = guarded(scene, "taken", token="Generated")
    session.wait("Submitted", "False", reason="TokenNameTaken")
    assert secret_of(scene, "taken") == before
    assert not digest_file(bare, session).exists()
    scene.api.delete(f"/api/v1/namespaces/{scene.namespace}/secrets/taken")
    session.wait("Allocated", seconds=60)
    made = secret_of(scene, "taken")
    assert made is not None
    assert digest_at(bare, session) == sha256(base64.b64decode(made["data"]["token"]).decode())
