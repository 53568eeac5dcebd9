"""One ConfigMap of ours as a small table of text, written by compare-and-set on its version and never replaced whole."""

from collections.abc import Callable, Mapping

from fairlead.domain.errors import Conflict, Unavailable
from fairlead.kube.client import MERGE_PATCH, KubeClient, path_of
from fairlead.kube.faults import NotFound

_TRIES = 8
LABELS = {"app.kubernetes.io/name": "fairlead", "app.kubernetes.io/managed-by": "fairlead"}

Entries = Mapping[str, str]
Changes = Mapping[str, str | None]
"""What to set, and with None what to take away."""


class ConfigMapTable:
    """The ConfigMap `namespace/name`, made when something is first written, and gone when its last entry is."""

    def __init__(self, client: KubeClient, namespace: str, name: str, labels: Mapping[str, str] | None = None) -> None:
        self._labels = LABELS | dict(labels or {})
        self._client = client
        self._namespace = namespace
        self._name = name
        self._folder = path_of("api", "v1", "namespaces", namespace, "configmaps")
        self._path = f"{self._folder}/{name}"

    def __str__(self) -> str:
        return f"ConfigMap {self._namespace}/{self._name}"

    async def read(self) -> Entries:
        """All entries; none if there is no ConfigMap yet. Raises `Unavailable`."""
        return (await self._read())[0]

    async def change(self, decide: Callable[[Entries], Changes]) -> Entries:
        """Write what `decide` says for the entries as they are, asking it again when somebody wrote in between; the entries after that.

        Raises `Unavailable`; `Conflict` when others write all the time; `ApiFault` when it would grow past the server's limit (1 MiB).
        """
        for attempt in range(1, _TRIES + 1):
            entries, version = await self._read()
            changes = decide(entries)
            after = {key: value for key, value in {**entries, **changes}.items() if value is not None}
            if not changes or (version is None and not after):   # an entry that came and went in one batch of changes
                return entries
            try:
                await (self._write(changes, version) if after else self._delete(version or ""))
            except Conflict:
                if attempt == _TRIES:
                    raise
                continue
            return after
        raise AssertionError("unreachable")

    async def _read(self) -> tuple[Entries, str | None]:
        try:
            found = await self._client.request("GET", self._path)
        except NotFound:
            return {}, None
        return dict(found.get("data") or {}), str(found["metadata"]["resourceVersion"])

    async def _delete(self, version: str) -> None:
        await self._client.request("DELETE", self._path, body={"preconditions": {"resourceVersion": version}})

    async def _write(self, changes: Changes, version: str | None) -> None:
        if version is None:
            data = {key: value for key, value in changes.items() if value is not None}
            fresh = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": self._name, "labels": self._labels}, "data": data}
            try:
                await self._client.request("POST", self._folder, body=fresh)
            except NotFound as error:
                raise Unavailable(f"The namespace {self._namespace} for {self} does not exist") from error
        else:
            change = {"metadata": {"resourceVersion": version}, "data": changes}
            await self._client.request("PATCH", self._path, body=change, content_type=MERGE_PATCH)
