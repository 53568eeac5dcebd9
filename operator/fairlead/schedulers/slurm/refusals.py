"""sbatch's words when it did not print an id: whether they mean never, not now, or nothing at all.

Only words decide, never how sbatch ended: killed in mid-call, all of its jobs existed afterwards. The words are those of Slurm 20.11,
22.05, 24.11 and 26.05 (its `slurm_errno.c` has them all), the same in each but where noted; the limits' names stand in
https://slurm.schedmd.com/job_reason_codes.html. No pattern repeats without a bound, so that each costs one pass over the text.
"""

import re

from fairlead.api.v1alpha1.texts import clean
from fairlead.domain.run.answers import SubmitWord

TIMED_OUT = 124                          # of `timeout`; from here on the code tells of a shell or a signal, not of sbatch
BAD_OPTIONS = 255                        # of sbatch, for options that it does not know or cannot read; 1 for all else
_SENTENCE_CHARACTERS = 1000
_LOOKED_AT_CHARACTERS = 4096             # twice what the script lets through

_QUEUE_FULL = re.compile(r"sleeping and retrying")

_UNKNOWN = (                             # the request, or its answer, may be lost on the way: the job may exist
    r"Socket timed out|Unable to contact slurm controller|Zero Bytes were transmitted|Insane message length|Header lengths",
    r"Communication (connection|shutdown) failure|Message (send|receive) failure|Unexpected message received",
    r"[Aa]uthentication",                # also when only the answer could not be read
    r"Connection (refused|reset|timed out)|Broken pipe|Transport endpoint is not connected",
    r"in standby mode|Unable to connect to database",
)

_WAITING = (                             # the same request may be accepted later
    r"(?:QOS|Assoc\w{0,40})MaxSubmit|(?:QOS|Assoc)Grp\w",      # a limit's name stands on a line of its own
    r"Job violates accounting/QOS policy|breached requested QOS usage threshold|Rate limit exceeded",
    r"Resource temporarily unavailable|MaxJobCount limit reached",   # the latter from 26.05
    r"temporarily unable to accept job|job queue full",       # the latter from 26.05
    r"Unable to create job record, try again|System submissions disabled|maintenance reservation",
    r"Required partition not available|partition configuration not available now|Partition in DOWN state",
    r"Required node not available|Requested nodes are busy|reservation (?:is in use|not usable now)|Licenses currently unavailable",
    r"Burst Buffer resource limit exceeded|Max powered up nodes reached|Switch resources currently not available",
    r"Could not establish a configuration source",            # nothing was sent
    r"I/O error writing script/environment to file",          # slurmctld's disk
    r"Unable to open file",                                   # of the wrapper in the work folder: not the user's
)

_LIMITS_OF_ONE_JOB = (                   # named beside `Job violates accounting/QOS policy`, yet no wait lifts them
    r"(?:QOS|Assoc)Max\w{1,40}PerJob|(?:QOS|Assoc)MaxWall|(?:QOS|Assoc)Min\w",
)

_REFUSED = (                             # the same request never will be accepted, unless somebody changes the site
    r"[Ii]nvalid partition|No partition specified|Requested nodes not in this partition",
    r"Invalid account|Invalid or unknown association|Invalid qos|Invalid QOS|Invalid wckey|Invalid mcs_label",
    r"User's group not permitted|[Pp]ermission denied|only permitted by root|Access denied to requested reservation",
    r"Invalid (?:preferred )?feature specification|Invalid extra constraints|--batch option is invalid",
    r"Invalid generic resource|Duplicate generic resource|Invalid GRES|Invalid Trackable RESource|Requested GRES option unsupported",
    r"Invalid license|Invalid node name|Invalid job array|Invalid container id|Burst Buffer request invalid|Invalid directive",
    r"Invalid --\S|Invalid numeric value|Invalid time|[Tt]ime limit (?:is invalid|specification required)|Invalid signal",
    r"reservation is invalid|node configuration is not available|topology configuration is not available",
    r"More processors requested than permitted|Node count specification invalid|(?:CPU|Task) count specification invalid",
    r"Task distribution specification invalid|Memory specification can not be satisfied|Memory required by task is not available",
    r"Job dependency problem|Circular job dependency|Preemption is required but is disabled",
    r"not supported on this system|Job size specification needs to be provided|parameter too long",
    r"unrecognized option|invalid option|requires an argument|doesn't allow an argument|is ambiguous",
    r"No cluster '.{0,200}' known by database|Invalid cluster name",
    r"does not look like a batch script|Batch script is empty|DOS line breaks|Script arguments not permitted",
)

LOST_WORDS = "|".join(_UNKNOWN)
"""What sbatch says when the job may exist all the same; an extended regular expression for `grep -E` too: the submit script writes no
refusal down where it matches."""

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
    text = text[:_LOOKED_AT_CHARACTERS]
    if exit_code == 0:
        return SubmitWord.UNKNOWN
    if exit_code == TIMED_OUT and _QUEUE_FULL.search(text) and not re.search(LOST_WORDS, text):
        return SubmitWord.WAITING
    if TIMED_OUT <= exit_code < BAD_OPTIONS:
        return SubmitWord.UNKNOWN
    return next((word for pattern, word in _TABLE if pattern.search(text)), SubmitWord.UNSURE)


def sentence(text: str) -> str:
    """Give sbatch's own words for a condition: in one line, without `sbatch: error: ` and the advice to read the help."""
    lines = _ADVICE.sub("", _PREFIX.sub("", text[:_LOOKED_AT_CHARACTERS])).splitlines()
    return clean("; ".join(line for line in lines if line.strip()), _SENTENCE_CHARACTERS)
