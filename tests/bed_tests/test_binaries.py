"""The control plane's programs: each source in its order, whole or not at all, and one process at a time."""

import contextlib
import hashlib
import http.server
import io
import os
import subprocess
import sys
import tarfile
import tempfile
import threading
from collections.abc import Iterator
from functools import partial
from pathlib import Path

import pytest

from bed import helm
from bed.controlplane import binaries, versions
from bed.controlplane.gobuild import Builder
from bed.controlplane.release import Release
from bed.errors import BedError
from bed.state import Bed

TESTS = str(Path(__file__).parents[1])


@pytest.fixture
def site(tmp_path: Path) -> Iterator[tuple[Path, Release]]:
    """A release server on loopback: its folder, and where its programs are."""
    folder = tmp_path / "site"
    folder.mkdir()
    serve = partial(http.server.SimpleHTTPRequestHandler, directory=str(folder))
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), serve) as server, contextlib.redirect_stderr(io.StringIO()):
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        url = f"http://127.0.0.1:{server.server_port}"
        yield folder, Release(url, url, "etcd-v3-linux.tar.gz")
        server.shutdown()
        thread.join()


def program(path: Path, text: str = "#!/bin/sh\n") -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
    path.chmod(0o755)
    return path


def never(name: str, target: Path) -> None:
    raise AssertionError(f"{name} was fetched")


def writes(text: str) -> binaries.Fetch:
    return lambda name, target: target.write_text(f"{text} {name}") and None


def fails(name: str, target: Path) -> None:
    target.write_text("half")
    raise BedError(f"no {name} here")


def test_assets_come_before_the_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A person's own binaries would be passed over; what they lack comes from the cache all the same."""
    monkeypatch.setenv("KUBEBUILDER_ASSETS", str(tmp_path / "assets"))
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    cached = tmp_path / "cache" / "fairlead" / "bed" / versions.bundle()
    mine = program(tmp_path / "assets" / "etcd")
    program(cached / "etcd")
    theirs = program(cached / "kubectl")
    assert binaries.at_hand() == {"etcd": mine, "kubectl": theirs}


def test_a_file_that_cannot_be_executed_is_no_program(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A listing of names beside the programs would be started."""
    monkeypatch.setenv("KUBEBUILDER_ASSETS", str(tmp_path))
    program(tmp_path / "etcd").chmod(0o644)
    (tmp_path / "kubectl").mkdir()
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "empty"))
    assert binaries.at_hand() == {}


def test_a_source_that_fails_is_followed_by_the_next(tmp_path: Path) -> None:
    """A machine without a network would get nothing; with one, every program would be asked for again in vain."""
    asked: list[str] = []

    def first(name: str, target: Path) -> None:
        asked.append(name)
        fails(name, target)

    binaries.fill(tmp_path, ["etcd", "kubectl"], [first, writes("built")])
    assert (tmp_path / "etcd").read_text() == "built etcd"
    assert os.access(tmp_path / "kubectl", os.X_OK)
    assert asked == ["etcd"]


def test_the_last_source_s_words_are_told(tmp_path: Path) -> None:
    """A person would not learn why there is no control plane; and half a file would be taken for one later."""
    with pytest.raises(BedError, match="no etcd here"):
        binaries.fill(tmp_path, ["etcd"], [fails])
    assert [path.name for path in tmp_path.iterdir()] == [".lock"]


def test_kill_9_in_mid_build_leaves_no_half_file(tmp_path: Path) -> None:
    """The next start would run half a program."""
    code = """
import os, sys
from pathlib import Path
from bed.controlplane import binaries
def half(name, target):
    if name == "kubectl":
        target.write_text("half"); os.kill(os.getpid(), 9)
    target.write_text("whole")
binaries.fill(Path(sys.argv[1]), ["etcd", "kubectl"], [half])
"""
    subprocess.run([sys.executable, "-c", code, tmp_path], env={**os.environ, "PYTHONPATH": TESTS}, check=False)
    assert (tmp_path / "etcd").read_text() == "whole"
    assert not (tmp_path / "kubectl").exists()
    binaries.fill(tmp_path, ["etcd", "kubectl"], [writes("later")])
    assert (tmp_path / "etcd").read_text() == "whole"
    assert (tmp_path / "kubectl").read_text() == "later kubectl"
    assert sorted(path.name for path in tmp_path.iterdir()) == [".lock", "etcd", "kubectl"]


def test_a_second_builder_waits_and_finds_the_work_done(tmp_path: Path) -> None:
    """Two checkouts would build the same for minutes, at half the speed, and overwrite each other."""
    building, waiting = threading.Event(), threading.Event()

    def slow(name: str, target: Path) -> None:
        building.set()
        assert waiting.wait(30)
        target.write_text("first")

    first = threading.Thread(target=binaries.fill, args=(tmp_path, ["etcd"], [slow]))
    first.start()
    assert building.wait(30)
    binaries.fill(tmp_path, ["etcd"], [never], lambda: waiting.set() or True)
    first.join()
    assert (tmp_path / "etcd").read_text() == "first"


def test_a_builder_whose_bed_is_closed_waits_no_longer(tmp_path: Path) -> None:
    """Ctrl-C would have to wait for somebody else's build."""
    with binaries._alone(tmp_path, lambda: True), pytest.raises(BedError, match="closed"):
        binaries.fill(tmp_path, ["etcd"], [never], lambda: False)


def test_a_release_with_the_right_checksum_is_taken(site: tuple[Path, Release], tmp_path: Path) -> None:
    """People with a network would build for seven minutes."""
    folder, release = site
    (folder / "kubectl").write_bytes(b"a program")
    (folder / "kubectl.sha256").write_text(hashlib.sha256(b"a program").hexdigest())
    release.fetch("kubectl", tmp_path / "kubectl")
    assert (tmp_path / "kubectl").read_bytes() == b"a program"


def test_etcd_is_taken_out_of_its_archive(site: tuple[Path, Release], tmp_path: Path) -> None:
    """etcd alone would be built."""
    folder, release = site
    member = tarfile.TarInfo("etcd-v3-linux/etcd")
    member.size = 4
    with tarfile.open(folder / "etcd-v3-linux.tar.gz", "w:gz") as archive:
        archive.addfile(member, io.BytesIO(b"etcd"))
    checksum = hashlib.sha256((folder / "etcd-v3-linux.tar.gz").read_bytes()).hexdigest()
    (folder / "SHA256SUMS").write_text(f"{'0' * 64}  other.tar.gz\n{checksum}  etcd-v3-linux.tar.gz\n")
    release.fetch("etcd", tmp_path / "etcd")
    assert (tmp_path / "etcd").read_bytes() == b"etcd"
    assert sorted(path.name for path in tmp_path.iterdir()) == ["etcd", "site"]


@pytest.mark.parametrize(("name", "files", "words"), [
    pytest.param("kubectl", {"kubectl": b"tampered", "kubectl.sha256": b"0" * 64}, "checksum", id="another checksum"),
    pytest.param("kubectl", {"kubectl": b"a program"}, "404", id="no checksum"),
    pytest.param("kubectl", {"kubectl": b"a program", "kubectl.sha256": b""}, "cannot be had", id="an empty checksum"),
    pytest.param("kubectl", {"kubectl.sha256": b"0" * 64}, "404", id="no program"),
    pytest.param("etcd", {"SHA256SUMS": b"", "etcd-v3-linux.tar.gz": b""}, "cannot be had", id="an archive that is not listed"),
    pytest.param("etcd", {"SHA256SUMS": hashlib.sha256(b"").hexdigest().encode() + b"  etcd-v3-linux.tar.gz", "etcd-v3-linux.tar.gz": b""},
                 "cannot be had", id="an archive that is none"),
])
def test_a_release_that_cannot_be_verified_is_refused(
    site: tuple[Path, Release], tmp_path: Path, name: str, files: dict[str, bytes], words: str,
) -> None:
    """A program that somebody put in between would be run as root."""
    folder, release = site
    for file, content in files.items():
        (folder / file).write_bytes(content)
    with pytest.raises(BedError, match=words):
        release.fetch(name, tmp_path / name)
    assert [path.name for path in tmp_path.iterdir()] == ["site"]


def test_a_release_server_without_an_address_is_given_up_at_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A machine without a network would wait for time-outs before it builds."""
    for name in ("https_proxy", "HTTPS_PROXY", "all_proxy", "ALL_PROXY"):
        monkeypatch.delenv(name, raising=False)
    with pytest.raises(BedError, match=r"release\.invalid does not resolve"):
        Release("https://release.invalid", "https://release.invalid", "etcd.tar.gz").fetch("kubectl", tmp_path / "kubectl")


@pytest.mark.parametrize(("said", "used"), [
    pytest.param("go1.24.0", True, id="the oldest that will do"),
    pytest.param("go1.26.8", True, id="a newer one"),
    pytest.param("go1.23.9", False, id="one too old"),
    pytest.param("", False, id="one that says nothing"),
])
def test_an_installed_go_is_used_if_it_is_new_enough(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, said: str, used: bool) -> None:
    """A build with an old Go fails after minutes, or Go fetches another one by itself."""
    installed = program(tmp_path / "bin" / "go", f"#!/bin/sh\necho {said}\n")
    own = program(tmp_path / "own/venv/lib/python3.11/site-packages/go/bin/go")
    monkeypatch.setenv("PATH", f"{installed.parent}:{os.environ['PATH']}")
    assert Builder(tmp_path / "own", {}).go == (installed if used else own)


def test_a_failed_build_tells_go_s_own_words(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A person behind a closed network would see "exit code 1"."""
    program(tmp_path / "go", '#!/bin/sh\n[ "$1" = env ] && { echo go1.24.0; exit; }\necho "no route to the module proxy" >&2\nexit 1\n')
    monkeypatch.setenv("PATH", f"{tmp_path}:{os.environ['PATH']}")
    with pytest.raises(BedError, match="no route to the module proxy"):
        Builder(tmp_path / "own", {}).build("etcd", tmp_path / "etcd")


def test_discard_removes_read_only_module_caches(tmp_path: Path) -> None:
    """Three gigabytes would stay in the cache for ever."""
    module = tmp_path / "own" / "path" / "pkg" / "mod" / "k8s.io"
    module.mkdir(parents=True)
    (module / "file.go").write_text("package k8s")
    module.chmod(0o555)
    Builder(tmp_path / "own", {}).discard()
    assert not (tmp_path / "own").exists()


def test_a_go_that_a_killed_run_left_is_removed_by_the_next(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, bed: Bed) -> None:
    """Three gigabytes would stay: the programs are all there, and nobody would look again."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    monkeypatch.delenv("KUBEBUILDER_ASSETS", raising=False)
    cached = tmp_path / "fairlead" / "bed" / versions.bundle()
    for name in versions.COMMANDS:
        program(cached / name)
    program(cached / ".go" / "cache" / "object")
    assert binaries.ensure(bed).etcd == cached / "etcd"
    assert not (cached / ".go").exists()


def test_a_killed_build_leaves_its_temporary_files_where_the_next_one_looks(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each would leave gigabytes in /tmp."""
    program(tmp_path / "go", '#!/bin/sh\n[ "$1" = env ] && { echo go1.24.0; exit; }\necho "$TMPDIR" >&2\nexit 1\n')
    monkeypatch.setenv("PATH", f"{tmp_path}:{os.environ['PATH']}")
    with pytest.raises(BedError, match=str(tmp_path / "part")):
        Builder(tmp_path / "own", {}).build("etcd", tmp_path / "part" / "etcd")


def test_helm_is_taken_out_of_its_archive(site: tuple[Path, Release], tmp_path: Path) -> None:
    """People with a network would build Helm for minutes."""
    folder, release = site
    member = tarfile.TarInfo(f"linux-{versions.machine()}/helm")
    member.size = 4
    with tarfile.open(folder / "helm-v3.tar.gz", "w:gz") as archive:
        archive.addfile(member, io.BytesIO(b"helm"))
    checksum = hashlib.sha256((folder / "helm-v3.tar.gz").read_bytes()).hexdigest()
    (folder / "helm-v3.tar.gz.sha256sum").write_text(f"{checksum}  helm-v3.tar.gz\n")
    helm.Release(release.kubernetes_url, "helm-v3").fetch("helm", tmp_path / "helm")
    assert (tmp_path / "helm").read_bytes() == b"helm"
    assert sorted(path.name for path in tmp_path.iterdir()) == ["helm", "site"]


def test_helm_says_the_version_that_is_pinned(bed: Bed) -> None:
    """A chart that asks for Helm's version, or for the cluster's where there is none, would be rendered as for one of years ago."""
    said = subprocess.run([helm.ensure(bed), "version", "--template", "{{.Version}}"], capture_output=True, text=True, check=True)
    assert said.stdout == helm.version()


def test_a_build_writes_nothing_into_the_user_s_folders(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Go's telemetry would be kept of somebody who only wanted to run tests."""
    asked = tmp_path / "asked"
    program(tmp_path / "go", f'#!/bin/sh\n[ "$1" = env ] && {{ echo "$XDG_CONFIG_HOME" >{asked}; echo go1.24.0; exit; }}\n'
                             'echo "$XDG_CONFIG_HOME, $GOENV" >&2\nexit 1\n')
    monkeypatch.setenv("PATH", f"{tmp_path}:{os.environ['PATH']}")
    monkeypatch.setenv("GOENV", "/home/me/.config/go/env")
    with pytest.raises(BedError, match=f"{tmp_path / 'part' / 'config'}, /home/me/.config/go/env"):
        Builder(tmp_path / "own", {}).build("etcd", tmp_path / "part" / "etcd")
    assert asked.read_text().startswith(tempfile.gettempdir()), "the question for its version is answered with telemetry, too"
