"""What a preset stands for: the program that it looks for on the node, with which options, and how one sees that it asks for its token."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from importlib import resources
from types import MappingProxyType
from typing import Final

from fairlead.api.v1alpha1 import names

LOOPBACK: Final = "127.0.0.1"
ALL_ADDRESSES: Final = "*"


@dataclass(frozen=True, slots=True)
class Preset:
    """One of them."""

    starts: str                      # shell: finds the program in PATH and becomes it, with the arguments that it is given
    options: Callable[[int, str, bool], tuple[str, ...]]    # for a port, an address, and whether there is a token
    token_variable: str              # in which the program looks for its token
    guarded_path: str                # refused with 401 or 403 without the token, answered with 200 with it

    def command(self, port: int, *, from_its_node: bool, has_token: bool) -> tuple[str, ...]:
        """The program with its arguments. `from_its_node`: whoever comes to it does so from its own node, and needs no other address."""
        address = LOOPBACK if from_its_node else ALL_ADDRESSES
        return ("/bin/sh", "-c", self.starts, "preset", *self.options(port, address, has_token))


def _of_jupyter(port: int, address: str, has_token: bool) -> tuple[str, ...]:
    """Jupyter's own words, as releases 1 and 2 of its server know them. The token is in its environment.

    It is reached by the Service's name, which it would refuse as one that it does not know. Without a token of ours it would make one, and
    print it.
    """
    return ("--no-browser", f"--ServerApp.ip={address}", f"--ServerApp.port={port}", "--ServerApp.port_retries=0",
            "--ServerApp.allow_remote_access=True", *(() if has_token else ("--ServerApp.token=",)))


def _text(file: str) -> str:
    return resources.files(__package__).joinpath(file).read_text(encoding="utf-8")


PRESETS: Final[Mapping[str, Preset]] = MappingProxyType({
    "Jupyter": Preset(_text("jupyter.sh"), _of_jupyter, names.JUPYTER_TOKEN_VARIABLE, "/api/status"),
})
"""All of them, by their names in `application.preset`."""
