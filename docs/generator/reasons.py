"""The page of conditions: their types, and their reasons with what each says, what to do, and what GitOps tools make of it."""

from collections.abc import Mapping

from fairlead.api.v1alpha1.reasons import ClusterCondition, ClusterReason, JobCondition, JobReason, SessionCondition, SessionReason, Word
from generator import next_steps, tool_words
from generator.markdown import code, table
from generator.tool_words import ToolWords

INTRODUCTION = """# Conditions and their reasons

The state of every object is in its conditions. Each has a type, a status (True, False or Unknown), a reason in one word, and a message that
says what was seen and what to do. Reasons are never renamed, so an alert may name one.
[Troubleshooting](../troubleshooting.md) says more about those that need a person.

The last two columns are what Argo CD and Flux say of an object whose condition `Ready` has this reason: see [GitOps](../gitops.md). They
are empty for a reason that stands in other conditions or in Events alone. An object that is being deleted is `Progressing` and
`Terminating`, whatever its reason. Of two words the first is said at first: of a new Cluster, the second of one that was ready;
of a Job that is suspended, until what runs has ended.
"""
SESSION_REASONS = """## Session: reasons

These are a Session's own. Of its way to the cluster, its queue and its end it says a Job's.
"""


def page() -> str:
    """The whole page."""
    return "\n".join([
        INTRODUCTION,
        "## Cluster: conditions\n", _conditions(ClusterCondition),
        "## Cluster: reasons\n", _reasons(ClusterReason, next_steps.CLUSTER, tool_words.CLUSTER),
        "## Job: conditions\n", _conditions(JobCondition),
        "## Job: reasons\n", _reasons(JobReason, next_steps.JOB, tool_words.JOB),
        "## Session: conditions\n", _conditions(SessionCondition),
        SESSION_REASONS, _steps(SessionReason, next_steps.SESSION),
    ])


def _conditions(kinds: type[Word]) -> str:
    return table(["Condition", "What it says"], [[code(str(each)), each.meaning] for each in kinds])


def _steps(reasons: type[Word], steps: Mapping[Word, str]) -> str:
    return table(["Reason", "What it says", "What to do"], [[code(str(each)), each.meaning, steps[each]] for each in reasons])


def _reasons(reasons: type[Word], steps: Mapping[Word, str], words: Mapping[Word, ToolWords]) -> str:
    rows = []
    for reason in reasons:
        said = words.get(reason, ToolWords((), ()))
        rows.append([code(str(reason)), reason.meaning, steps[reason], ", ".join(said.argo_cd), ", ".join(said.flux)])
    return table(["Reason", "What it says", "What to do", "Argo CD", "Flux"], rows)
