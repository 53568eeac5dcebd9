"""Conditions as Kubernetes means them: one for each type, `lastTransitionTime` moves only when the status does."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime

from fairlead.api.v1alpha1.meta import Condition
from fairlead.api.v1alpha1.texts import LATEST_TIME, clean

MESSAGE_LIMIT = 1024


@dataclass(frozen=True, slots=True)
class Says:
    """What one condition is to say. `status` None stands for Unknown."""

    type: str
    status: bool | None
    reason: str
    message: str = ""


def moment(epoch_seconds: float) -> datetime:
    """Epoch seconds as the API writes times: UTC, whole seconds, within the years that it has a word for (1970 to 9999)."""
    return datetime.fromtimestamp(int(min(max(epoch_seconds, 0), LATEST_TIME)), UTC)


def told(conditions: Iterable[Condition], says: Iterable[Says], wall: float, generation: int) -> tuple[Condition, ...]:
    """`conditions` with each of `says` in it. An unchanged status keeps its transition time, an unchanged condition stays as it is."""
    by_type = {each.type: each for each in conditions}
    for each in says:
        word = "Unknown" if each.status is None else "True" if each.status else "False"
        old = by_type.get(each.type)
        message = clean(each.message, MESSAGE_LIMIT)
        if old and (old.status, old.reason, old.message) == (word, each.reason, message):
            continue
        since = old.last_transition_time if old and old.status == word else moment(wall)
        by_type[each.type] = Condition.model_validate({
            "type": each.type, "status": word, "reason": each.reason, "message": message,
            "last_transition_time": since, "observed_generation": generation,
        })
    return tuple(by_type[kind] for kind in sorted(by_type))


def is_true(conditions: Iterable[Condition], kind: str) -> bool:
    """Whether the condition of this type is there and True."""
    return any(each.type == kind and each.status == "True" for each in conditions)
