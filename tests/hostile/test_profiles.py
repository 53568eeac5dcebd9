"""BEGUN in the login shells that people have, under profiles that do their worst: a script runs once, or it is proved that it did not."""

import pytest

from bed.slurm import SlurmCluster
from product.scene import Scene

ANY = ("ulimit -f 0", "umask 777", "exec 0<&-", "exec 1>&- 2>&-", "set -eu; false", "PATH=; export PATH")
ZSH = (
    *ANY, "setopt ERR_EXIT; false", "builtin() { : }; exec() { : }", "alias -g exec=true builtin=true", "disable exec", "disable builtin",
    "setopt NO_EXEC", "TRAPEXIT() { exit 9 }", "setopt SH_WORD_SPLIT KSH_ARRAYS NO_UNSET", "path=()", "setopt RESTRICTED", "emulate csh",
    "setopt POSIX_BUILTINS NO_CLOBBER GLOB_SUBST", "unfunction -m '*'",
)
TCSH = (
    "alias exec true", "alias unalias true; alias exec true", "set noclobber noglob", "unsetenv PATH HOME", "onintr -", "limit filesize 0",
    "set echo verbose", "setenv PATH ''", "umask 777", "alias precmd exit; alias postcmd exit", "set histchars=''", "limit descriptors 6",
    "logout", "set path=(/nowhere)", "set backslash_quote csubstnonl",
)
FISH = (
    "function exec; end", "function builtin; end; function exec; end", "set -e PATH", "umask 777", "ulimit -f 0", "set -gx fish_trace 1",
    "set -x SHELL /bin/false", "function cd; end; function test; end", "exec true", "trap 'exit 4' EXIT", "alias exec true",
    "function late --on-event fish_exit; exit 5; end", "set -e HOME; set -e USER", "ulimit -n 8",
)
SHELLS = {
    "/usr/bin/zsh": (".zprofile", ZSH, """
n=0; while ! mkdir ~/taken/$n 2>/dev/null; do n=$((n + 1)); done; . ~/lines/$n
"""),
    "/bin/tcsh": (".login", TCSH, """
@ n = 0
while (1)
  mkdir ~/taken/$n >& /dev/null
  if ($status == 0) break
  @ n++
end
source ~/lines/$n
"""),
    "/usr/bin/fish": (".config/fish/config.fish", FISH, """
if status is-login
  set n 0
  while not mkdir ~/taken/$n 2>/dev/null
    set n (math $n + 1)
  end
  source ~/lines/$n
end
"""),
}
"""The file that only a login reads, the lines that are tried in it, and what gives each Job one of them."""


@pytest.mark.long(of=3)
@pytest.mark.parametrize("shell", [pytest.param(each, id=each.rpartition("/")[2]) for each in SHELLS])
def test_whatever_a_profile_does_a_script_runs_once_or_is_known_not_to_have_run(own: SlurmCluster, scene: Scene, shell: str) -> None:
    """It would run again, since it seems not to have begun; or count as run, and never begin."""
    name, lines, profile = SHELLS[shell]
    (own.home / name).parent.mkdir(parents=True, exist_ok=True)
    own.run("mkdir", "/srv/c/home/taken", "/srv/c/home/lines")
    for number, line in enumerate(lines):
        (own.home / f"lines/{number}").write_text(f"{line}\n")
    (own.home / name).write_text(profile)
    own.set_login_shell(shell)
    scene.cluster(own)
    script = "#!/bin/sh\n/bin/mkdir /srv/c/home/ran-$SLURM_JOB_ID.$$; exit 7\n"
    jobs = [scene.job(f"n{number}", script, backoffLimit=0, infrastructureRetries=0) for number in range(len(lines))]
    ids, reasons = [], []
    for job in jobs:
        ids.append(job.wait_ended(120)["run"]["id"])
        reasons.append(job.condition("Failed")["reason"])
    ran = sorted(each.name.split("-")[1].split(".")[0] for each in own.home.glob("ran-*"))
    begun = sorted(each for each, reason in zip(ids, reasons, strict=True) if reason != "EnvironmentFailure")
    assert ran == begun, "one that ran is said not to have, or ran twice, or never did"
    assert "NonZeroExitCode" in reasons
    assert len(list((own.home / "taken").iterdir())) >= len(lines), "a profile was not read"
