"""Marks on a model's fields from which the CRD's rules are made.

A rule's message is a sentence for the person who wrote the manifest: it says what to write. The expressions are CEL as the API server
runs it: https://kubernetes.io/docs/reference/using-api/cel/ (regular expressions are RE2, which Python's ``re`` also reads).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from pydantic import JsonValue

VALIDATIONS: Final = "x-kubernetes-validations"
LIST_TYPE: Final = "x-kubernetes-list-type"
LIST_MAP_KEYS: Final = "x-kubernetes-list-map-keys"
INT_OR_STRING: Final = "x-kubernetes-int-or-string"
IMMUTABLE: Final = "x-fairlead-immutable"
"""Ours, gone from the finished CRD: the sentence of the rule that its parent object gets for this field."""

NO_NUL: Final = r"!self.contains('\x00')"
ONE_LINE: Final = r"^[^\x00-\x1f\x7f]+$"
ONE_WORD: Final = r"^[^\x00-\x20\x7f]+$"


@dataclass(frozen=True, slots=True)
class Rule:
    """One validation: a CEL expression that must be true, and the sentence for when it is not."""

    expression: str
    sentence: str
    field_path: str = ""

    def as_json(self) -> dict[str, JsonValue]:
        """Give the entry of x-kubernetes-validations."""
        path: dict[str, JsonValue] = {"fieldPath": self.field_path} if self.field_path else {}
        return {"rule": self.expression, "message": self.sentence, **path}


def matches(pattern: str, sentence: str) -> Rule:
    """Make the rule that a string matches `pattern`; a CEL rule, since the message of a plain `pattern` is the pattern."""
    return Rule(f"self.matches(r'{pattern}')", sentence)


def marks(
    *rules: Rule, fixed: str = "", keys: tuple[str, ...] = (), is_set: bool = False, int_or_string: bool = False
) -> dict[str, JsonValue]:
    """Put a field's rules and kinds into the form that pydantic's `json_schema_extra` takes.

    `fixed` is the sentence for a change after creation, `keys` makes a list a map by these fields, `is_set` a list of unique values.
    """
    found: dict[str, JsonValue] = {}
    if rules:
        found[VALIDATIONS] = [rule.as_json() for rule in rules]
    if fixed:
        found[IMMUTABLE] = fixed
    if keys:
        found |= {LIST_TYPE: "map", LIST_MAP_KEYS: list(keys)}
    if is_set:
        found[LIST_TYPE] = "set"
    if int_or_string:
        found[INT_OR_STRING] = True
    return found
