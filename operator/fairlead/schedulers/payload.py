"""What the submit script is given for each key: its call, and in it the files that the wrapper will read."""

import hashlib
import re
from collections.abc import Mapping
from shlex import quote
from typing import Final

from fairlead.api.v1alpha1 import names
from fairlead.domain.errors import UserFault
from fairlead.domain.run.installation import Installation
from fairlead.domain.run.request import Submission

_IDENTIFIER: Final = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
_SHELLS_OWN: Final = frozenset({
    "_", "COMP_WORDBREAKS", "COPROC", "DIRSTACK", "EPOCHREALTIME", "EPOCHSECONDS", "ERRNO", "FUNCNAME", "GROUPS", "HISTCMD", "HOSTTYPE",
    "KSH_VERSION", "LINENO", "MACHTYPE", "MAPFILE", "OLDPWD", "OPTARG", "OPTIND", "OSTYPE", "PIPESTATUS", "POSIXLY_CORRECT", "PWD",
    "RANDOM", "REPLY", "SECONDS", "SHLVL", "SRANDOM",
})
_CONTROL: Final = re.compile(r"[\x00-\x1f\x7f]")


def call(submission: Submission, settings: Mapping[str, str], installation: Installation) -> str:
    """Two lines of shell: the variables of one key, with a scheduler's own `settings` among them, and `submit` with the options.

    Raises `UserFault` for what no shell can be given: NUL, a variable name that is no identifier, a path with control characters.
    """
    key = submission.key
    variables = {
        "KEY": str(key), "PREVIOUS": str(key.previous or ""), "LOST": "1" if submission.previous_is_lost else "",
        "AGAIN": "1" if submission.resubmit else "",
        "OWNER": installation.mark_of(key, submission.owner),
        "SETTINGS": _job_file(submission), "ENVIRONMENT": _env_file(submission),
        "BYTES": str(len(submission.script)), "SHA256": hashlib.sha256(submission.script).hexdigest(), **settings,
    }
    for option in submission.options:
        _require_no_nul("an option", option)
    return "\n".join((
        " ".join(f"{name}={quote(value)}" for name, value in variables.items()),
        " ".join(map(quote, ("submit", *submission.options))),
    ))


def _env_file(submission: Submission) -> str:
    """The file `env`: `export` lines, and behind them `set --` in front of what is run then, for what a shell would not export as it is.

    Those of the locale come last: they change how a shell reads the rest.
    """
    for name, value in submission.env.items():
        if _IDENTIFIER.fullmatch(name) is None:
            raise UserFault(f"The environment variable name {name!r} is not an identifier: use letters, digits and underscores.")
        _require_no_nul(f"the environment variable {name}", value)
    ordered = sorted(submission.env.items(), key=lambda each: each[0] == "LANG" or each[0].startswith("LC_"))
    exports = "".join(f"export {name}={quote(value)}\n" for name, value in ordered if not _is_a_shells_own(name))
    by_env = [f"{name}={value}" for name, value in ordered if _is_a_shells_own(name)]
    return exports + (" ".join(("set --", "/usr/bin/env", *map(quote, by_env), '"$@"')) + "\n" if by_env else "")


def _is_a_shells_own(name: str) -> bool:
    """Whether some `sh` (dash, bash, busybox, ksh) keeps a variable of this name for itself, so that `export` fails or changes it."""
    return name in _SHELLS_OWN or name.startswith("BASH")


def _job_file(submission: Submission) -> str:
    """The file `job`: what the wrapper does for this Run, and the script's arguments."""
    paths = {"workingDir": submission.working_dir, "stdoutPath": submission.stdout_path, "stderrPath": submission.stderr_path}
    for what, path in paths.items():
        if _CONTROL.search(path):
            raise UserFault(f"{what} holds a control character: write a plain path.")
    for argument in submission.arguments:
        _require_no_nul("an argument", argument)
    settings = {
        "fl_name": submission.owner.name, "fl_dir": submission.working_dir, "fl_out": submission.stdout_path or names.DEFAULT_OUTPUT,
        "fl_job": submission.job_name, "fl_err": submission.stderr_path, "fl_login": "1" if submission.login_shell else "0",
    }
    arguments = " ".join(map(quote, ("set", "--", *submission.arguments)))
    return "\n".join([*(f"{name}={quote(value)}" for name, value in settings.items()), arguments, ""])


def _require_no_nul(what: str, value: str) -> None:
    if "\0" in value:
        raise UserFault(f"{what[0].upper()}{what[1:]} holds a NUL character, which no program can be given: remove it.")
