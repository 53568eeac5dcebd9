"""Which namespaces something is open to, as Kubernetes says it: by itself, or by labels."""

from __future__ import annotations

from typing import Annotated, Final, Literal

from pydantic import Field

from fairlead.api.v1alpha1.meta import ApiModel
from fairlead.api.v1alpha1.schema import Rule, marks

LabelText = Annotated[str, Field(max_length=317)]
_WITH_VALUES: Final = Rule(
    "self.all(each, (each.operator in ['In', 'NotIn']) == (has(each.values) && size(each.values) > 0))",
    "write values with the operators In and NotIn, and none with Exists and DoesNotExist",
)


class LabelRequirement(ApiModel):
    """One requirement on a label."""

    key: LabelText
    """The label's key."""
    operator: Literal["In", "NotIn", "Exists", "DoesNotExist"]
    """How the label's value is compared. NotIn and DoesNotExist hold also where there is no such label."""
    values: tuple[LabelText, ...] = Field(default=(), max_length=64)
    """The values for In and NotIn."""


class LabelSelector(ApiModel):
    """Labels that are asked for; all requirements must hold, and an empty selector matches everything."""

    match_labels: dict[str, LabelText] = Field(default_factory=dict, max_length=64)
    """Labels with exactly these values."""
    match_expressions: tuple[LabelRequirement, ...] = Field(default=(), max_length=64, json_schema_extra=marks(_WITH_VALUES))
    """Further requirements."""


class AllowedNamespaces(ApiModel):
    """From which namespaces Jobs may refer to a Cluster. Its own is always one of them."""

    from_: Literal["Same", "All", "Selector"] = Field(default="Same", alias="from")
    """Same: from the Cluster's own. All: from any. Selector: from those whose labels `selector` matches, too."""
    selector: LabelSelector | None = None
    """Which labels a namespace must have, with `from: Selector`."""


ONE_OF_BOTH: Final = Rule(
    "(has(self.from) && self.from == 'Selector') == has(self.selector)",
    "write a selector with from: Selector, and only then",
)
"""The rule of a field of type AllowedNamespaces."""
