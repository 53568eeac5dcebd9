"""Which API server a person means."""

import os
from pathlib import Path
from typing import Final

from fairlead.domain.errors import UserFault

DEFAULT_KUBECONFIG: Final = Path("~/.kube/config")


def kubeconfig_file(named: str | None) -> str | None:
    """The file to use: the one that is named, else a person's own if it is there, else none (a pod's service account).

    Raises `UserFault` when several are named.
    """
    if named and os.pathsep in named:
        raise UserFault(f"KUBECONFIG names several files ({named}): name the one to use with --kubeconfig")
    own = DEFAULT_KUBECONFIG.expanduser()
    return named or (str(own) if own.exists() else None)
