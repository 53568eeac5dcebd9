"""Which API server a person means."""

import os
from typing import Final

from fairlead.domain.errors import UserFault

DEFAULT_KUBECONFIG: Final = "~/.kube/config"


def kubeconfig_file(named: str | None) -> str | None:
    """The file to use: the one that is named, else a person's own if it is there, else none (a pod's service account).

    Raises `UserFault` when several are named.
    """
    if named and os.pathsep in named:
        raise UserFault(f"KUBECONFIG names several files ({named}): name the one to use with --kubeconfig")
    own = os.path.expanduser(DEFAULT_KUBECONFIG)  # noqa: PTH111  pathlib raises where nobody knows a home, and below one it may not enter
    return named or (own if os.path.exists(own) else None)  # noqa: PTH110
