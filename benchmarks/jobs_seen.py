"""When each Job or Session of a namespace reached each point of its life, as any client sees it that watches the API server."""

import http.client
import json
import socket
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Any, Self
from urllib.parse import urlsplit

from bed.errors import BedError
from fairlead.kube.kubeconfig import from_kubeconfig
from product.api import GROUP


@dataclass(slots=True)
class Seen:
    """Epoch seconds at which a Job, or a Session, was first seen so; None: not yet."""

    submitted: float | None = None       # its status names the scheduler's id
    ready: float | None = None           # its condition Ready
    ended: float | None = None           # Complete or Failed
    released: float | None = None        # our finalizer is off it
    phase: str = ""
    gone: bool = False


class JobsSeen:
    """Watches the Jobs, or the Sessions, of one namespace in a thread, from the moment it is opened; a context manager."""

    def __init__(self, kubeconfig: Path, namespace: str, plural: str = "jobs") -> None:
        access = from_kubeconfig(str(kubeconfig))
        where = urlsplit(access.server)
        self._connection = http.client.HTTPSConnection(where.hostname or "", where.port, context=access.tls)
        self._path = f"{GROUP}/namespaces/{namespace}/{plural}?watch=1"
        self._what = plural
        self._thread = threading.Thread(target=self._follow, name=f"{plural} seen", daemon=True)
        self._changed = threading.Condition()
        self._closed = False
        self.jobs: dict[str, Seen] = {}

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self._closed = True
        with suppress(OSError, AttributeError):
            self._connection.sock.shutdown(socket.SHUT_RDWR)     # the thread's read ends
        self._thread.join(5)

    def until(self, what: str, names: list[str], reached: Callable[[Seen], object], seconds: float) -> None:
        """Wait until all of these have reached a point. Raises `BedError` when some have not after so many seconds."""
        deadline = time.monotonic() + seconds
        with self._changed:
            while left := [name for name in names if name not in self.jobs or not reached(self.jobs[name])]:
                if not self._changed.wait(1.0) and time.monotonic() > deadline:
                    raise BedError(f"{len(left)} of {len(names)} {self._what} are not {what} after {seconds:g} s: {left[:3]}")

    def _follow(self) -> None:
        """The API server ends a watch after half an hour: it is begun again, and tells first what is there."""
        while not self._closed:
            try:
                self._connection.request("GET", self._path)
                for line in self._connection.getresponse():
                    self._take(json.loads(line), time.time())
            except (OSError, ValueError, http.client.HTTPException):
                time.sleep(0.1)          # who waits for more runs out of time
            finally:
                self._connection.close()

    def _take(self, event: dict[str, Any], at: float) -> None:
        with self._changed:
            _note(self.jobs.setdefault(event["object"]["metadata"]["name"], Seen()), event, at)
            self._changed.notify_all()


def _note(seen: Seen, event: dict[str, Any], at: float) -> None:
    job = event["object"]
    status = job.get("status") or {}
    true = {each["type"] for each in status.get("conditions") or () if each["status"] == "True"}
    seen.phase = status.get("phase") or ""
    if seen.submitted is None and (status.get("run") or {}).get("id"):
        seen.submitted = at
    if seen.ready is None and "Ready" in true:
        seen.ready = at
    if seen.ended is None and true & {"Complete", "Failed"}:
        seen.ended = at
    if seen.ended and seen.released is None and not job["metadata"].get("finalizers"):
        seen.released = at
    seen.gone = event["type"] == "DELETED"
