"""The controller's ledger as a person reads it: a ConfigMap for each namespace, beside its Lease."""

import json
from typing import Any

from product.scene import Scene

FOLDER = "/api/v1/namespaces/default/configmaps"


def debts_of(scene: Scene, installation: str = "default") -> dict[str, dict[str, Any]]:
    """The debts of one scene's Jobs, by key; `installation` is the namespace of the controller's Lease."""
    found = (scene.api.get(f"/api/v1/namespaces/{installation}/configmaps/fairlead-ledger-{scene.namespace}") or {}).get("data") or {}
    return {key: json.loads(text) for key, text in found.items()}
