"""The Events of what is told beside a status that stays as it is: the same for all kinds of owners."""

from fairlead.api.v1alpha1.reasons import JobReason
from fairlead.domain.objects import EventNote
from fairlead.domain.run import news as said
from fairlead.domain.run.watched import WatchedOwner


def events(owner: WatchedOwner, news: said.Aside) -> tuple[EventNote, ...]:
    """One Event each."""
    match news:
        case said.Duplicated(others):
            why = f"jobs {', '.join(others)} carry this attempt too and cannot run it: cancelled"
            return (EventNote("Warning", JobReason.DUPLICATE, why, "Cancel"),)
        case said.ToldToEnd(ids, why):
            return (EventNote("Normal", JobReason.CANCELLING, f"told to end: {ids}" + (f" ({why})" if why else ""), "Cancel"),)
        case said.LeftAlone(what):
            return (EventNote("Normal", JobReason.ORPHANED, f"left alone on the cluster: {what}", "Release"),)
        case said.LetGo(why, key, cluster):
            return (EventNote("Warning", JobReason.LET_GO, (
                f"{why}; deletionDeadlineSeconds ({owner.deletion_deadline_seconds} s) are over, so the {owner.kind} goes. What it may "
                f"have left there is written down as {key}, and cleaned up when Cluster {cluster} answers"
            ), "Delete"),)
