"""What `fairlead installation` waits for before it says a name."""

import asyncio

import pytest

from fairlead.cli import installation


@pytest.mark.parametrize(("seconds", "name"), [(60.0, "institute"), (0.0, None)])
def test_a_name_that_is_being_written_is_waited_for(monkeypatch: pytest.MonkeyPatch, seconds: float, name: str | None) -> None:
    """`helm test` right behind an install would call an installation nameless that works."""
    said = iter([None, None, "institute"])

    async def known_name(client: object, namespace: str) -> str | None:
        return next(said)

    monkeypatch.setattr(installation, "known_name", known_name)
    monkeypatch.setattr(installation, "LOOK_SECONDS", 0.0)
    assert asyncio.run(installation._until(lambda: installation.known_name(None, "here"), bool, seconds)) == name   # type: ignore[arg-type]
