"""BEGUN: what the wrapper knows stands apart from all that a profile, `env` or a script sets, and what ran is never said not to have."""

import shutil
import subprocess
from pathlib import Path

import pytest
from far_end import FarEnd, key, submission

from fairlead.domain.run.observation import Finished

KEY = key()
OURS = (
    "FL_RUN", "FL_ENTER", "FL_DIR", "FL_OUT", "FL_ERR", "FL_KEEP", "FL_PROFILE", "FL_GROUP", "fl_name", "fl_job", "fl_dir", "fl_out",
    "fl_err", "fl_login", "run", "start", "pid", "id", "tree", "key", "name", "script", "mark", "clean",
    "random", "sh", "words", "enter", "code",
    "signal", "told",
)
"""Names that the scripts of the far end use, or have used."""
SHELLS_OWN = (
    "status", "path", "argv", "options", "GID", "LINENO", "USERNAME", "RANDOM", "SECONDS", "OPTIND", "OPTARG", "IFS", "PS1", "PS4",
    "ENV", "BASH_ENV", "CDPATH", "PWD", "OLDPWD", "SHLVL", "FUNCNAME", "HISTCMD", "DIRSTACK", "GROUPS", "HOSTTYPE", "MACHTYPE",
    "OSTYPE", "REPLY", "_", "POSIXLY_CORRECT", "BASH", "BASH_VERSION", "BASH_SUBSHELL", "BASHPID", "EPOCHSECONDS", "EPOCHREALTIME",
    "SRANDOM", "LC_ALL", "LANG", "MAIL", "MAILPATH", "HISTSIZE", "PIPESTATUS", "COLUMNS", "LINES", "TMOUT", "PATH", "HOME", "TERM",
    "UMASK", "MAPFILE", "COPROC",
)
"""Names to which some shell gives a meaning: bash, dash, busybox, ksh, zsh."""
EVERYTHING = {each: f"it's {each}" for each in (*OURS, *SHELLS_OWN)}
ENVIRONMENT = "#!/bin/cat /proc/self/environ\n"
"""A script that prints its own environment, as the kernel was given it; then itself."""


def submitted(far: FarEnd, script: str, **more: object) -> None:
    assert far.submit(submission(script=script, **more)).id == "100"
    far.forget_job("100")


def environment(text: bytes) -> dict[str, str]:
    """What `ENVIRONMENT` printed."""
    entries = text[:text.rindex(b"\0")].split(b"\0")
    return dict(entry.decode().split("=", 1) for entry in entries)  # type: ignore[misc]


def output(far: FarEnd) -> bytes:
    return (far.home / "hello-100.out").read_bytes()


def finished(far: FarEnd) -> Finished:
    [end] = far.observe({KEY: "100"}).sentinels[KEY].finished
    return end


@pytest.mark.parametrize("login_shell", [True, False], ids=["login shell", "none"])
def test_whatever_a_variable_is_called_it_arrives_and_changes_nothing_else(far: FarEnd, *, login_shell: bool) -> None:
    """A Job with FL_PROFILE in its env ran four times; others wrote elsewhere than their status said, or lost variables in silence."""
    submitted(far, ENVIRONMENT, env=EVERYTHING, login_shell=login_shell)
    assert far.run_job("100", KEY).code == 0
    assert environment(output(far)).items() >= EVERYTHING.items()
    assert (finished(far).exit_code, finished(far).words) == (0, frozenset())


def test_whatever_a_profile_exports_it_arrives_and_changes_nothing_else(far: FarEnd) -> None:
    """The same, of `export FL_RUN=...` in a profile."""
    theirs = dict.fromkeys(OURS, "theirs")
    (far.home / ".profile").write_text("".join(f"export {each}=theirs\n" for each in theirs))
    submitted(far, ENVIRONMENT)
    assert far.run_job("100", KEY).code == 0
    seen = environment(output(far))
    assert seen.items() >= theirs.items()
    assert [each for each in seen if each.startswith("FL_") and each not in theirs] == [], "nothing of ours is in it"


PROFILES = {
    "options": "set -efuxC\n",
    "positions and place": "set -- a b c; cd /tmp; IFS=/; export IFS; trap 'exit 0' EXIT; trap '' USR1\n",
    "no limit on anything but files": "ulimit -f 0\n",
    "few files": "ulimit -n 16\n",
    "no way to a program": "PATH=/nowhere; export PATH; unset HOME\n",
    "what shells read at their start": "export ENV=$HOME/ends BASH_ENV=$HOME/ends; echo exit 0 >\"$HOME/ends\"\n",
    "a library": "export LD_PRELOAD=/nowhere.so LD_LIBRARY_PATH=/nowhere\n",
    "an alias": "alias exec=true builtin=true cd=false\n",
    "read only": "readonly run=1 start=2 pid=3 fl_out=4 FL_RUN=5; export run start\n",
    "umask": "umask 777\n",
}


@pytest.mark.parametrize("profile", PROFILES)
def test_whatever_a_profile_does_the_script_runs_once_and_its_end_is_its_own(far: FarEnd, profile: str) -> None:
    """A script that ran would be taken for one that did not, and run again."""
    (far.home / ".profile").write_text(PROFILES[profile])
    submitted(far, f"#!/bin/sh\n/bin/mkdir {far.home}/ran-$$\nexit 7\n", env={"PATH": "/usr/bin:/bin"})
    assert far.run_job("100", KEY).code == 7
    assert len(list(far.home.glob("ran-*"))) == 1
    assert (finished(far).exit_code, finished(far).words) == (7, frozenset())


def test_exported_functions_reach_the_script_and_replace_nothing_of_ours(far: FarEnd) -> None:
    """A site whose profile has a `cd` or `rm` of its own would lose its Jobs, or `module` would be gone."""
    names = ("cd", "rm", "exec", "kill", "read", "echo", "test", "mv", "tr", "sed", "cat", "env", "set", "unset", "eval", "module")
    (far.home / ".bash_profile").write_text("".join(f"{each}() {{ builtin echo \"it's\n{each}\"; }}; export -f {each}\n" for each in names))
    submitted(far, "#!/bin/bash\nmodule; declare -Fx | /usr/bin/wc -l; exit 7\n")
    assert far.run_job("100", KEY, SHELL=str(shutil.which("bash"))).code == 7
    assert output(far).decode() == f"it's\nmodule\n{len(names)}\n"


@pytest.mark.parametrize("option", ["keyword", "errexit", "nounset", "noglob", "posix", "xtrace"])
def test_options_that_bash_hands_on_change_no_argument(far: FarEnd, option: str) -> None:
    """A profile with `set -k` and `export SHELLOPTS` took every argument of the form `a=b` for a variable: the script never saw it."""
    (far.home / ".bash_profile").write_text(f"export SHELLOPTS; set -o {option}\n")
    submitted(far, "#!/usr/bin/printf %s\\n\n", arguments=("lr=0.1", "it's", "*"))
    assert far.run_job("100", KEY, SHELL=str(shutil.which("bash"))).code == 0
    assert output(far).decode().splitlines()[1:] == ["lr=0.1", "it's", "*"]


NEVER = {"exit 0": 123, "exit 3": 3, "exec true": 123, "kill -KILL $$": 137, "set -e; false": 1}


@pytest.mark.parametrize("line", NEVER)
def test_a_profile_that_never_comes_to_the_script_is_told_as_that(far: FarEnd, line: str) -> None:
    """A job whose script never ran would count as complete, or as a failure of the script."""
    (far.home / ".profile").write_text(f"{line}\n")
    submitted(far, "#!/bin/sh\necho ran\n", env={"SECRET": "x"})
    assert far.run_job("100", KEY).code == NEVER[line]
    assert (finished(far).exit_code, finished(far).words) == (NEVER[line], {"unbegun"})
    assert not {each.name for each in far.run_dir(KEY).iterdir() if each.name.startswith((".", "env"))}


def test_what_was_said_not_to_have_begun_never_will(far: FarEnd) -> None:
    """A shell that a profile has left in the background would run the script beside the next attempt."""
    (far.home / ".profile").write_text('eval "cp \\"\\$$(env | sed -n "s/^\\(FL_.*_go\\)=.*/\\1/p")\\" \\"$HOME/go\\""; exit 0\n')
    submitted(far, f"#!/bin/sh\ntouch {far.home}/ran\n")
    assert far.run_job("100", KEY).code == 123
    late = subprocess.run([far.root / "tools" / "sh", far.home / "go"], env=far.environment(), check=False, capture_output=True, timeout=30)
    assert late.returncode != 0
    assert not (far.home / "ran").exists()


@pytest.mark.parametrize("code", [121, 122, 123, 124, 143])
def test_a_scripts_own_exit_code_is_no_word_of_ours(far: FarEnd, code: int) -> None:
    """A script that ends as xargs or timeout do would be run again as if it had not."""
    submitted(far, f"#!/bin/sh\nrm -f {far.home}/hello-100.out; exit {code}\n")
    assert far.run_job("100", KEY).code == code
    assert (finished(far).exit_code, finished(far).words) == (code, frozenset())


def test_a_script_that_removes_the_mark_of_its_begin_may_have_run(far: FarEnd) -> None:
    """It would be run a second time, since nothing says that it began."""
    submitted(far, '#!/bin/sh\nrm -rf "${0%/*}"/.enter*\n')
    assert far.run_job("100", KEY).code == 123
    assert (finished(far).exit_code, finished(far).words) == (123, {"unsure"})


def test_a_claim_that_the_script_removes_is_still_its_own(far: FarEnd) -> None:
    """A script that removes dangling links from its home would be taken for one that never began."""
    submitted(far, '#!/bin/sh\nfind "${0%/*}" -type l -exec rm {} +\n')
    assert far.run_job("100", KEY).code == 0
    assert not (far.run_dir(KEY) / "claim").is_symlink()
    seen = far.observe({KEY: "100"}).sentinels[KEY]
    assert (seen.claim, [each.id for each in seen.started]) == ("", ["100"])


@pytest.mark.parametrize("lacking", ["job", "env", "script", "enter"])
def test_a_start_that_lacks_something_says_that_it_came_to_nothing(far: FarEnd, lacking: str) -> None:
    """It could not be told from one that was killed in the middle, and would not be tried again."""
    submitted(far, "#!/bin/sh\n")
    path = next(far.tree.glob("bin/*/enter.sh")) if lacking == "enter" else far.run_dir(KEY) / lacking
    path.unlink()
    assert far.run_job("100", KEY).code == 123
    assert far.observe({KEY: "100"}).sentinels[KEY].never
    assert not {each.name for each in far.run_dir(KEY).iterdir() if each.name.startswith(".")}


def test_a_start_that_came_to_nothing_says_nothing_of_the_next(far: FarEnd) -> None:
    """A Job that a site requeued would be run again after it has run."""
    submitted(far, "#!/bin/sh\nexit 7\n", requeue=True)
    enter = next(far.tree.glob("bin/*/enter.sh"))
    enter.rename(far.home / "away")
    assert far.run_job("100", KEY, requeue=True).code == 123
    (far.home / "away").rename(enter)
    assert far.run_job("100", KEY, requeue=True).code == 7
    assert not far.observe({KEY: "100"}).sentinels[KEY].never


def test_secrets_are_gone_before_the_script_begins(far: FarEnd) -> None:
    """They would lie in the home folder for as long as the script runs, where its env has a PATH of its own."""
    variables = {"TOKEN": "s3cr3t", "PATH": "/nowhere", "FL_KEEP": "all"}
    submitted(far, f'#!/bin/sh\n/bin/grep -r -l s3[c]r3t "{far.tree}"; exit 0\n', env=variables)
    assert far.run_job("100", KEY).code == 0
    assert output(far) == b""


class Odd(FarEnd):
    """A far end whose user has an odd home."""

    @property
    def home(self) -> Path:
        return self.root / "home" / "it's a=b $HOME `id` \\ \"x\""


def test_a_work_folder_of_any_name_will_do(tmp_path: Path, shell: str) -> None:
    """A path with quotes in it would be read as a command."""
    far = Odd(tmp_path, shell)
    far.home.mkdir()
    assert far.probe().problem is None
    submitted(far, '#!/bin/bash\ndeclare -F; echo "$0"; exit 7\n', env={"RANDOM": "x"})
    assert far.run_job("100", KEY).code == 7
    assert output(far).decode() == f"{far.run_dir(KEY)}/script\n"
