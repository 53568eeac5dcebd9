"""Credentials that do not last: a program's, a file's, an issuer's. Without them a person who may use kubectl may not use Fairlead."""

import asyncio
import base64
import json
import os
import ssl
import stat
import threading
import time
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import yaml
from aiohttp import web
from kube_servers import pair

from fairlead.domain.errors import Unavailable
from fairlead.kube.kubeconfig import Access, from_kubeconfig

VERSION = "client.authentication.k8s.io/v1"


def login_of(folder: Path, user: dict[str, Any], **cluster: Any) -> Access:
    path = folder / "config"
    path.write_text(yaml.safe_dump({
        "current-context": "here", "contexts": [{"name": "here", "context": {"cluster": "c", "user": "u"}}],
        "clusters": [{"name": "c", "cluster": {"server": "https://api.example.org:6443", **cluster}}],
        "users": [{"name": "u", "user": user}],
    }))
    return from_kubeconfig(str(path))


def program(folder: Path, script: str, **more: Any) -> dict[str, Any]:
    path = folder / "credential"
    path.write_text(f"#!/bin/sh\n{script}\n")
    path.chmod(path.stat().st_mode | stat.S_IXUSR)
    own = [{"name": "SUFFIX", "value": "x y"}]
    return {"exec": {"command": "./credential", "args": ["get"], "env": own, "apiVersion": VERSION, **more}}


def answer(**status: str) -> str:
    return json.dumps({"apiVersion": VERSION, "kind": "ExecCredential", "status": status})


def in_an_hour() -> str:
    return (datetime.now(UTC) + timedelta(hours=1)).isoformat()


async def test_a_program_is_asked_once_until_its_token_expires_or_is_refused(tmp_path: Path) -> None:
    token = answer(token="T", expirationTimestamp=in_an_hour())
    script = f"""echo "$1 $SUFFIX ${{KUBERNETES_EXEC_INFO:+told}}" >> {tmp_path}/calls; echo '{token}'"""
    access = login_of(tmp_path, program(tmp_path, script))
    assert [await access.authorization(), await access.authorization()] == ["Bearer T", "Bearer T"]
    assert (tmp_path / "calls").read_text() == "get x y told\n"
    assert access.refused("Bearer of-before"), "another has asked again since"
    await access.authorization()
    assert (tmp_path / "calls").read_text().count("told") == 1
    assert access.refused("Bearer T")
    await access.authorization()
    assert (tmp_path / "calls").read_text().count("told") == 2


async def test_a_token_without_an_end_is_not_asked_for_again(tmp_path: Path) -> None:
    """A person would have to log in each minute."""
    access = login_of(tmp_path, program(tmp_path, f"echo x >> {tmp_path}/calls; echo '{answer(token='T')}'"))
    await access.authorization()
    await access.authorization()
    assert (tmp_path / "calls").read_text() == "x\n"


async def test_a_token_that_has_expired_is_asked_for_again(tmp_path: Path) -> None:
    script = f"echo x >> {tmp_path}/calls; echo '{answer(token='T', expirationTimestamp='2020-01-01T00:00:00Z')}'"
    access = login_of(tmp_path, program(tmp_path, script))
    async with asyncio.timeout(20):
        with pytest.raises(Unavailable, match="expired already"):
            await access.authorization()
    assert (tmp_path / "calls").read_text() == "x\n"


async def test_a_program_that_gives_a_certificate(tmp_path: Path) -> None:
    certificate, key = pair()
    (tmp_path / "answer").write_text(answer(clientCertificateData=certificate, clientKeyData=key))
    access = login_of(tmp_path, program(tmp_path, f"cat {tmp_path}/answer"))
    assert await access.authorization() is None
    (tmp_path / "answer").write_text(answer(clientCertificateData=certificate, clientKeyData=pair()[1]))
    other = login_of(tmp_path, program(tmp_path, f"cat {tmp_path}/answer"))
    with pytest.raises(Unavailable, match="SSLError"):   # so the first pair was really loaded
        await other.authorization()


async def test_a_program_is_told_of_the_cluster_where_it_wants_to_know(tmp_path: Path) -> None:
    wanted = program(tmp_path, f"""echo "$KUBERNETES_EXEC_INFO" > {tmp_path}/told; echo '{answer(token="T")}'""", provideClusterInfo=True)
    own = [{"name": "client.authentication.k8s.io/exec", "extension": {"tenant": "lab"}}]
    await login_of(tmp_path, wanted, extensions=own).authorization()
    told = json.loads((tmp_path / "told").read_text())
    assert told["spec"]["cluster"] == {"server": "https://api.example.org:6443", "config": {"tenant": "lab"}}


@pytest.mark.parametrize("script", ["exit 1", "echo no", "echo '{}'", "echo '[]'", f"echo '{answer()}'",
                                    f"echo '{answer(token='T').replace('/v1', '/v2')}'", f"echo '{answer(token='T')}'; exit 1"])
async def test_a_program_that_gives_none_is_named(tmp_path: Path, script: str) -> None:
    """We would go on as nobody, and the API server would speak of system:anonymous."""
    with pytest.raises(Unavailable, match="credential program"):
        await login_of(tmp_path, program(tmp_path, script)).authorization()


async def test_a_program_that_is_missing_is_named_and_where_to_get_it(tmp_path: Path) -> None:
    wanted = {"exec": {"command": "no-such-program", "apiVersion": VERSION, "installHint": "ask the site"}}
    with pytest.raises(Unavailable, match=r"no-such-program.*ask the site"):
        await login_of(tmp_path, wanted).authorization()


async def test_what_a_program_says_reaches_the_person(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    """`open this page and enter this code` would be read by nobody."""
    await login_of(tmp_path, program(tmp_path, f"echo 'enter 1234' >&2; echo '{answer(token='T')}'")).authorization()
    assert "enter 1234" in capfd.readouterr().err


async def test_a_program_ends_with_whoever_asked(tmp_path: Path) -> None:
    """It would go on after Ctrl-C, and listen on its port at the next try."""
    access = login_of(tmp_path, program(tmp_path, f"echo $$ > {tmp_path}/pid; exec sleep 60"))
    asked = asyncio.create_task(access.authorization())
    while not ((tmp_path / "pid").exists() and (tmp_path / "pid").read_text()):   # noqa: ASYNC110  a file wakes nobody
        await asyncio.sleep(0.01)
    asked.cancel()
    await asyncio.gather(asked, return_exceptions=True)
    with pytest.raises(ProcessLookupError):
        os.kill(int((tmp_path / "pid").read_text()), 0)


def test_two_loops_that_want_a_credential_at_once_both_have_it(tmp_path: Path) -> None:
    """kopf's thread and ours: one of them would wait for ever, or fail, and the program would be asked twice."""
    script = f"echo x >> {tmp_path}/calls; sleep 0.3; echo '{answer(token='T')}'"
    access = login_of(tmp_path, program(tmp_path, script))
    had: list[list[str | None]] = []

    async def ask() -> list[str | None]:
        async with asyncio.timeout(20):
            return list(await asyncio.gather(*(access.authorization() for _ in range(3))))

    threads = [threading.Thread(target=lambda: had.append(asyncio.run(ask()))) for _ in range(2)]
    for each in threads:
        each.start()
    for each in threads:
        each.join(25)
    assert had == [["Bearer T"] * 3] * 2
    assert (tmp_path / "calls").read_text() == "x\n"


async def test_a_tokens_file_is_read_again_when_it_is_refused(tmp_path: Path) -> None:
    (tmp_path / "token").write_text("first\n")
    access = login_of(tmp_path, {"tokenFile": "token"})
    assert await access.authorization() == "Bearer first"
    (tmp_path / "token").write_text("second\n")
    assert access.refused("Bearer first")
    assert await access.authorization() == "Bearer second"
    (tmp_path / "token").unlink()
    assert access.refused("Bearer second")
    with pytest.raises(Unavailable, match="token file"):
        await access.authorization()


def id_token(seconds: float, name: str = "old") -> str:
    """One that nobody has to believe."""
    parts = ({"alg": "none"}, {"exp": int(time.time() + seconds), "sub": name})
    return ".".join([*(base64.urlsafe_b64encode(json.dumps(each).encode()).decode().rstrip("=") for each in parts), "x"])


@dataclass
class Issuer:
    """An OIDC issuer, which gives new tokens for old ones."""

    certificate: str
    url: str = ""
    asked: list[dict[str, str]] = field(default_factory=list)
    new: str = field(default_factory=lambda: id_token(3600, "new"))

    async def discovery(self, _: web.Request) -> web.Response:
        return web.json_response({"token_endpoint": f"{self.url}/token"})

    async def token(self, request: web.Request) -> web.Response:
        self.asked.append({key: str(value) for key, value in (await request.post()).items()})
        return web.json_response({"id_token": self.new, "refresh_token": "again"})


@pytest.fixture
async def issuer(tmp_path: Path) -> AsyncIterator[Issuer]:
    certificate, key = pair()
    (tmp_path / "issuer.pem").write_text(f"{certificate}\n{key}")
    made = Issuer(certificate)
    tls = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    tls.load_cert_chain(tmp_path / "issuer.pem")
    app = web.Application()
    app.router.add_get("/.well-known/openid-configuration", made.discovery)
    app.router.add_post("/token", made.token)
    runner = web.AppRunner(app, shutdown_timeout=0.1)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0, ssl_context=tls).start()
    made.url = f"https://127.0.0.1:{runner.addresses[0][1]}"
    yield made
    await runner.cleanup()
    await asyncio.sleep(0.1)


def oidc(issuer: Issuer, token: str, **more: str) -> dict[str, Any]:
    config = {"client-id": "kubernetes", "idp-issuer-url": issuer.url, "id-token": token, "refresh-token": "once", **more}
    return {"auth-provider": {"name": "oidc", "config": config}}


def trusted(issuer: Issuer) -> str:
    return base64.b64encode(issuer.certificate.encode()).decode()


async def test_an_id_token_that_is_good_is_sent(tmp_path: Path, issuer: Issuer) -> None:
    token = id_token(3600)
    assert await login_of(tmp_path, oidc(issuer, token)).authorization() == f"Bearer {token}"
    assert issuer.asked == []


@pytest.mark.filterwarnings("ignore::DeprecationWarning")   # the library logs in to an issuer by `aiohttp.BasicAuth`
async def test_an_id_token_that_has_expired_is_renewed_and_written_down(tmp_path: Path, issuer: Issuer) -> None:
    """A refresh token is good once at many issuers: one that is not written down locks the person out, of kubectl too."""
    user = oidc(issuer, id_token(-10), **{"idp-certificate-authority-data": trusted(issuer)})
    assert await login_of(tmp_path, user).authorization() == f"Bearer {issuer.new}"
    assert issuer.asked == [{"grant_type": "refresh_token", "refresh_token": "once"}]
    written = yaml.safe_load((tmp_path / "config").read_text())["users"][0]["user"]["auth-provider"]["config"]
    assert (written["id-token"], written["refresh-token"]) == (issuer.new, "again")


@pytest.mark.filterwarnings("ignore::DeprecationWarning")
async def test_an_issuer_that_nobody_vouches_for_gets_nothing(tmp_path: Path, issuer: Issuer) -> None:
    """The library would send the refresh token to whoever answers."""
    with pytest.raises(Unavailable, match="issuer gave no id-token"):
        await login_of(tmp_path, oidc(issuer, id_token(-10))).authorization()
    assert issuer.asked == []


async def test_without_a_refresh_token_a_person_has_to_log_in(tmp_path: Path, issuer: Issuer) -> None:
    with pytest.raises(Unavailable, match="log in again"):
        await login_of(tmp_path, oidc(issuer, id_token(-10), **{"refresh-token": ""})).authorization()
