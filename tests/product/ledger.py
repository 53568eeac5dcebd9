"""The controller's ledger as a person reads it: the ConfigMap beside its Lease."""

import json
from typing import Any

from product.scene import Scene

PATH = "/api/v1/namespaces/default/configmaps/fairlead-ledger"


def debts_of(scene: Scene) -> dict[str, dict[str, Any]]:
    """The debts of one scene's Jobs, by key."""
    found = (scene.api.get(PATH) or {}).get("data") or {}
    debts = {key: json.loads(text) for key, text in found.items()}
    return {key: debt for key, debt in debts.items() if debt["namespace"] == scene.namespace}
