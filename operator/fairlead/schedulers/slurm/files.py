"""The user's output files as Slurm itself opens them, so that it shows them where a script or a person asks for them.

The wrapper opens them too, and decides: what stands here is only what both read alike.
"""

import re
from typing import Final

from fairlead.api.v1alpha1 import names
from fairlead.domain.run.request import Submission

_PART: Final = re.compile(r"%[0-9]{0,2}.?|[^%]+")
_LONGEST_NUMBER: Final = "0" * 10
_LONGEST_USER: Final = "u" * 32
_MOST_BYTES: Final = 255                 # of one name in a path, on every file system


def as_slurm_opens_them(submission: Submission) -> dict[str, str]:
    """The submit script's JOB_FOLDER, JOB_OUT, JOB_ERR and OWN; a path is empty where sbatch would read another one in it.

    That is so with %N, which is the host's name to some releases, with a backslash, and where the wrapper cuts the Job's name.
    """
    out = _pattern(submission.stdout_path or names.DEFAULT_OUTPUT, submission.owner.name)
    error = _pattern(submission.stderr_path, submission.owner.name)
    own = "".join(number for number, path in (("1", out), ("2", error)) if _is_of_one_job(path))
    return {"JOB_FOLDER": submission.working_dir, "JOB_OUT": out, "JOB_ERR": error, "OWN": own}


def _pattern(path: str, name: str) -> str:
    parts = [name.replace("%", "%%") if part == "%x" else part for part in _PART.findall(path)]
    longest = "".join(_longest(part) for part in parts)
    too_long = any(len(each.encode()) > _MOST_BYTES for each in longest.split("/"))
    return "" if "\\" in path or "%N" in parts or too_long else "".join(parts)


def _longest(part: str) -> str:
    if not part.startswith("%"):
        return part
    return {"%": "%", "u": _LONGEST_USER}.get(part[-1], _LONGEST_NUMBER)


def _is_of_one_job(path: str) -> bool:
    return any(part.startswith("%") and part[-1] in "jJA" for part in _PART.findall(path))
