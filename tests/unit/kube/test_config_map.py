"""A ConfigMap as a table, on a server that remembers what was written."""

from dataclasses import dataclass, field
from typing import Any

from fairlead.kube.config_map import ConfigMapTable
from fairlead.kube.faults import NotFound


@dataclass
class NoConfigMaps:
    """An API server on which there are none; it takes every write and remembers it."""

    writes: list[tuple[str, str]] = field(default_factory=list)

    async def request(self, method: str, path: str, **_: Any) -> dict[str, Any]:
        """Nothing is there to be read."""
        if method == "GET":
            raise NotFound(path)
        self.writes.append((method, path))
        return {}


async def test_an_entry_that_comes_and_goes_at_once_makes_no_config_map() -> None:
    """Else a namespace that owed something for a moment would have an empty ConfigMap for ever, which nobody takes away."""
    server = NoConfigMaps()
    table = ConfigMapTable(server, "default", "ledger")  # type: ignore[arg-type]
    assert await table.change(lambda _: {"key": None}) == {}
    assert server.writes == []
    assert await table.change(lambda _: {"key": None, "other": "text"}) == {"other": "text"}
    assert [method for method, _ in server.writes] == ["POST"]
