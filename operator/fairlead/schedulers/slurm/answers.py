"""What the scripts print for Slurm alone: its listing, and what scontrol and sacct say of a job, read into the words of a Run."""

from collections.abc import Mapping
from typing import Final

from fairlead.api.v1alpha1.reasons import ClusterReason
from fairlead.api.v1alpha1.texts import clean
from fairlead.domain.errors import Unanswered
from fairlead.domain.run.observation import LastWord, Observation, Sentinels
from fairlead.domain.run.run import RunKey
from fairlead.schedulers.answers import ROWS_PER_KEY, TEXT_CHARACTERS, Vocabulary, by_key, gathered, require_tree, sentinels
from fairlead.schedulers.fence import Answer
from fairlead.schedulers.slurm import accounting, listing, refusals, states

VOCABULARY: Final = Vocabulary(refusals.classify, refusals.sentence, states.read)


def observation(answer: Answer, installation: str, ids: Mapping[RunKey, str]) -> Observation:
    """One whole poll. `ids` are the keys that were asked for, with the id known for each.

    Raises `Unanswered` when squeue failed, `RemoteFault` when the tree was not there.
    """
    require_tree(answer)
    failed = answer.first("failed")
    if failed:
        said = clean(failed.field(1), TEXT_CHARACTERS) or f"it was ended, exit code {failed.field(0)}"
        raise Unanswered(f"squeue did not answer: {said}", ClusterReason.SCHEDULER_DOWN)
    found = {key: each for key, each in sentinels(answer, VOCABULARY).items() if key in ids}
    records = _records(answer, ids, found)
    remarked = {record.id: key for key, record in records.items() if record.source == "scontrol"}
    jobs = (listing.parse_row(row.fields, installation, remarked) for row in answer.of("job"))
    listed = {key: tuple(rows[:ROWS_PER_KEY]) for key, rows in gathered((job.key, job) for job in jobs if job and job.key in ids).items()}
    return Observation(listed, found, records, frozenset(by_key(answer.of("later"))))


def _records(answer: Answer, ids: Mapping[RunKey, str], found: Mapping[RunKey, Sentinels]) -> dict[RunKey, LastWord]:
    known = {key: found[key].claim or found[key].id or job_id if key in found else job_id for key, job_id in ids.items()}
    books = "\n".join(row.field(0) for row in answer.of("sacct"))
    records = accounting.parse_sacct(books, known)
    for key, row in by_key(answer.of("scontrol")).items():
        if key not in ids or row.cut:    # what is cut off may be what tells that the rest is forged
            continue
        record = accounting.parse_scontrol(row.field(1), key)
        if record and record.id == known.get(key):
            records[key] = record
    return records
