"""A kubeconfig that works with kubectl must work here, and one that cannot must say what to change. Logins: `test_login`."""

import base64
import os
import ssl
import tempfile
from pathlib import Path
from typing import Any

import pytest
import yaml
from kube_servers import pair

from fairlead.domain.errors import Unavailable, Unreadable
from fairlead.kube import login
from fairlead.kube.kubeconfig import Access, Acting, from_kubeconfig, in_cluster


def b64(text: str) -> str:
    return base64.b64encode(text.encode()).decode()


def write(folder: Path, *, cluster: dict[str, Any] | None = None, user: dict[str, Any] | None = None, **changes: Any) -> Path:
    config = {
        "current-context": "here",
        "contexts": [{"name": "here", "context": {"cluster": "c", "user": "u", "namespace": "science"}},
                     {"name": "there", "context": {"cluster": "c", "user": "u"}}],
        "clusters": [{"name": "c", "cluster": {"server": "https://api.example.org:6443/"} | (cluster or {})}],
        "users": [{"name": "u", "user": user or {}}],
    } | changes
    path = folder / "config"
    path.write_text(yaml.safe_dump(config))
    return path


def read(path: Path, *more: Any) -> Access:
    return from_kubeconfig(str(path), *more)


def test_certificates_inside_the_file(tmp_path: Path) -> None:
    certificate, key = pair()
    user = {"client-certificate-data": b64(certificate), "client-key-data": b64(key)}
    access = read(write(tmp_path, cluster={"certificate-authority-data": b64(certificate)}, user=user))
    assert (access.server, access.namespace) == ("https://api.example.org:6443", "science")
    assert access.tls.verify_mode == ssl.CERT_REQUIRED
    assert [each["serialNumber"] for each in access.tls.get_ca_certs()] == ["01"], "the kubeconfig's own authority, and no other"
    assert "PRIVATE KEY" not in repr(access)


@pytest.mark.parametrize("nameless", [True, False], ids=["nameless", "by-name"])
def test_no_key_is_left_in_a_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, nameless: bool) -> None:
    """Who reads a temporary folder, today or from a backup, would be the person to the API server."""
    places = tmp_path / "temporary"
    places.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(places))
    seen: list[str] = []
    if not nameless:
        monkeypatch.delattr(os, "memfd_create")
    made = login.ApiClient

    def client(configuration: Any) -> Any:
        seen.extend([configuration.key_file, *(path.name for path in places.iterdir())])
        assert "PRIVATE KEY" in Path(configuration.key_file).read_text()
        return made(configuration)

    monkeypatch.setattr(login, "ApiClient", client)
    certificate, key = pair()
    user = {"client-certificate-data": b64(certificate), "client-key-data": b64(key)}
    access = read(write(tmp_path, cluster={"certificate-authority-data": b64(certificate)}, user=user))
    assert len(seen) == (1 if nameless else 4), "the library was given files, with names only where there is no other way"
    assert list(places.iterdir()) == []
    assert not Path(seen[0]).exists()
    assert access.api.configuration.key_file is None


def test_certificates_in_files_beside_it(tmp_path: Path) -> None:
    certificate, key = pair()
    (tmp_path / "ca.crt").write_text(certificate)
    (tmp_path / "u.crt").write_text(certificate)
    (tmp_path / "u.key").write_text(key)
    user = {"client-certificate": "u.crt", "client-key": "u.key"}
    access = read(write(tmp_path, cluster={"certificate-authority": "ca.crt"}, user=user))
    assert [each["serialNumber"] for each in access.tls.get_ca_certs()] == ["01"]


def test_files_are_looked_for_beside_the_kubeconfig_that_names_them(tmp_path: Path) -> None:
    """The library looks for a user's key beside the kubeconfig that has the cluster."""
    certificate, key = pair()
    for name in ("one", "two"):
        (tmp_path / name).mkdir()
    (tmp_path / "one" / "ca.crt").write_text(certificate)
    (tmp_path / "two" / "u.pem").write_text(f"{certificate}\n{key}")
    one = write(tmp_path / "one", cluster={"certificate-authority": "ca.crt"}, users=[])
    two = write(tmp_path / "two", user={"client-certificate": "u.pem", "client-key": "u.pem"}, clusters=[], contexts=[])
    access = from_kubeconfig(f"{one}{os.pathsep}{two}")
    assert [each["serialNumber"] for each in access.tls.get_ca_certs()] == ["01"]


async def test_another_context_by_name(tmp_path: Path) -> None:
    access = read(write(tmp_path, user={"token": "s3cret"}), "there")
    assert access.namespace == "default"
    assert await access.authorization() == "Bearer s3cret"
    assert not access.refused("Bearer s3cret"), "it is the only one"
    assert "s3cret" not in repr(access)


def test_a_server_that_is_not_verified(tmp_path: Path) -> None:
    assert read(write(tmp_path, cluster={"insecure-skip-tls-verify": True})).tls.verify_mode == ssl.CERT_NONE


async def test_several_files_are_one_and_the_first_one_counts(tmp_path: Path) -> None:
    """Who keeps a file for each cluster, as people do, would be asked to write them into one."""
    for name in ("one", "two", "three"):
        (tmp_path / name).mkdir()
    one = write(tmp_path / "one", contexts=None, users=[{"name": "u", "user": {"tokenFile": "token"}}])
    (tmp_path / "one" / "token").write_text("of-one\n")
    two = write(tmp_path / "two", cluster={"server": "https://two.example.org"}, user={"token": "of-two"}, **{"current-context": "there"})
    (tmp_path / "three" / "config").write_text("# nothing yet\n")
    access = from_kubeconfig(os.pathsep.join([str(tmp_path / "three" / "config"), str(one), str(tmp_path / "missing"), str(two)]))
    assert (access.namespace, access.server) == ("science", "https://api.example.org:6443")
    assert await access.authorization() == "Bearer of-one", "relative to the file that names it"


def test_whom_a_kubeconfig_acts_as_and_what_an_option_lays_over_it(tmp_path: Path) -> None:
    """`fairlead logs` would read with rights that the person has put down."""
    user = {"token": "t", "as": "guest", "as-uid": "7", "as-groups": ["a", "b"], "as-user-extra": {"Scopes/x": ["1", "2"]}}
    assert list(read(write(tmp_path, user=user)).acting.headers().items()) == [
        ("Impersonate-User", "guest"), ("Impersonate-Group", "a"), ("Impersonate-Group", "b"), ("Impersonate-Uid", "7"),
        ("Impersonate-Extra-scopes%2Fx", "1"), ("Impersonate-Extra-scopes%2Fx", "2"),
    ]
    other = read(tmp_path / "config", None, Acting("root", ("c",)))
    assert other.acting.headers().getall("Impersonate-Group") == ["c"]
    assert (other.acting.user, other.acting.uid) == ("root", "7")


def test_a_group_without_a_user_is_not_passed_over() -> None:
    with pytest.raises(Unreadable, match="needs a user"):
        Acting(groups=("a",)).headers()


@pytest.mark.parametrize(("changes", "says"), [
    ({"current-context": ""}, "no current-context"),
    ({"current-context": "nowhere"}, "no context 'nowhere'"),
    ({"clusters": None}, "no cluster 'c'"),
    ({"users": [{"name": "other", "user": {}}]}, "no user 'u'"),
    ({"clusters": [{"name": "c", "cluster": {}}]}, "names no server"),
    ({"cluster": {"server": "api.example.org:6443"}}, "put https:// before it"),
    ({"cluster": {"proxy-url": "socks5://localhost:1080"}}, "a socks5 proxy"),
    ({"cluster": {"proxy-url": "http://p", "tls-server-name": "x"}}, "cannot be used together"),
    ({"contexts": [{"context": {}}]}, "no context 'here'"),
    ({"user": {"client-certificate-data": "%%%"}}, "client-certificate-data is not base64"),
    ({"user": {"client-certificate": "missing.crt"}}, r"missing\.crt"),
    ({"user": {"auth-provider": {"name": "gcp"}}}, "use exec"),
], ids=lambda value: value if isinstance(value, str) else "")
def test_what_cannot_be_used_is_said(tmp_path: Path, changes: dict[str, Any], says: str) -> None:
    with pytest.raises(Unreadable, match=says):
        read(write(tmp_path, **changes))


@pytest.mark.parametrize("text", ["- a", "a: [", "\x00", "contexts: 7"])
def test_a_file_that_is_no_kubeconfig_is_said(tmp_path: Path, text: str) -> None:
    (tmp_path / "config").write_text(text)
    with pytest.raises(Unreadable, match=r"The kubeconfig .*/config "):
        read(tmp_path / "config")


def test_no_secret_is_in_what_is_said(tmp_path: Path) -> None:
    """The library's own words quote the whole entry, and end in a person's terminal or a log."""
    path = write(tmp_path, user={"token": "s3cret"}, contexts=[{"name": "here", "s3cret": 1}])
    with pytest.raises(Unreadable) as raised:
        read(path)
    assert "s3cret" not in str(raised.value)


def test_a_missing_file_is_said(tmp_path: Path) -> None:
    with pytest.raises(Unreadable, match="No such file"):
        read(tmp_path / "config")


def test_a_key_that_is_not_the_certificates_is_said(tmp_path: Path) -> None:
    user = {"client-certificate-data": b64(pair()[0]), "client-key-data": b64(pair()[1])}
    with pytest.raises(Unreadable, match=r"certificates for https://api\.example\.org:6443"):
        read(write(tmp_path, user=user))


async def test_a_pods_service_account_whose_token_is_renewed(tmp_path: Path) -> None:
    for name, text in {"ca.crt": pair()[0], "namespace": "fairlead-system\n", "token": "first\n"}.items():
        (tmp_path / name).write_text(text)
    access = in_cluster(tmp_path, {})
    assert (access.server, access.namespace) == ("https://kubernetes.default.svc:443", "fairlead-system")
    assert str(await access.authorization()).split()[1] == "first"
    (tmp_path / "token").write_text("second")
    assert access.refused("bearer first")
    assert str(await access.authorization()).split()[1] == "second"
    (tmp_path / "token").unlink()
    assert access.refused("bearer second")
    with pytest.raises(Unavailable, match="token cannot be read"):
        await access.authorization()


@pytest.mark.parametrize(("environment", "server"), [
    ({"KUBERNETES_SERVICE_HOST": "10.0.0.1", "KUBERNETES_SERVICE_PORT": "443"}, "https://10.0.0.1:443"),
    ({"KUBERNETES_SERVICE_HOST": "fd00::1", "KUBERNETES_SERVICE_PORT": "6443"}, "https://[fd00::1]:6443"),
    ({"KUBERNETES_SERVICE_HOST": "10.0.0.1"}, "https://10.0.0.1:443"),
    ({}, "https://kubernetes.default.svc:443"),
], ids=["v4", "v6", "half", "none"])
def test_the_api_server_of_a_pod_is_where_the_kubelet_says(tmp_path: Path, environment: dict[str, str], server: str) -> None:
    """Else a pod on the host's network, which does not ask the cluster's DNS, would find no API server."""
    for name, text in {"ca.crt": pair()[0], "namespace": "x", "token": "x"}.items():
        (tmp_path / name).write_text(text)
    assert in_cluster(tmp_path, environment).server == server


def test_outside_a_pod_a_kubeconfig_is_asked_for(tmp_path: Path) -> None:
    with pytest.raises(Unreadable, match="name a kubeconfig"):
        in_cluster(tmp_path / "none")
