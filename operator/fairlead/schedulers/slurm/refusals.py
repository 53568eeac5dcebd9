"""sbatch's words when it did not print an id: whether they mean never, not now, or nothing at all.

Only words decide, never how sbatch ended: killed in mid-call, all of its jobs existed afterwards. The words are those of Slurm 20.11,
22.05, 24.11 and 26.05 (its `slurm_errno.c` has them all), the same in each but where noted; the limits' names stand in
https://slurm.schedmd.com/job_reason_codes.html.
"""

import re

from fairlead.domain.run import SubmitWord
from fairlead.schedulers.slurm.text import clean

TIMED_OUT = 124                          # `timeout` ended sbatch with TERM
_SENTENCE_CHARACTERS = 1000

_QUEUE_FULL = re.compile(r"sleeping and retrying")

_UNKNOWN = (                             # the request, or its answer, may be lost on the way: the job may exist
    r"Socket timed out",
    r"Unable to contact slurm controller",
    r"authentication",                   # also when only the answer could not be read
    r"Communication connection failure|Zero Bytes were transmitted|Message receive failure|Unexpected message received",
    r"Connection (?:refused|reset|timed out)|Broken pipe|Transport endpoint is not connected",
    r"Unable to connect to (?:database|slurm)|controller in standby mode",
)

_WAITING = (                             # the same request may be accepted later
    r"(?:QOS|Assoc\w*)MaxSubmit\w*",                          # the name of the limit stands on a line of its own
    r"(?:QOS|Assoc)Grp\w+Limit",
    r"Job violates accounting/QOS policy",                    # after the limits that no wait can lift, below
    r"Resource temporarily unavailable|MaxJobCount limit reached",   # the latter from 26.05
    r"temporarily unable to accept job|job queue full",       # the latter from 26.05
    r"Required partition not available|Requested partition configuration not available now",
    r"Requested nodes are busy|Job can not be altered now",
    r"Could not establish a configuration source",            # nothing was sent
    r"I/O error writing script/environment to file",
    r"Unable to open file",                                   # of our wrapper, in the work folder: not the user's
)

_LIMITS_OF_ONE_JOB = (                   # policy words that come with a policy sentence, yet no wait can lift
    r"(?:QOS|Assoc)Max\w+PerJob\w*|(?:QOS|Assoc)Min\w+|(?:QOS|Assoc)MaxWall\w*",
)

_REFUSED = (
    r"[Ii]nvalid partition",
    r"Invalid account|account/partition combination",
    r"Invalid qos|Invalid wckey",
    r"User's group not permitted|Access/permission denied|only permitted by root",
    r"Invalid (?:preferred )?feature specification",
    r"Invalid generic resource|Invalid Trackable RESource|Requested GRES option unsupported",
    r"Invalid license|Invalid node name|Invalid job array|Invalid --\S+|Invalid numeric value|Invalid time specification",
    r"Invalid (?:dependency|directive|argument|burst buffer|mcs)",
    r"Requested reservation is invalid|Requested node configuration is not available|Requested time limit is invalid",
    r"More processors requested than permitted|Node count specification invalid|Memory specification can not be satisfied",
    r"Memory required by task is not available|Requested operation not supported on this system",
    r"Job dependency problem|Preemption is required but is disabled",
    r"parameter too long",
    r"unrecognized option|option '?\S+ requires an argument|option '\S+' (?:is ambiguous|doesn't allow an argument)|invalid option --",
    r"No cluster '.*' known by database",
    r"does not look like a batch script|Batch script is empty|DOS line breaks|Script arguments not permitted",
)

_LOST = re.compile("|".join(_UNKNOWN))

_TABLE = tuple(
    (re.compile("|".join(patterns)), word)
    for patterns, word in (
        (_UNKNOWN, SubmitWord.UNKNOWN), (_LIMITS_OF_ONE_JOB, SubmitWord.REFUSED),
        (_WAITING, SubmitWord.WAITING), (_REFUSED, SubmitWord.REFUSED),
    )
)

_PREFIX = re.compile(r"^(?:sbatch|slurm\w*): (?:(?:error|fatal|warning|info): ?)?", re.MULTILINE)
_ADVICE = re.compile(r'^Try "sbatch --help" for more information$', re.MULTILINE)


def classify(exit_code: int, text: str) -> SubmitWord:
    """Say what sbatch's exit code and its words on standard error mean for a submission that printed no id.

    REFUSED: for ever. WAITING: for now, and nothing comes later. UNKNOWN: the job may exist. UNSURE: a refusal in words of no table.
    Ended from outside (124 by the time-out, or a signal), sbatch has said nothing, unless it waited for room in the queue: then no request
    was under way.
    """
    if exit_code == 0:
        return SubmitWord.UNKNOWN
    if exit_code == TIMED_OUT and _QUEUE_FULL.search(text) and not _LOST.search(text):
        return SubmitWord.WAITING
    if exit_code == TIMED_OUT or 125 < exit_code < 255:
        return SubmitWord.UNKNOWN
    return next((word for pattern, word in _TABLE if pattern.search(text)), SubmitWord.UNSURE)


def sentence(text: str) -> str:
    """Give sbatch's own words for a condition: in one line, without `sbatch: error: ` and the advice to read the help."""
    return clean(_ADVICE.sub("", _PREFIX.sub("", text)), _SENTENCE_CHARACTERS)
