"""What is in the image, and what is not."""

import json
import os
import stat
import tomllib
from collections.abc import Iterator
from importlib.metadata import Distribution, distributions
from pathlib import Path

import pytest

from bed.image import context
from bed.image.opened import Opened
from generator.third_party import packages

MEGABYTE = 1_000_000
DOCUMENTS = "usr/share/doc/fairlead"
SITE = "opt/fairlead/lib/python3.13/site-packages"
SHELLS = ("sh", "bash", "dash", "busybox", "ash", "zsh", "csh")
TOOLS = ("pip", "pip3", "uv", "apt-get", "dpkg", "gcc", "curl", "wget", "perl")


def paths(root: Path) -> Iterator[Path]:
    for folder, names, files in os.walk(root):
        yield from (Path(folder) / name for name in (*names, *files))


def installed(inside: Opened) -> dict[str, Distribution]:
    return {each.metadata["Name"].lower().replace("_", "-"): each for each in distributions(path=[str(inside.root / SITE)])}


def test_is_small(inside: Opened) -> None:
    """A node pulls it within seconds."""
    assert inside.size_bytes < 150 * MEGABYTE


def test_runs_as_a_number_and_without_a_shell(inside: Opened) -> None:
    """Kubernetes refuses an image whose user is a name under `runAsNonRoot`; a form that needs a shell would not start."""
    config = inside.config["config"]
    assert config["User"] == "65532:65532"
    assert config["Entrypoint"] == ["/opt/fairlead/bin/fairlead"]
    assert not config.get("Volumes")
    names = {path.name for place in ("bin", "sbin", "usr/bin", "usr/sbin", "usr/local/bin", "opt/fairlead/bin")
             for path in (inside.root / place).glob("*")}
    assert names.isdisjoint((*SHELLS, *TOOLS))


def test_names_itself(inside: Opened) -> None:
    """Who finds it in a registry sees what it is, under which licence, and of which version."""
    labels = {name.removeprefix("org.opencontainers.image."): value for name, value in inside.config["config"]["Labels"].items()}
    assert labels["title"] == "Fairlead"
    assert labels["licenses"] == "Apache-2.0"
    assert labels["version"] == context.version() == installed(inside)["fairlead"].version
    assert {"description", "revision", "source", "base.name"} <= labels.keys()


def test_nobody_gets_more_rights_by_a_file(inside: Opened) -> None:
    """Neither a setuid program nor a file that anybody may write helps who has taken the process over."""
    modes = {path: path.lstat() for path in paths(inside.root)}
    assert [path for path, status in modes.items() if status.st_mode & (stat.S_ISUID | stat.S_ISGID)] == []
    writable = [path for path, status in modes.items() if status.st_mode & stat.S_IWOTH and not stat.S_ISLNK(status.st_mode)]
    assert [path for path in writable if not modes[path].st_mode & stat.S_ISVTX] == []
    own = [path for path in paths(inside.root / "opt") if path.lstat().st_uid or path.lstat().st_gid]
    assert own == [], "the program's user could change the program"


def test_its_user_can_read_all_of_the_program(inside: Opened) -> None:
    """A file that root alone can read would stop it where nobody looks."""
    closed = [path for path in paths(inside.root / "opt") if not path.is_symlink() and not path.stat().st_mode & stat.S_IROTH]
    assert closed == []


def test_nothing_of_the_build_stays(inside: Opened) -> None:
    """No cache, no history, no file of the machine that built it."""
    known = {str(path.relative_to(inside.root)) for path in paths(inside.root)}
    assert [name for name in known if name.endswith(("_history", ".whl", ".uv-lock"))] == []
    assert [name for name in known if "/.cache" in f"/{name}" or name.startswith(("build", "tools", "root/", "home/nonroot/"))] == []
    assert [name for name in known if name.startswith("tmp/")] == []
    known_to_all = {"PATH", "LANG", "SSL_CERT_FILE", "PYTHONUNBUFFERED", "PYTHONDONTWRITEBYTECODE"}
    assert {each.split("=")[0] for each in inside.config["config"]["Env"]} == known_to_all
    [own] = [each for each in installed(inside).values() if each.metadata["Name"] == "fairlead"]
    assert own.read_text("direct_url.json") is None, "it names a folder of the build"


def test_has_what_the_lock_names_and_nothing_more(inside: Opened) -> None:
    """What was tested is what runs: no package besides, none in another version."""
    lock = tomllib.loads((context.CHECKOUT / "uv.lock").read_text(encoding="utf-8"))
    locked = {each["name"]: each["version"] for each in lock["package"]}
    found = {name: each.version for name, each in installed(inside).items() if name != "fairlead"}
    assert found == {name: locked[name] for name in packages()}
    assert "torch" not in found


def test_lists_its_parts(inside: Opened) -> None:
    """Who must know whether a vulnerable package is in it reads that in a list that tools understand."""
    bill = json.loads((inside.root / DOCUMENTS / "sbom.cdx.json").read_text(encoding="utf-8"))
    assert bill["bomFormat"] == "CycloneDX"
    assert bill["metadata"]["component"]["name"] == "fairlead"
    listed = {each["name"].lower().replace("_", "-"): each["version"] for each in bill["components"]}
    assert {name: each.version for name, each in installed(inside).items() if name != "fairlead"}.items() <= listed.items()


def test_has_the_licences_of_all_that_is_in_it(inside: Opened) -> None:
    """Who passes the image on has to pass on these texts."""
    assert (inside.root / DOCUMENTS / "LICENSE").read_bytes() == (context.CHECKOUT / "LICENSE").read_bytes()
    page = (inside.root / DOCUMENTS / "THIRD_PARTY.md").read_text(encoding="utf-8")
    for name, each in installed(inside).items():
        files = [Path(str(file.locate())) for file in each.files or [] if "licen" in file.name.lower() and ".dist-info" in str(file)]
        assert files, f"{name} comes without its licence"
        assert all(file.stat().st_size for file in files)
        assert name == "fairlead" or f"| `{name}` |" in page
    assert "| `asyncssh` | EPL-2.0 OR GPL-2.0-or-later |" in page


def test_does_not_compile_at_each_start(inside: Opened) -> None:
    """On a read-only root bytecode that is missing, or is held to be old, costs a second of each start."""
    modules = [path for place in (f"{SITE}/fairlead", "usr/lib/python3.13/asyncio", "usr/lib/python3.13/email")
               for path in paths(inside.root / place) if path.suffix == ".py"]
    assert len(modules) > 50
    for module in modules:
        compiled = (module.parent / "__pycache__" / f"{module.stem}.cpython-313.pyc").read_bytes()
        assert compiled[4:8] == b"\x01\0\0\0", f"{module}: not of the kind that is believed without a look at the source (PEP 552)"


@pytest.mark.parametrize("place", ["opt", DOCUMENTS])
def test_times_in_it_are_the_release_s(inside: Opened, place: str) -> None:
    """Two builds of one commit are the same bytes."""
    times = {path.lstat().st_mtime for path in paths(inside.root / place)}
    assert len(times) == 1
