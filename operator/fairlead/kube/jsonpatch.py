"""JSON Patch (RFC 6902), as far as we write it. The API server applies all operations of a patch, or none.

Measured on kube-apiserver 1.34: a `test` against null passes when the last step of the path is missing, and the whole patch fails (422
without causes) when an earlier step is missing. So "there is no status.run" takes two patches to ask: `/status` is null, or
`/status/run` is null.
"""

from typing import Any

CONTENT_TYPE = "application/json-patch+json"

Operation = dict[str, Any]


def pointer(*steps: str | int) -> str:
    """A JSON pointer (RFC 6901) from plain keys and indexes, escaped."""
    return "".join("/" + str(step).replace("~", "~0").replace("/", "~1") for step in steps)


def test(path: str, value: object) -> Operation:
    """Fail the whole patch unless the value at `path` equals `value`; None also stands for a missing last step."""
    return {"op": "test", "path": path, "value": value}


def add(path: str, value: object) -> Operation:
    """Set a key whether it is there or not; insert before an index; append with the index `-`."""
    return {"op": "add", "path": path, "value": value}


def remove(path: str) -> Operation:
    """Take a key or an index away; fails the patch when it is missing."""
    return {"op": "remove", "path": path}
