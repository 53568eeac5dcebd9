"""What a bare host's scripts make of one Run that somebody else buries meanwhile, or whose time is limited."""

import subprocess
from pathlib import Path
from secrets import token_hex

import pytest
from far_end import HERE, FarEnd, key

from fairlead.api.v1alpha1.cluster import ProcessHost
from fairlead.domain.run.run import Tree
from fairlead.schedulers import sh
from fairlead.schedulers.process.scheduler import BUILD, Process
from fairlead.schedulers.seam import Place, Query

KEY = key()
LIMIT = 457
"""Seconds that no other process sleeps for."""
_JOB = "fl_name=hello\nfl_dir=\nfl_out=out\nfl_err=\nfl_login=0\nset --\n"


class Host:
    """A bare host with the shell of the far end, and the directory of one Run."""

    def __init__(self, far: FarEnd) -> None:
        self.far = far
        place = Place("~/work", HERE, "", token_hex(16))
        far.send(Process(HERE, ProcessHost(host="box", slots=1)).probe(token_hex(16), place).stdin())
        [self.tree] = (far.home / "work").iterdir()
        self.run = self.tree / "runs" / str(KEY)
        self.run.mkdir()
        self._marker = (self.tree / "marker").read_text().split("\n")[0]

    def look(self, meanwhile: str) -> None:
        """Look at the Run as a poll does; `meanwhile` is shell that is run when its processes have been ended."""
        variables = {"FENCE": token_hex(16), "BIN_PATH": "", "TREE": str(self.tree), "MARKER": self._marker}
        self._shell("-c", sh.program(variables, "host/host", calls=f"end_members() {{ {meanwhile}; }}\ninto_tree\nlook_at {KEY}"))

    def make_ready(self) -> None:
        """Put into the directory what a submission does, for a script that ends at once."""
        for name, text in (("script", "#!/bin/sh\necho hello\n"), ("env", ""), ("job", _JOB), ("ready", "")):
            (self.run / name).write_text(text)
        (self.run / "script").chmod(0o700)

    def keep(self, seconds: int = 0) -> None:
        """Start the Run as the queue does, with a time limit."""
        (self.tree / "host").mkdir(exist_ok=True)
        (self.tree / "host" / "capacity").write_text("1 0 60 30\n")   # busybox's find is refused by the probe before it is written
        self._shell(self.tree / "bin" / BUILD / "keeper.sh", self.tree, self._marker, KEY, "1", BUILD, seconds, " slot-0", "")

    def _shell(self, *arguments: object) -> None:
        command = [str(self.far.root / "tools" / "sh"), *map(str, arguments)]
        subprocess.run(command, env=self.far.environment(), cwd=self.tree, check=False, timeout=60, stdin=subprocess.DEVNULL)


@pytest.fixture
def host(bare: FarEnd) -> Host:
    return Host(bare)


def test_a_run_that_was_killed_is_told_as_failed(host: Host) -> None:
    """Else its Job would wait for an end that nobody writes."""
    (host.run / "claim").symlink_to("1.abc")
    (host.run / "started-0").write_text("1 0 1700000000 n1\n/o\n/o\n")
    host.look(":")
    assert (host.run / "outcome").read_text().startswith("1 FAILED 137 ")


def test_a_look_leaves_nothing_in_a_directory_that_is_buried_meanwhile(host: Host) -> None:
    """Else a deleted Job's folder would stay for an hour with a file in it, after it was said to be gone."""
    (host.run / "claim").symlink_to("1.abc")
    host.look(f"ln -s revoked runs/{KEY}/.x && mv -f runs/{KEY}/.x runs/{KEY}/claim")
    assert _names(host.run) == ["claim"]


def test_a_run_that_is_revoked_when_it_starts_leaves_nothing(host: Host) -> None:
    """The same, of a Job that was deleted when its turn came."""
    (host.run / "claim").symlink_to("revoked")
    host.keep()
    assert _names(host.run) == ["claim"]


def test_a_time_limit_is_forgotten_before_what_a_script_left_is_ended(host: Host, tmp_path: Path) -> None:
    """Else who waits for it may be ended from below and take that for the limit: a Job that succeeded would fail, and be run again."""
    host.make_ready()
    processes = "for each in /proc/[0-9]*/cmdline; do tr '\\0' ' ' <$each; echo; done 2>/dev/null"
    host.far.shadow("grep", f"{processes} | $real '^sleep {LIMIT} ' >>{tmp_path}/seen; exec $real \"$@\"")
    host.keep(LIMIT)
    assert (host.run / "outcome").read_text().startswith("1 COMPLETED 0 ")
    assert (tmp_path / "seen").read_text() == ""


def test_a_time_limit_whose_clock_was_ended_is_not_reached(host: Host) -> None:
    """The same: whatever ends the processes of a Run may end the one that sleeps first."""
    host.make_ready()
    host.far.shadow("sleep", f"[ $1 = {LIMIT} ] && exit 137; exec $real \"$@\"")
    host.keep(LIMIT)
    assert (host.run / "outcome").read_text().startswith("1 COMPLETED 0 ")


@pytest.mark.parametrize(("stop", "word"), [("", "ENDED"), ("suspend", "COMPLETED")], ids=["by nobody knows whom", "by us"])
def test_a_run_that_was_told_to_end_says_whether_we_know_why(host: Host, stop: str, word: str) -> None:
    """A script that was cut short, by a person or by a host that goes down, would pass for complete."""
    host.make_ready()
    (host.run / "script").write_text("#!/bin/sh\ntrap 'exit 0' TERM\n: >$HOME/up\nwhile :; do sleep 0.05; done\n")
    if stop:
        (host.run / "stop").write_text(f"{stop}\n")
    told = f"until [ -e $HOME/up ]; do sleep 0.05; done; read -r _ _ keeper _ <{host.run}/process; kill -s TERM $keeper"
    host.far.shadow("date", f"[ -e $HOME/asked ] || {{ : >$HOME/asked; ( {told} ) >/dev/null 2>&1 & }}; exec $real \"$@\"")
    host.keep()
    assert (host.run / "outcome").read_text().startswith(f"1 {word} 0 ")


def _names(folder: Path) -> list[str]:
    return sorted(entry.name for entry in folder.iterdir())


def test_a_poll_that_has_no_time_left_says_what_it_has_not_looked_at(host: Host) -> None:
    """Of thousands that end at once none would ever be seen: each poll would be cut, thrown away and begun anew."""
    keys = [key(number=number) for number in range(20, 30)]
    for each in keys:
        folder = host.tree / "runs" / str(each)
        folder.mkdir()
        (folder / "outcome").write_text("7 COMPLETED 0 1700000001\n")
    process, tree = Process(HERE, ProcessHost(host="box", slots=1)), Tree(str(host.tree), (host.tree / "marker").read_text().split("\n")[0])
    host.far.shadow("readlink", 'case $1 in */claim) sleep 0.3 ;; esac\nexec "$real" "$@"')
    left, polls = set(keys), 0
    while left:
        seen = host.far.exchange(process.observe(token_hex(16), tree, Query(dict.fromkeys(sorted(left), ""), look_seconds=1)))
        looked_at = left - seen.later
        assert looked_at, "a poll came to nothing"
        assert looked_at == seen.records.keys()
        left, polls = left & seen.later, polls + 1
    assert polls > 1
