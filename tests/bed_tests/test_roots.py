"""Without these an interrupted or doubled preparation would leave a root that looks whole and is not."""

import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from bed.archive import DEFAULT_ARCHIVE, FROZEN, RETIRED, archive_urls
from bed.errors import BedError
from bed.proof import prove
from bed.releases import RELEASES, release_of
from bed.roots import root, roots_folder
from bed_tests.waiting import until

RELEASE = "20.11"
MOVING = "26.05"
BIG = 10_000   # bytes, that a program has and a script in its place has not
TESTS = Path(__file__).resolve().parents[1]


@pytest.fixture
def cache(tmp_path: Path) -> Iterator[Path]:
    """A cache that holds the packed root and nothing else."""
    ready = root(RELEASE)
    folder = tmp_path / "fairlead/bed/roots"
    folder.mkdir(parents=True)
    tarball = ready.with_name(ready.name + ".tar.zst")
    (folder / tarball.name).symlink_to(tarball)
    yield folder
    subprocess.run(["rm", "-rf", str(folder)], check=True)


def preparing(cache: Path) -> "subprocess.Popen[bytes]":
    """Another process of ours that prepares the root in this cache."""
    code = f"from bed.roots import root; print(root({RELEASE!r}), end='')"
    env = {**os.environ, "XDG_CACHE_HOME": str(cache.parents[2]), "PYTHONPATH": str(TESTS)}
    return subprocess.Popen([sys.executable, "-c", code], env=env, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)


def processes_in(folder: Path) -> list[str]:
    found = []
    for process in Path("/proc").glob("[0-9]*"):
        try:
            words = (process / "cmdline").read_bytes()
        except OSError:
            continue
        if str(folder).encode() in words:
            found.append(words.decode())
    return found


def end_in_the_middle(cache: Path, ready: Path, number: signal.Signals) -> None:
    """Send the signal while the root is unpacked; once more when the unpacking, which takes a second, was over first."""
    for _ in range(5):
        with preparing(cache) as process:
            until(ready.with_name(ready.name + ".part").exists, "the beginning of the unpacking")
            process.send_signal(number)
        if process.returncode != 0:
            return
        subprocess.run(["rm", "-rf", str(ready)], check=True)
    raise AssertionError("five preparations were over before the signal came")


def test_a_killed_preparation_leaves_no_half_root_and_no_process(cache: Path) -> None:
    ready = cache / root(RELEASE).name
    end_in_the_middle(cache, ready, signal.SIGKILL)
    assert not ready.exists()
    with preparing(cache) as second:
        assert second.communicate()[0].decode() == str(ready)
    assert (ready / "srv/c").is_dir()
    assert not processes_in(cache)
    assert not list(cache.glob("*part"))


def test_an_interrupted_preparation_leaves_nothing(cache: Path) -> None:
    ready = cache / root(RELEASE).name
    end_in_the_middle(cache, ready, signal.SIGINT)
    assert not ready.exists()
    assert not list(cache.glob("*part"))


def test_two_preparations_at_once_make_one_root(cache: Path) -> None:
    with preparing(cache) as first, preparing(cache) as second:
        answers = {process.communicate()[0].decode() for process in (first, second)}
    assert answers == {str(cache / root(RELEASE).name)}
    assert not list(cache.glob("*part"))


@pytest.fixture
def mirror(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[[str], None]]:
    """Archives that do what is told in shell, in place of Debian's, and an empty cache. `give` makes the release's root, whole."""
    ready, tools = root(MOVING), tmp_path / "tools"
    tools.mkdir()
    monkeypatch.setenv("PATH", str(tools), prepend=os.pathsep)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))

    def behave(script: str) -> None:
        shim = tools / "mmdebstrap"
        shim.write_text(f"""#!/bin/sh
            for word do case $word in *.part) target=$word ;; esac; done
            give() {{ cp -a {ready} "$target"; }}
            printf '%s\\n' "$*" >>{tmp_path}/asked; number=$(wc -l <{tmp_path}/asked)
            {script}""")
        shim.chmod(0o755)

    yield behave
    subprocess.run(["rm", "-rf", str(tmp_path / "fairlead")], check=True)


def test_a_root_whose_daemons_do_not_run_is_not_kept_and_another_is_made(
        mirror: Callable[[str], None], tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    """A library that was exchanged in Debian's archive would fail tests for as long as the cache lives."""
    mirror("""case $number in
        1) echo 'E: Failed to fetch http://m.example/pool/x.deb  404  Not Found' >&2; exit 100 ;;
        2) give; rm "$target/usr/sbin/slurmdbd"; printf '#!/bin/sh\\necho no such column >&2; exit 1\\n' >"$target/usr/sbin/slurmdbd"
           chmod 755 "$target/usr/sbin/slurmdbd" ;;
        *) give ;;
      esac""")
    made = root(MOVING)
    assert (made / "usr/sbin/slurmdbd").stat().st_size > BIG
    assert made.with_name(made.name + ".tar.zst").exists()
    first, again, other = (tmp_path / "asked").read_text().splitlines()
    assert first == again, "a mirror that is being brought up to date is asked once more"
    assert first != other, "what does not work is made of something else"
    said = capfd.readouterr().err
    assert "slurmdbd ended with 1: no such column" in said
    assert f"The Slurm {MOVING} root works, accounting too: libmariadb3 " in said


def test_where_nothing_works_a_sentence_says_so_and_nothing_is_kept(mirror: Callable[[str], None], tmp_path: Path) -> None:
    """A half root would be taken for a whole one by the next run."""
    mirror("echo 'E: Unable to locate package slurmctld' >&2; exit 100")
    with pytest.raises(BedError, match=r"makes no root with Slurm 26\.05 that works(?s:.*)Unable to locate package slurmctld"):
        root(MOVING)
    assert [path.name for path in (tmp_path / "fairlead/bed/roots").iterdir()] == [f"{MOVING}.lock"]


def test_a_root_with_another_release_than_the_wanted_is_refused() -> None:
    """A suite that is not yet stable goes on to the next release of Slurm, and a page would say of the old one what holds for the new."""
    with pytest.raises(BedError, match=r"Slurm 24\.11 was wanted, and the root has 'slurm-wlm 20\.11\."):
        prove("24.11", root("20.11"))


def test_an_unknown_release_is_refused() -> None:
    with pytest.raises(BedError, match=r"no Slurm release '17\.02'"):
        release_of("17.02")


def test_every_recipe_has_a_name_of_its_own() -> None:
    assert len({release.recipe for release in RELEASES.values()}) == len(RELEASES)


def test_the_cache_is_where_the_user_keeps_caches(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    assert roots_folder() == tmp_path / "fairlead/bed/roots"


@pytest.mark.parametrize(("file", "text", "url"), [
    pytest.param("sources.list", "deb http://mirror.example/debian bookworm main\n", "http://mirror.example/debian", id="one line"),
    pytest.param("sources.list", "deb [arch=amd64 signed-by=/k.gpg] https://a.example/debian/ sid main # x\n", "https://a.example/debian",
                 id="one line with options"),
    pytest.param("sources.list.d/debian.sources", "Types: deb\nURIs: http://b.example/debian\nSuites: trixie\n", "http://b.example/debian",
                 id="a stanza"),
    pytest.param("sources.list", "# deb http://old.example/debian bookworm main\n", DEFAULT_ARCHIVE, id="commented out"),
    pytest.param("sources.list", "deb http://s.example/debian-security bookworm-security main\n", DEFAULT_ARCHIVE, id="only security"),
    pytest.param("sources.list.d/other.list", "deb https://tool.example/apt stable main\n", DEFAULT_ARCHIVE, id="another vendor's"),
])
def test_packages_come_from_where_the_machine_takes_its_own(tmp_path: Path, file: str, text: str, url: str) -> None:
    (tmp_path / file).parent.mkdir(exist_ok=True)
    (tmp_path / file).write_text(text)
    assert archive_urls(tmp_path) == list(dict.fromkeys([url, DEFAULT_ARCHIVE, RETIRED, FROZEN])), "one that moved has others behind it"
