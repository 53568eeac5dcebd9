"""The table of options that Fairlead owns is read by the CRD and by the schedulers alike."""

import pytest

from fairlead.api.v1alpha1.job import JobSpec
from fairlead.api.v1alpha1.owned_options import BY_LETTER, BY_NAME, OWNED_OPTIONS, Treatment

FIELDS = {field.alias for field in JobSpec.model_fields.values()}


def test_no_name_or_letter_twice():
    """Which of two reasons a user gets would depend on chance."""
    assert len(BY_NAME) == len(OWNED_OPTIONS)
    assert len(BY_LETTER) == sum(1 for option in OWNED_OPTIONS if option.letter)


@pytest.mark.parametrize("option", [pytest.param(each, id=each.name) for each in OWNED_OPTIONS if each.field])
def test_field_exists(option):
    """A user would be sent to a field that the API server does not know."""
    assert option.field in FIELDS
    assert f"spec.{option.field}" in option.sentence


@pytest.mark.parametrize("name", ["requeue", "array", "export", "wrap", "parsable", "clusters", "hold"])
def test_refused_in_directives(name):
    """A script's #SBATCH line could break what Fairlead finds its jobs by."""
    assert BY_NAME[name].directive is Treatment.REFUSED


@pytest.mark.parametrize(("letter", "name"), [
    ("p", "partition"), ("J", "job-name"), ("o", "output"), ("a", "array"), ("t", "time"), ("D", "chdir"),
])
def test_letters(letter, name):
    """The short form of an owned option would slip through."""
    assert BY_LETTER[letter].name == name
