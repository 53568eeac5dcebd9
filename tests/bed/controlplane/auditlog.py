"""The API server's audit log: who asked for what, without bodies. API writes are counted from it."""

import json
from pathlib import Path
from typing import TypedDict

POLICY = """\
apiVersion: audit.k8s.io/v1
kind: Policy
omitStages: [RequestReceived]
rules:
- level: None
  nonResourceURLs: ["/readyz*", "/livez*", "/healthz*"]
- level: Metadata
"""


class AuditUser(TypedDict, total=False):
    """Who asked."""

    username: str
    groups: list[str]


class AuditObject(TypedDict, total=False):
    """What was asked for."""

    resource: str
    subresource: str
    apiGroup: str
    apiVersion: str
    namespace: str
    name: str
    uid: str


class AuditStatus(TypedDict, total=False):
    """How it was answered; `code` is HTTP's."""

    code: int
    reason: str
    message: str


class AuditEvent(TypedDict, total=False):
    """One line of the log, with the fields of audit.k8s.io/v1 that tests ask for (at level Metadata there are no bodies)."""

    auditID: str
    stage: str
    verb: str
    requestURI: str
    user: AuditUser
    userAgent: str
    objectRef: AuditObject
    responseStatus: AuditStatus
    annotations: dict[str, str]
    requestReceivedTimestamp: str
    stageTimestamp: str


def read(log: Path) -> list[AuditEvent]:
    """All whole lines so far, in the order in which they were answered; a line that is still being written is left for the next call."""
    if not log.exists():
        return []
    whole = log.read_bytes().rpartition(b"\n")[0]
    return [json.loads(line) for line in whole.splitlines()]
