"""One kubeconfig, two programs: kubectl and Fairlead are the same person to the real API server, or both refuse."""

import asyncio
import base64
import json
import os
import subprocess
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
import yaml

from fairlead.domain.errors import FairleadError, Unavailable
from fairlead.kube.client import KubeClient
from fairlead.kube.kubeconfig import Acting
from product.command import fairlead

from .conftest import Sandbox

WHO = {"apiVersion": "authentication.k8s.io/v1", "kind": "SelfSubjectReview"}
VERSION = "client.authentication.k8s.io/v1"
JsonObject = dict[str, Any]


@dataclass
class Person:
    """The kubeconfig of an administrator, to be written down in other ways."""

    sandbox: Sandbox
    folder: Path
    token: str
    cluster: JsonObject = field(init=False)
    admin: JsonObject = field(init=False)

    def __post_init__(self) -> None:
        view = json.loads(self.sandbox.kubectl("config", "view", "--raw", "--minify", "-o", "json").stdout)
        self.cluster, self.admin = view["clusters"][0]["cluster"], view["users"][0]["user"]

    def write(self, name: str, user: JsonObject | None, **more: Any) -> Path:
        """A whole kubeconfig in a folder of its own, or of `more` what stands there."""
        (self.folder / name).mkdir(exist_ok=True)
        path = self.folder / name / "config"
        whole = {
            "apiVersion": "v1", "kind": "Config", "current-context": "here", "clusters": [{"name": "c", "cluster": self.cluster}],
            "contexts": [{"name": "here", "context": {"cluster": "c", "user": "u", "namespace": self.sandbox.namespace}}],
            "users": [] if user is None else [{"name": "u", "user": user}],
        }
        path.write_text(yaml.safe_dump({**whole, **more}))
        return path

    def program(self, answer: JsonObject) -> JsonObject:
        """A user whose credential a program gives, from where it lies beside the kubeconfig in folder `one`."""
        (self.folder / "one").mkdir(exist_ok=True)
        path = self.folder / "one" / "credential"
        given = json.dumps({"apiVersion": VERSION, "kind": "ExecCredential", "status": answer})
        path.write_text(f"#!/bin/sh\ncat <<'END'\n{given}\nEND\n")
        path.chmod(0o700)
        return {"exec": {"command": "./credential", "apiVersion": VERSION, "interactiveMode": "Never"}}

    def pem(self, name: str) -> str:
        return base64.b64decode(self.admin[name]).decode()


@pytest.fixture
def person(sandbox: Sandbox, tmp_path: Path) -> Person:
    sandbox.kubectl("wait", "--for=create", "--timeout=30s", "serviceaccount/default")
    return Person(sandbox, tmp_path, sandbox.kubectl("create", "token", "default").stdout.strip())


def several(person: Person) -> list[Path]:
    """A context in one file, its cluster and user in others; of what both have, the first one counts."""
    key = person.folder / "three"
    key.mkdir()
    (key / "u.key").write_text(person.pem("client-key-data"))
    (key / "u.crt").write_text(person.pem("client-certificate-data"))
    return [
        person.write("none", None).with_name("missing"), person.write("one", None, clusters=[]),
        person.write("two", {"token": person.token}, **{"current-context": "there", "users": []}),
        person.write("three", {"client-key": "u.key", "client-certificate": "u.crt"}, contexts=[]),
        person.write("four", {"token": person.token}),
    ]


ACTS = {"as": "guest", "as-uid": "7", "as-groups": ["g1", "g2"], "as-user-extra": {"Lab/x": ["1", "2"]}}
Made = Callable[[Person], list[Path]]
ALIKE: dict[str, tuple[Made, list[str]]] = {
    "certificate": (lambda person: [person.write("one", person.admin)], []),
    "token": (lambda person: [person.write("one", {"token": person.token})], []),
    "several files": (several, []),
    "another context": (lambda person: [
        person.write("one", person.admin, contexts=[]),
        person.write("two", {"token": person.token}, users=[{"name": "v", "user": {"token": person.token}}],
                     contexts=[{"name": "there", "context": {"cluster": "c", "user": "v"}}]),
    ], ["--context=there"]),
    "program's token": (lambda person: [person.write("one", person.program({"token": person.token}))], []),
    "program's certificate": (lambda person: [person.write("one", person.program({
        "clientCertificateData": person.pem("client-certificate-data"), "clientKeyData": person.pem("client-key-data")}))], []),
    "as": (lambda person: [person.write("one", {**person.admin, **ACTS})], []),
    "as option": (lambda person: [person.write("one", person.admin)], ["--as=guest", "--as-group=a", "--as-group=b", "--as-uid=8"]),
    "as option over as": (lambda person: [person.write("one", {**person.admin, **ACTS})], ["--as=other"]),
    "as groups over as": (lambda person: [person.write("one", {**person.admin, **ACTS})], ["--as-group=a"]),
}
REFUSED: dict[str, tuple[Made, list[str]]] = {
    "may not act as": (lambda person: [person.write("one", {"token": person.token, "as": "guest"})], []),
    "group alone": (lambda person: [person.write("one", person.admin)], ["--as-group=a"]),
    "no such context": (lambda person: [person.write("one", person.admin)], ["--context=nowhere"]),
    "no such user": (lambda person: [person.write("one", None)], []),
    "no such cluster": (lambda person: [person.write("one", person.admin, clusters=[])], []),
    "token that is not known": (lambda person: [person.write("one", {"token": "expired"})], []),
    "program fails": (lambda person: [person.write("one", person.program({}))], []),
    "no YAML": (lambda person: [person.write("one", person.admin, users=7)], []),
}


def by_kubectl(person: Person, files: list[Path], options: list[str]) -> JsonObject | None:
    """Who kubectl is; None when it refuses, or is refused."""
    environment = {**os.environ, "KUBECONFIG": os.pathsep.join(map(str, files)), "HOME": str(person.folder)}
    argv = [str(person.sandbox.plane.kubectl_path), *options, "auth", "whoami", "-o", "json"]
    done = subprocess.run(argv, env=environment, capture_output=True, text=True, timeout=60, check=False)
    return None if done.returncode else dict(json.loads(done.stdout)["status"]["userInfo"])


async def by_us(files: list[Path], options: list[str]) -> JsonObject:
    """Who we are. Raises `FairleadError` when we refuse, or are refused."""
    given = [option.removeprefix("--").split("=") for option in options]
    told, groups = dict(given), tuple(value for name, value in given if name == "as-group")
    acting = Acting(told.get("as", ""), groups, told.get("as-uid", ""))
    async with KubeClient.load(os.pathsep.join(map(str, files)), told.get("context"), acting=acting) as client:
        seen = await client.request("POST", "/apis/authentication.k8s.io/v1/selfsubjectreviews", body=WHO)
    await asyncio.sleep(0)
    return dict(seen["status"]["userInfo"])


def plain(who: JsonObject | None) -> JsonObject:
    """Without what is another at each certificate or token."""
    assert who is not None, "kubectl is refused"
    lasting = {key: value for key, value in (who.get("extra") or {}).items() if not key.startswith("authentication.kubernetes.io/")}
    return {**who, "extra": lasting, "groups": sorted(who.get("groups") or ())}


@pytest.mark.parametrize(("made", "options"), ALIKE.values(), ids=ALIKE)
async def test_we_are_to_the_api_server_who_kubectl_is(person: Person, made: Made, options: list[str]) -> None:
    """A person's kubeconfig would work with kubectl and not here, or worse: with other rights."""
    files = made(person)
    ours = await by_us(files, options)
    assert plain(ours) == plain(await asyncio.to_thread(by_kubectl, person, files, options))


@pytest.mark.parametrize(("made", "options"), REFUSED.values(), ids=REFUSED)
async def test_where_kubectl_is_refused_we_are_too(person: Person, made: Made, options: list[str]) -> None:
    files = made(person)
    assert await asyncio.to_thread(by_kubectl, person, files, options) is None
    with pytest.raises(FairleadError):
        await by_us(files, options)


async def test_kopf_is_who_we_are(person: Person) -> None:
    """The controller would watch as somebody else than it writes as."""
    files = [person.write("one", {**person.program({"token": person.token}), "as": person.sandbox.namespace})]
    async with KubeClient.load(str(files[0])) as client:
        info = client.connection_info()
        async with info.session, info.session.post(f"{info.server}/apis/authentication.k8s.io/v1/selfsubjectreviews", json=WHO) as answer:
            said = await answer.json()
        with pytest.raises(Unavailable) as raised:
            await client.request("POST", "/apis/authentication.k8s.io/v1/selfsubjectreviews", body=WHO)
    await asyncio.sleep(0)
    assert answer.status == 403
    assert said["message"] in str(raised.value)
    assert 'cannot impersonate resource "users" in API group "" at the cluster scope' in said["message"]


def test_the_commands_act_as_a_kubeconfig_or_an_option_says(person: Person) -> None:
    """`fairlead logs` printed what the guest may not read, since it passed over `as`."""
    person.sandbox.kubectl("create", "configmap", "fairlead-ledger-x")

    def debts(user: JsonObject, *options: str) -> tuple[int, str]:
        done = fairlead("debts", *options, kubeconfig=person.write("one", user))
        return done.returncode, (done.stdout + done.stderr).decode()

    assert debts(person.admin) == (0, "Nothing is owed.\n")
    for code, said in (debts({**person.admin, "as": "guest"}), debts(person.admin, "--as", "guest")):
        assert code == 2
        assert said.startswith(f"fairlead: You may not read the ledger, the ConfigMaps {person.sandbox.namespace}/")
    shown = fairlead("logs", "hello", "--as", "guest", kubeconfig=person.write("one", person.admin))
    assert shown.returncode == 2
    assert 'User "guest" cannot get resource' in shown.stderr.decode() or "may not" in shown.stderr.decode()
