"""When a user's script is refused before it reaches the cluster.

sbatch refuses a file without ``#!``, with a byte-order mark, with Windows line ends or without content. Fairlead hands Slurm a wrapper
instead of the user's file, so it has to refuse the same four itself: an empty script would otherwise count as a success.
The API server applies RULES to ``spec.script``; a script from a ConfigMap goes through `script_fault`.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from fairlead.api.v1alpha1.schema import NO_NUL, Rule

SCRIPT_LIMIT_BYTES: Final = 1_048_576
"""1 MiB: etcd takes requests of 1.5 MiB, and the status and escaped line ends need room beside the script."""

_BYTE_ORDER_MARK: Final = "\ufeff"
_CHECKS: Final[tuple[tuple[Callable[[str], bool], Rule], ...]] = (
    (
        lambda text: bool(text.strip()),
        Rule(r"self.matches(r'\S')", "the script is empty: write #!/bin/bash as its first line and the commands below"),
    ),
    (
        lambda text: not text.startswith(_BYTE_ORDER_MARK),
        Rule(r"!self.startsWith('\ufeff')", "the script starts with a byte-order mark: save it as UTF-8 without BOM"),
    ),
    (
        lambda text: "\r\n" not in text,
        Rule(r"!self.contains('\r\n')", "the script has Windows line ends (CR LF): write plain line feeds, for example by dos2unix"),
    ),
    (
        lambda text: not text.strip() or text.removeprefix(_BYTE_ORDER_MARK).startswith("#!"),
        Rule(
            r"!self.matches(r'\S') || self.startsWith('#!') || self.startsWith('\ufeff#!')",
            "the script names no interpreter: write its first line as #!/bin/bash, or whichever program is to read it",
        ),
    ),
    (lambda text: "\0" not in text, Rule(NO_NUL, "the script holds a NUL character, which no shell can read: remove it")),
    (
        lambda text: len(text.encode(errors="surrogatepass")) <= SCRIPT_LIMIT_BYTES,
        Rule(
            f"size(bytes(self)) <= {SCRIPT_LIMIT_BYTES}",
            "the script is larger than 1 MiB of UTF-8, more than Kubernetes can keep in an object (a ConfigMap holds no more): "
            "copy the bulk to the cluster and let the script call it there",
        ),
    ),
)
RULES: Final = tuple(rule for _, rule in _CHECKS)


def script_fault(text: str) -> str | None:
    """Say in one sentence why this script is refused; None if it may be submitted."""
    return next((rule.sentence for passes, rule in _CHECKS if not passes(text)), None)
