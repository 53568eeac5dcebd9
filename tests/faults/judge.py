"""The judge: it looks from outside only, at the ledger, the scheduler's records, the API server and the machine."""

from collections import Counter
from collections.abc import Iterator

from faults.fault import Fault
from faults.operations import Operation
from faults.play import Play


def broken_promises(play: Play, operation: Operation, fault: Fault) -> list[str]:
    """A sentence for each promise that did not hold, once the Job has come to its end."""
    return [*_once(play, operation.attempts, fault), *_ending(play, operation, fault), *fault.afterwards(play)]


def _once(play: Play, attempts: int, fault: Fault) -> Iterator[str]:
    starts = play.ledger.lines("start")
    if play.ledger.lines("beside"):
        yield "the Job ran twice at once"
    if len(starts) > attempts + fault.again:
        yield f"the Job started {len(starts)} times; {attempts + fault.again} would be right"
    often = [key for key, count in Counter(line.key for line in starts).items() if count > 1 + fault.again]
    if often:
        yield f"attempt {often[0]} started more than once"


def _ending(play: Play, operation: Operation, fault: Fault) -> Iterator[str]:
    result = play.result
    if operation.is_deletion:
        if result != "gone":
            yield "the Job was deleted and is not gone"
        return
    ended_well = [line for line in play.ledger.lines("end") if line.code == 0]
    if result == "Complete" and not ended_well:
        yield "the Job is Complete, and no start of it ended with 0"
    if result not in fault.ends:
        yield "the Job was lost: it does not end" if result == "waits" else f"the Job is {result}, though the fault is healed"
    elif result == "waits" and not any(each["status"] != "True" and each["message"] for each in play.job.status.get("conditions", [])):
        yield "the Job does not end, and no condition says what it waits for"
