"""What scontrol and sacct say of a job that the listing no longer explains.

Slurm gives out an id again after a lost state, so an id alone proves nothing: an answer counts only if it also carries the key, in name or
comment.
"""

import re
from collections.abc import Mapping
from dataclasses import replace

from fairlead.api.v1alpha1.texts import clean, plain_path
from fairlead.domain.run.observation import LastWord, Unopened
from fairlead.domain.run.run import RunKey
from fairlead.schedulers.slurm import states

SACCT_FORMAT = "JobID,State,ExitCode,Reason,Comment,JobName"
"""For `sacct -X -n -P -o`. Comment (kept by few sites) and name may hold anything, so they come last."""

_FIXED = 4                               # fields of SACCT_FORMAT before the free text
_ID = re.compile(r"[1-9][0-9]{0,9}")     # no array task (24_1), no part of a heterogeneous job (30+1)
_EXIT = re.compile(r"(25[0-5]|2[0-4][0-9]|1?[0-9]?[0-9]):(12[0-7]|1[01][0-9]|[0-9]?[0-9])")
_REASON_CHARACTERS = 256
_UNOPENED = frozenset({(0, 53), (1, 0)})   # slurmstepd could not open the output; 20.11 says the latter, as a script may
_NEXT = re.compile(r"\s[A-Za-z]+=")
_NODE = re.compile(r"\sBatchHost=([A-Za-z0-9._-]{1,256})\s")
_COMMAND = re.compile(r"Command=runs/([^/\s]*)")
_FIELDS = {name: re.compile(rf"(?:^|\s){name}=(\S*)") for name in ("JobId", "JobState", "ExitCode", "Reason")}
_NOTHING = frozenset({"(null)", "None", "N/A"})


def parse_sacct(text: str, ids: Mapping[RunKey, str]) -> dict[RunKey, LastWord]:
    """Give the last record of each key in `ids` (the id known for it) in sacct's answer; a requeued job has several rows.

    Rows that are malformed, or whose name and comment do not carry the key, are left out: a job of somebody else has its id now.
    """
    wanted = {job_id: key for key, job_id in ids.items() if job_id}
    found: dict[RunKey, LastWord] = {}
    for row in text.split("\n"):
        fields = row.split("|", _FIXED)
        key = wanted.get(fields[0])
        if key is None or len(fields) <= _FIXED or not _carries(fields[_FIXED], key):
            continue
        record = _record("sacct", *fields[:_FIXED])
        if record is not None:
            found[key] = record
    return found


def parse_scontrol(text: str, key: RunKey) -> LastWord | None:
    """Give the record in the answer to `scontrol -o show job ID`: one line; None if it is not one line about a job that carries `key`.

    A name, a comment or a command line can hold ` JobState=COMPLETED`. A line in which a field that is read stands twice decides nothing,
    nor does one with another key in the path of its command: its user may have named it after this one.
    """
    line = text.rstrip()
    if "\n" in line or not _carries(line, key) or not {str(key)}.issuperset(_COMMAND.findall(line)):
        return None
    values = [_only(line, field) for field in _FIELDS.values()]
    job_id, word, exit_text, reason = (value or "" for value in values)
    if None in values or not line.startswith(f"JobId={job_id} "):
        return None
    record = _record("scontrol", job_id, word, exit_text, reason)
    if record is None or record.unopened is None:
        return record
    node = _NODE.search(line)
    paths = dict.fromkeys(path for path in (_path(line, "StdOut"), _path(line, "StdErr")) if path)
    return replace(record, unopened=Unopened(" or ".join(paths), node[1] if node else ""))


def _path(line: str, field: str) -> str:
    """What stands behind the last ` NAME=` up to the next: for people, since a name or a comment may hold such words."""
    _, found, rest = line.rpartition(f" {field}=")
    return plain_path(_NEXT.split(rest, maxsplit=1)[0].strip()) if found else ""


def _record(source: str, job_id: str, word: str, exit_text: str, reason: str) -> LastWord | None:
    ends = _EXIT.fullmatch(exit_text)
    if _ID.fullmatch(job_id) is None or ends is None:
        return None
    why = "" if reason in _NOTHING else clean(reason, _REASON_CHARACTERS)
    code, signal = int(ends[1]), int(ends[2])
    unopened = Unopened() if (code, signal) in _UNOPENED else None
    return LastWord(job_id, states.read(word, why), clean(word, _REASON_CHARACTERS), code, signal, why, source, unopened=unopened)


def _only(line: str, field: re.Pattern[str]) -> str | None:
    """The value of the one ` NAME=` in a line of scontrol's, up to the next blank; None if there is none or more than one."""
    found = field.findall(line)
    return str(found[0]) if len(found) == 1 else None


def _carries(text: str, key: RunKey) -> bool:
    """Whether `text` holds the key as a whole: attempt 1 is not attempt 12."""
    word = str(key)
    place = text.find(word)
    while place >= 0:
        before, behind = text[place - 1:place] if place else "", text[place + len(word):place + len(word) + 1]
        if (not before or before not in "0123456789abcdef") and (not behind or behind not in "0123456789"):
            return True
        place = text.find(word, place + len(word))
    return False
