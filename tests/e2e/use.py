"""What tests here do with an installation: Jobs that tell how often they ran, and the examples as a person fills them in."""

from collections.abc import Callable
from pathlib import Path

import yaml

from bed.login import LoginNode
from e2e.place import Place
from product.scene import Scene, Thing

EXAMPLES = Path(__file__).parents[2] / "examples"
COUNTED = "#!/bin/bash\necho started >>~/{name}.starts\nuntil [ -e ~/{name}.go ]; do sleep 0.2; done\necho whole\n"

Cluster = Callable[..., Thing]
"""Makes a Cluster of a test's namespace for a login node: `cluster(host, name)`."""


class Counted:
    """A Job that says each of its starts in a file, and ends when it is let go: so that what happens meanwhile shows."""

    def __init__(self, scene: Scene, host: LoginNode, name: str, cluster: str = "hpc") -> None:
        self._starts, self._go = host.home / f"{name}.starts", host.home / f"{name}.go"
        for path in (self._starts, self._go):
            path.unlink(missing_ok=True)
        self.thing = scene.job(name, COUNTED.format(name=name), cluster=cluster)
        self.thing.wait("Running", seconds=40)
        self._id = self.thing.status["run"]["id"]

    def ends_well(self) -> None:
        """Lets it go: it was one Run from its begin, and its end is told."""
        self._go.touch()
        status = self.thing.wait_ended(60)
        assert self.thing.condition("Complete").get("status") == "True", status
        assert (status["run"]["id"], self._starts.read_text()) == (self._id, "started\n")
        assert status["logs"]["tail"] == "whole\n"


def filled_in(example: str, host: LoginNode, place: Place) -> str:
    """An example's files as a person fills them in."""
    there = place.reach(host)
    text = "\n---\n".join(path.read_text() for path in sorted((EXAMPLES / example).glob("*.yaml")))
    _, kind, key = there.known_hosts.split()
    text = text.replace("HOST ssh-ed25519 KEY", f"HOST {kind} {key}").replace("user: USER", f"user: {host.user}")
    return text.replace("HOST", there.host)


def applied(scene: Scene, place: Place, manifests: str) -> list[Thing]:
    """As `kubectl apply -f` does it; the Jobs in it."""
    place.kubectl(f"--namespace={scene.namespace}", "apply", "--filename=-", input=manifests)
    return [Thing(scene, "jobs", each["metadata"]["name"]) for each in yaml.safe_load_all(manifests) if each["kind"] == "Job"]
