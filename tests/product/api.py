"""The API server as a test asks it, over one kept connection: a kubectl process for each look would take longer than what is looked at."""

import http.client
import json
import time
from pathlib import Path
from typing import Any, Final
from urllib.parse import urlencode, urlsplit

from fairlead.kube.kubeconfig import from_kubeconfig

GROUP = "/apis/fairlead.dev/v1alpha1"
_NOT_NOW: Final = 429                # a server that has just begun, or a definition that was changed: its store is being made
_PATIENCE_SECONDS: Final = 60.0
_NOT_YET: Final = 504                # its memory has not caught up


class Api:
    """Blocking requests as the kubeconfig's user. `lasts`: the cluster outlives the tests, so that what they make there has to go."""

    def __init__(self, kubeconfig: Path, *, lasts: bool = True) -> None:
        self.lasts = lasts
        access = from_kubeconfig(str(kubeconfig))
        where = urlsplit(access.server)
        self._connection = http.client.HTTPSConnection(where.hostname or "", where.port, timeout=30, context=access.tls)
        self._seen: dict[str, int] = {}

    def request(self, method: str, path: str, body: Any = None, content_type: str = "application/json") -> tuple[int, Any]:
        """The HTTP status and the answer's JSON. A connection that the server closed is made again once; "later" is waited for."""
        data = None if body is None else json.dumps(body, ensure_ascii=False).encode()   # YAML reads no surrogate escapes
        deadline = time.monotonic() + _PATIENCE_SECONDS
        while True:
            status, answer = self._asked(method, path, data, content_type)
            if status != _NOT_NOW or time.monotonic() > deadline:
                return status, answer
            time.sleep(0.2)

    def _asked(self, method: str, path: str, data: bytes | None, content_type: str) -> tuple[int, Any]:
        for last in (False, True):
            try:
                self._connection.request(method, path, data, {"Content-Type": content_type, "Accept": "application/json"})
                answer = self._connection.getresponse()
                return answer.status, json.loads(answer.read() or b"null")
            except (http.client.HTTPException, OSError):
                self._connection.close()
                if last:
                    raise
        raise AssertionError("the loop above returns or raises")

    def get(self, path: str, *, cached: bool = False) -> Any | None:
        """The object at `path`, None if there is none.

        `cached`: as the server has it in memory, for half the work: a moment old, but no older than what was seen here before.
        """
        status, answer = self.request("GET", f"{path}?resourceVersion={self._seen.get(_kind(path), 0)}" if cached else path)
        if cached and status == _NOT_YET:
            status, answer = self.request("GET", path)
        if status == 404:
            return None
        if status != 200:
            raise AssertionError(f"GET {path}: {status} {answer}")
        return self._noted(path, answer)

    def apply(self, path: str, manifest: dict[str, Any]) -> Any:
        """Server-side apply, as Argo CD does it; the object as it is then."""
        query = urlencode({"fieldManager": "test", "force": "true"})
        status, answer = self.request("PATCH", f"{path}?{query}", manifest, "application/apply-patch+yaml")
        if status not in {200, 201}:
            raise AssertionError(f"apply {path}: {status} {answer}")
        return self._noted(path, answer)

    def merge(self, path: str, patch: dict[str, Any], subresource: str = "") -> Any:
        """A merge patch by hand, as a person might send it."""
        status, answer = self.request("PATCH", path + subresource, patch, "application/merge-patch+json")
        if status != 200:
            raise AssertionError(f"patch {path}: {status} {answer}")
        return self._noted(path, answer)

    def delete(self, path: str) -> None:
        """Ask for deletion; a missing object is fine."""
        status, answer = self.request("DELETE", path)
        if status not in {200, 202, 404}:
            raise AssertionError(f"DELETE {path}: {status} {answer}")

    def close(self) -> None:
        """Close the connection."""
        self._connection.close()

    def _noted(self, path: str, answer: Any) -> Any:
        """The same answer; the newest version of an object of its kind is remembered. (A list's version may be that of another kind.)"""
        metadata = answer["metadata"]
        if "name" in metadata:
            self._seen[_kind(path)] = max(int(metadata["resourceVersion"]), self._seen.get(_kind(path), 0))
        return answer


def _kind(path: str) -> str:
    """The plural in an object's path."""
    return path.split("/")[-2]
