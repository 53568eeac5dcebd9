"""The page of conditions: their types and reasons with what each says."""

from fairlead.api.v1alpha1.reasons import ClusterCondition, ClusterReason, JobCondition, JobReason, Word
from generator.markdown import code, table

INTRODUCTION = """# Conditions and their reasons

The state of every object is in its conditions. Each has a type, a status (True, False or Unknown), a reason in one word, and a message that
says what was seen and what to do. Reasons are never renamed, so an alert may name one.
[Troubleshooting](../troubleshooting.md) says what to do about those that need a person.
"""


def page() -> str:
    """The whole page."""
    parts = [INTRODUCTION]
    kinds: tuple[tuple[str, type[Word], type[Word]], ...] = (("Cluster", ClusterCondition, ClusterReason), ("Job", JobCondition, JobReason))
    for kind, conditions, reasons in kinds:
        parts += [f"## {kind}: conditions\n", _words("Condition", conditions), f"## {kind}: reasons\n", _words("Reason", reasons)]
    return "\n".join(parts)


def _words(head: str, words: type[Word]) -> str:
    return table([head, "What it says"], [[code(str(each)), each.meaning] for each in words])
