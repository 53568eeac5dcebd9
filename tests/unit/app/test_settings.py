"""The settings file: what it does not say keeps its default, in each section its own; what is wrong ends with a sentence."""

import pytest
import yaml

from fairlead.app.settings import Settings, load
from fairlead.domain.errors import UserFault


@pytest.mark.parametrize(("text", "section"), [
    ("gateway_lease: {duration_seconds: 9}", "gateway_lease"),
    ("tunnels: {pool: {connections: 7}}", "tunnels"),
    ("gateway: {ports: {tries: 3}, door: {streams: 9}, way: {look_seconds: 5}}", "gateway"),
    ("lease: {duration_seconds: 30}", "lease"),
    ("ssh: {connections: 7}", "ssh"),
], ids=["a gateway's Lease", "a gateway's connections", "a gateway", "the controller's Lease", "the controller's connections"])
def test_what_a_section_does_not_say_keeps_its_own_default(tmp_path, text, section):
    """Else who changes one time of a gateway would get the controller's for all others."""
    (tmp_path / "settings.yaml").write_text(text)
    found, usual = load(tmp_path / "settings.yaml"), Settings()
    assert dict(changes(getattr(usual, section), getattr(found, section))) == dict(said(text))
    assert found.model_copy(update={section: getattr(usual, section)}) == usual


def changes(usual, found, path=""):
    """What differs, by its name and those of the sections around it."""
    for name in type(usual).model_fields if hasattr(type(usual), "model_fields") else usual.__dataclass_fields__:
        before, after = getattr(usual, name), getattr(found, name)
        if hasattr(before, "__dataclass_fields__"):
            yield from changes(before, after, f"{path}{name}.")
        elif before != after:
            yield f"{path}{name}", after


def said(text):
    """What the file says, in the same way."""
    def walk(content, path=""):
        for name, value in content.items():
            yield from walk(value, f"{path}{name}.") if isinstance(value, dict) else [(f"{path}{name}", value)]

    [content] = yaml.safe_load(text).values()
    return walk(content)


@pytest.mark.parametrize(("text", "words"), [
    ("gateway: {door: {steams: 3}}", "gateway.door has no setting 'steams'; it has backlog"),
    ("tunnels: {pool: {loks: 3}}", "tunnels.pool has no setting 'loks'; it has age_seconds"),
    ("gateway: {way: {pauses_seconds: []}}", "gateway.way.pauses_seconds"),
    ("gateway_lease: {duration_seconds: 1}", "gateway_lease.duration_seconds"),
], ids=["a name of a door", "a name of the connections", "no pause", "a Lease that nobody could renew in time"])
def test_what_is_wrong_is_said_with_its_place(tmp_path, text, words):
    """Else a misspelt time would be passed over, and its default used."""
    (tmp_path / "settings.yaml").write_text(text)
    with pytest.raises(UserFault) as fault:
        load(tmp_path / "settings.yaml")
    assert words in str(fault.value)
