"""What a namespace can do at its worst, by nothing but Clusters, Secrets and Jobs of its own."""

import base64
import socket
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from typing import Any, Final

import asyncssh

from bed.sshdconf import KeyPair
from product.api import GROUP
from product.scene import Scene

_PINS: Final[Mapping[str, str]] = {"knownHosts": f"127.0.0.1 {KeyPair.generate().public}"}


@contextmanager
def silent_hosts(count: int) -> Iterator[list[int]]:
    """Ports on which connections are taken, and nothing is ever said."""
    with ExitStack() as stack:
        sockets = [stack.enter_context(socket.create_server(("127.0.0.1", 0), backlog=512)) for _ in range(count)]
        yield [each.getsockname()[1] for each in sockets]


def slow_key(rounds: int) -> str:
    """A key that asks for so many rounds to be opened, made without doing them: no passphrase opens it, which shows after them."""
    text = asyncssh.generate_private_key("ssh-ed25519").export_private_key("openssh", passphrase="x", rounds=1, ignore_few_rounds=True)
    body = base64.b64decode(b"".join(text.split(b"\n")[1:-2]))
    place = body.index(b"bcrypt") + len(b"bcrypt") + 4 + 4 + 16
    body = body[:place] + rounds.to_bytes(4, "big") + body[place + 4:]
    return f"-----BEGIN OPENSSH PRIVATE KEY-----\n{base64.encodebytes(body).decode()}-----END OPENSSH PRIVATE KEY-----\n"


def login(scene: Scene, name: str, port: int, secret: str, **spec: Any) -> None:
    """A Cluster of its own that leads there."""
    whole = {"type": "Slurm", "endpoints": [{"host": "127.0.0.1", "port": port}], "user": "user", "authSecretRef": {"name": secret},
             "hostKeys": _PINS, **spec}
    scene.api.apply(f"{GROUP}/namespaces/{scene.namespace}/clusters/{name}",
                    {"apiVersion": "fairlead.dev/v1alpha1", "kind": "Cluster", "metadata": {"name": name}, "spec": whole})


def slow_logins(scene: Scene, port: int, rounds: int, count: int) -> None:
    """Clusters whose keys are slow to open."""
    for number in range(count):
        scene.secret(f"slow-{number}", ssh_privatekey=slow_key(rounds), passphrase="wrong")
        login(scene, f"slow-{number}", port, f"slow-{number}")
