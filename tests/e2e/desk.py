"""A person at a shell, in a checkout: with Helm, kubectl, an SSH key and the examples. What they type is read out of the docs."""

import os
import re
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path

import yaml

from bed import helm
from bed.controlplane import binaries
from bed.login import LoginNode
from e2e.place import Place

CHECKOUT = Path(__file__).parents[2]
PATIENCE_SECONDS = 180


@dataclass(frozen=True, slots=True)
class Desk:
    """`place` and `namespace` are what kubectl speaks to when it is told nothing."""

    place: Place
    namespace: str
    folder: Path

    def set_up(self) -> None:
        """Lays everything out; the key is written with `key`, and examples are filled in with `fill_in`."""
        shutil.copytree(CHECKOUT / "examples", self.folder / "examples")
        (self.folder / "charts").symlink_to(CHECKOUT / "charts")
        (self.folder / "bin").mkdir()
        (self.folder / ".ssh").mkdir(mode=0o700)
        for name, program in (("helm", helm.ensure(self.place.bed)), ("kubectl", _kubectl(self.place))):
            (self.folder / "bin" / name).symlink_to(program)
        config = yaml.safe_load(self.place.kubeconfig.read_text())
        for each in config["contexts"]:
            each["context"]["namespace"] = self.namespace
        (self.folder / "kubeconfig").write_text(yaml.safe_dump(config))

    def key(self, private_key: str) -> None:
        """This is the person's key from now on."""
        (self.folder / ".ssh/id_ed25519").write_text(private_key)

    def fill_in(self, example: str, host: LoginNode) -> None:
        """Puts into an example's files what its comments ask for."""
        there = self.place.reach(host)
        _, kind, key = there.known_hosts.split()
        for path in (self.folder / "examples" / example).glob("*.yaml"):
            text = path.read_text().replace("HOST ssh-ed25519 KEY", f"HOST {kind} {key}").replace("user: USER", f"user: {host.user}")
            path.write_text(text.replace("HOST", there.host))

    def types(self, line: str, *, where: str = ".") -> str:
        """Runs a line in a folder of the checkout, as a shell does it; what it says. A line that fails fails the test."""
        env = {"PATH": f"{self.folder}/bin:{os.environ.get('PATH', os.defpath)}", "HOME": str(self.folder),
               "KUBECONFIG": str(self.folder / "kubeconfig"), **self.place.bed.env}
        done = subprocess.run(["sh", "-c", line], cwd=self.folder / where, env=env, stdin=subprocess.DEVNULL, capture_output=True,
                              text=True, timeout=PATIENCE_SECONDS, check=False)
        assert done.returncode == 0, f"`{line}`: {done.stderr.strip() or done.stdout.strip()}"
        return done.stdout


def lines(page: str, heading: str, block: int = 0) -> list[str]:
    """What a page of the docs says to type, in one of the blocks below a heading."""
    section = re.split(r"^## ", (CHECKOUT / "docs" / page).read_text().partition(f"\n## {heading}\n")[2], maxsplit=1, flags=re.MULTILINE)[0]
    found = re.findall(r"^```console\n(.*?)^```$", section, re.DOTALL | re.MULTILINE)
    return [line.removeprefix("$ ") for line in found[block].splitlines() if line.startswith("$ ")]


def comments(example: str) -> list[str]:
    """The commands for kubectl that an example's comments say."""
    texts = [path.read_text() for path in sorted((CHECKOUT / "examples" / example).glob("*.yaml"))]
    return [line.lstrip("# ") for text in texts for line in text.splitlines() if re.match(r"#\s+kubectl ", line)]


def _kubectl(place: Place) -> Path:
    found = shutil.which("kubectl")
    return Path(found) if found else binaries.provide(["kubectl"], place.bed)["kubectl"]
