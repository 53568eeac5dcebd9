"""What a script may put into the work folder, which is its own user's: it harms its own Run alone, and speaks for nobody."""

import os
import shutil
import subprocess
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from secrets import token_hex
from threading import Event, Thread
from typing import Final

import pytest
from far_end import HERE, OWNER, FarEnd, end, key, submission

from fairlead.api.v1alpha1.cluster import ProcessHost
from fairlead.domain.errors import RemoteFault
from fairlead.domain.run.answers import CancelPhase, Remnant, SubmitWord
from fairlead.domain.run.run import Owner, Tree
from fairlead.schedulers import sh
from fairlead.schedulers.process.scheduler import BUILD, Process
from fairlead.schedulers.seam import Place, Query

KEY = key()
OTHER = key(number=11)
NAMES: Final = ("owner", "id", "refused", "stop", "orphaned", "ready", "started-0", "finished-0")


def a_link(path: Path) -> None:
    """To what never ends."""
    path.symlink_to("/dev/zero")


def without_end(path: Path) -> None:
    """A file of a terabyte, in no line."""
    with path.open("wb") as file:
        file.truncate(2 ** 40)


PLANTED: Final[dict[str, Callable[[Path], None]]] = {"pipe": os.mkfifo, "link": a_link, "folder": os.mkdir, "file": without_end}


@pytest.mark.parametrize("kind", PLANTED)
def test_what_cannot_be_read_to_its_end_holds_up_no_other(far: FarEnd, kind: str) -> None:
    """One script would keep every Job of its login from being seen, submitted, ended or cleaned up."""
    far.submit_all([submission(), submission(OTHER)])
    far.run_job("100", KEY)
    far.run_job("101", OTHER)
    far.forget_job("100")
    far.forget_job("101")
    for name in NAMES:
        (far.run_dir(KEY) / name).unlink(missing_ok=True)
        PLANTED[kind](far.run_dir(KEY) / name)
    seen = far.observe({KEY: "100", OTHER: "101"})
    assert [each.exit_code for each in seen.sentinels[OTHER].finished] == [0]
    assert seen.sentinels[KEY].claim == "100"
    for name in NAMES[:5]:
        PLANTED[kind](far.run_dir(KEY) / name)
    assert [each.owner for each in far.remove(sweep=True).remnants if each.key == OTHER] == [submission(OTHER).owner]
    assert far.submit(submission(KEY.next)).word is SubmitWord.ALIVE
    assert far.cancel(KEY, CancelPhase.END).known
    assert far.remove(KEY).keys == {KEY}


def test_no_name_of_a_start_is_too_large_or_in_another_base(far: FarEnd) -> None:
    """Shell arithmetic would stop the wrapper or a whole poll, or count backwards."""
    far.submit(submission(requeue=True))
    far.run_job("100", KEY, requeue=True)
    for number in ("99999999999999999999", "9223372036854775807", "08", "0x1", "1 + 1", "a[$(touch x)]"):
        (far.run_dir(KEY) / f"started-{number}").write_text("100 1 1700000000 n1\n/o\n/e\n")
        (far.run_dir(KEY) / f"finished-{number}").write_text("100 1 7 1700000000\n")
    far.forget_job("100")
    [sentinels] = far.observe({KEY: "100"}).sentinels.values()
    assert [(each.restart, each.exit_code) for each in sentinels.finished] == [(0, 0)]
    assert far.run_job("100", KEY, requeue=True).code == 0
    [sentinels] = far.observe({KEY: "100"}).sentinels.values()
    assert [each.restart for each in sentinels.finished] == [1]
    assert not (far.tree / "x").exists()


def test_of_a_thousand_starts_no_poll_tells(far: FarEnd) -> None:
    """The answer would pass its bound, and every Job of the login would be out of sight."""
    far.submit_all([submission(), submission(OTHER)])
    far.forget_job("100")
    for number in range(1000):
        (far.run_dir(KEY) / f"started-{number}").write_text("100 1 1700000000 n1\n/o\n/e\n" + "x" * 4000)
    exchange = far.slurm.observe(token_hex(16), far.known, query())
    assert len(far.send(exchange.stdin())) < 100_000


def query() -> Query:
    return Query({KEY: "100", OTHER: "101"})


def test_a_link_in_a_directorys_place_leads_to_no_other_run(far: FarEnd) -> None:
    """Whoever deletes his Job would revoke and clear another's."""
    far.submit_all([submission(), submission(OTHER)])
    shutil.rmtree(far.run_dir(KEY))
    far.run_dir(KEY).symlink_to(str(OTHER))
    assert far.cancel(KEY, CancelPhase.END).known
    assert far.remove(KEY).keys == {KEY}
    assert not (far.run_dir(OTHER) / "claim").is_symlink()
    assert far.run_job("101", OTHER).code == 0


LEFT: Final = {
    "touched": "",
    "what the script that looks for it is told": HERE.check_of_leave(KEY),
    "another Run's": HERE.proof_of_leave(OTHER),
    "what proves the owner": HERE.proof_of_owner(KEY, OWNER),
}


@pytest.mark.parametrize("text", LEFT.values(), ids=LEFT)
@pytest.mark.parametrize("phase", [CancelPhase.ASK, CancelPhase.END])
def test_a_script_cannot_say_that_it_was_left_alone(far: FarEnd, text: str, phase: CancelPhase) -> None:
    """It would outlive its Job's deletion, and every sweep."""
    far.submit(submission())
    far.set_job("100", "RUNNING", KEY)
    (far.run_dir(KEY) / "orphaned").write_text(f"{text}\n")
    assert [each.orphaned for each in far.remove(sweep=True).remnants] == [False]
    answer = far.cancel(KEY, phase)
    assert (answer.known, answer.orphaned, answer.ids) == (True, False, ("100",))
    assert far.remove(KEY).keys == {KEY}


def test_what_a_sweep_lists_is_a_runs_and_proved(far: FarEnd) -> None:
    """One `mkdir` would make a million keys, or name another object for a Run that lives."""
    far.submit(submission())
    runs = far.tree / "runs"
    for name in (f"{KEY.uid}-999999", f"{KEY.uid}-10000", f"{KEY.uid}-0", f"{KEY.uid}-01", "lost+found", "a b", "-n"):
        (runs / name).mkdir()
    (runs / f"{KEY.uid}-3").write_text("a file")
    (runs / f"{KEY.uid}-4").symlink_to(str(KEY))
    proved = (far.run_dir(KEY) / "owner").read_text()
    for attempt, text in ((5, proved), (6, proved.replace("hello", "nobody")), (7, f"default nobody {KEY.uid}\n")):
        (runs / f"{KEY.uid}-{attempt}").mkdir()
        (runs / f"{KEY.uid}-{attempt}" / "owner").write_text(text)
    for attempt, target in ((8, "1.abc"), (9, "revoked")):
        (runs / f"{KEY.uid}-{attempt}").mkdir()
        (runs / f"{KEY.uid}-{attempt}" / "claim").symlink_to(target)
    swept = far.remove(sweep=True)
    assert swept.strange == 9
    assert set(swept.remnants) == {
        Remnant(KEY, submission().owner, tombstone=False, listed=True),
        *(Remnant(key(attempt), None, tombstone=False) for attempt in (5, 6, 7, 8)),
    }


def test_the_longest_mark_of_a_kind_of_tomorrow_is_listed_whole(far: FarEnd) -> None:
    """A sweep would read half of it, take it for nobody's, and end what a newer controller runs."""
    far.submit(submission())
    later = Owner("n" * 63, "o" * 253, KEY.uid, "K" * 63)
    (far.run_dir(KEY) / "owner").write_text(f"{HERE.mark_of(KEY, later)}\n")
    (far.run_dir(OTHER)).mkdir()
    words = "form 2: of nobody whom this release knows"
    (far.run_dir(OTHER) / "owner").write_text(f"{words} {HERE.proof_of_mark(OTHER, words)}\n")
    assert set(far.remove(sweep=True).remnants) == {
        Remnant(KEY, later, tombstone=False, listed=True), Remnant(OTHER, None, tombstone=False, foreign=True)}


def test_what_a_script_has_closed_goes_all_the_same(far: FarEnd) -> None:
    """Its Job would stay until its deadline, and then in the ledger."""
    far.submit(submission())
    folder = far.run_dir(KEY) / "deep" / "deeper"
    folder.mkdir(parents=True)
    (folder / "file").touch()
    for each in (folder, folder.parent):
        each.chmod(0)
    assert far.remove(KEY).keys == {KEY}


class Host:
    """A bare host, and shell that is run as one of its scripts."""

    def __init__(self, far: FarEnd) -> None:
        self.far = far
        self.process = Process(HERE, ProcessHost(host="box", slots=1))
        far.send(self.process.probe(token_hex(16), Place("~/work", HERE, "", token_hex(16))).stdin())
        [self.path] = (far.home / "work").iterdir()
        self.tree = Tree(str(self.path), (self.path / "marker").read_text().split("\n")[0])
        (self.path / "host" / "queue").mkdir(parents=True, exist_ok=True)
        self.locks = f"{far.home}/locks"
        Path(self.locks).mkdir()

    def run(self, calls: str, seconds: float = 60) -> str:
        """What it prints; it may take so long."""
        variables = {"FENCE": token_hex(16), "BIN_PATH": "", "TREE": self.tree.path, "MARKER": self.tree.marker, "SLOTS": "1", "GPUS": "0",
                     "WATCH_SECONDS": "60", "KILL_SECONDS": "30"}
        script = sh.program(variables, "host/host", calls=f"LOCKS={self.locks}\ninto_tree\n{calls}")
        done = subprocess.run([str(self.far.root / "tools" / "sh"), "-c", script], env=self.far.environment(), cwd=self.far.home,
                              check=False, timeout=seconds, stdin=subprocess.DEVNULL, capture_output=True, text=True)
        return done.stdout

    def directory(self, name: object) -> Path:
        """A Run's directory."""
        made = self.path / "runs" / str(name)
        made.mkdir(exist_ok=True)
        return made


@pytest.fixture
def host(bare: FarEnd) -> Host:
    return Host(bare)


@pytest.fixture
def bystander(host: Host) -> Iterator["subprocess.Popen[str]"]:
    """A process of the same user that is no Run's, with another Run's slot open."""
    lock = Path(host.locks) / "slot-0"
    lock.write_text(f"{host.path}/runs/{OTHER}\n")
    with lock.open() as file:
        process = subprocess.Popen(["sleep", "60"], stdin=file, start_new_session=True, text=True, env={"FAIRLEAD_RUN": str(OTHER)})
    yield process
    end(process)


@pytest.mark.parametrize("locks", ["slot-0", "*", "slot-*", "../locks/slot-0", "slot-0 gpu-[0-9]"])
def test_what_is_written_of_a_keeper_ends_no_other_process(host: Host, bystander: "subprocess.Popen[str]", locks: str) -> None:
    """A script could have the controller end another Run, or the user's own login."""
    born = Path(f"/proc/{bystander.pid}/stat").read_text().rpartition(")")[2].split()[19]
    boot = Path("/proc/sys/kernel/random/boot_id").read_text().strip()
    (host.directory(KEY) / "process").write_text(f"7 {boot} {bystander.pid} {born} 1700000000 {locks}\n")
    (host.directory(KEY) / "claim").symlink_to("7.abc")
    out = host.run(f"kept {KEY} && echo kept; members {KEY}; look_at {KEY}; echo state $STATE; end_members {KEY}; echo over")
    assert out.split() == ["state", "over"]
    assert bystander.poll() is None


def test_a_control_group_of_another_run_is_not_ended(host: Host) -> None:
    """A link of the right name would lead to it."""
    (host.far.home / "group").mkdir()
    kill = host.far.home / "group" / "cgroup.kill"
    kill.touch()
    (host.far.home / f"fairlead-{KEY}").symlink_to("group")
    (host.directory(KEY) / "process").write_text(f"7 x 1 1 1700000000 {host.far.home}/fairlead-{KEY}\n")
    host.run(f"end_members {KEY}")
    assert kill.read_text() == ""


@pytest.mark.parametrize("kind", ["pipe", "file", "through a link"])
def test_what_is_no_control_group_holds_up_nobody(host: Host, kind: str) -> None:
    """One script would keep its host from starting anything, and from telling anything, for ever."""
    group = host.far.home / "e" / f"fairlead-{KEY}"
    group.mkdir(parents=True)
    match kind:
        case "pipe":
            os.mkfifo(group / "cgroup.kill")
            os.mkfifo(group / "cgroup.events")
        case _:
            (group / "cgroup.kill").touch()
            (group / "cgroup.events").write_text("populated 1\n")
    if kind == "through a link":
        (host.far.home / "l").symlink_to("e")
        group = host.far.home / "l" / group.name
    (host.directory(KEY) / "process").write_text(f"7 x 999999 1 1700000000 {group} slot-0\n")
    (host.directory(KEY) / "claim").symlink_to("7.abc")
    out = host.run(f"sleep() {{ echo waits; }}; look_at {KEY}; echo state $STATE; written {KEY}; echo $MEANS")
    assert out.split() == ["state", "Cgroup"]


def test_no_entry_of_the_queue_holds_up_those_behind_it(host: Host) -> None:
    """One script would keep its host from starting anything."""
    queue = host.path / "host" / "queue"
    os.mkfifo(queue / "0000000-0000000001")
    (queue / "0000000-0000000002").mkdir()
    wrong = ("-5 0 0", "99999999999999999999 0 0", "1 -1 0", "1 x 0", "1 0 0 ../runs", "1 0 a[$(touch~x)]")
    for number, words in enumerate(wrong, 3):
        (host.directory(key(number=number)) / "ready").touch()
        (queue / f"0000000-{number:010d}").write_text(f"{key(number=number)} 7 {words} {BUILD}\n")
    (host.directory(OTHER) / "ready").touch()
    (queue / "0000001-0000000009").write_text(f"{OTHER} 9 1 0 0 {BUILD}\n")
    out = host.run("locked() { :; }; unlocked() { :; }; start() { echo starts $key; }; free() { [ $1 = gpu ] || echo 0; }; hand_out")
    assert out.split() == ["starts", str(OTHER)]
    assert list(queue.iterdir()) == []


def test_names_without_number_take_nobody_out_of_the_queue(host: Host) -> None:
    """All their names are too long for one command: every waiting Job of the host would look lost, and be handed in again."""
    queue = host.path / "host" / "queue"
    for number in range(9000):
        (queue / f"{number:0245d}").touch()
    (queue / "0000001-0000000009").write_text(f"{OTHER} 9 1 0 0 {BUILD}\n")
    (queue / "0000000-0000000010").write_text(f"{KEY} 10 1 0 0 {BUILD}\n")
    out = host.run(f"look_at_queue; queued {OTHER}; echo $ID ${{QUEUE%% *}}")
    assert out.split() == ["9", str(KEY)]
    assert len(list(queue.iterdir())) == 2


def test_a_queue_that_cannot_be_read_is_not_taken_for_an_empty_one(host: Host) -> None:
    """Every waiting Job of the host would look as if it had been lost, and be handed in again."""
    (host.path / "host" / "queue" / "0000001-0000000009").write_text(f"{KEY} 9 1 0 0 {BUILD}\n")
    host.directory(KEY)
    host.far.shadow("timeout", "exit 124")
    observe = host.process.observe(token_hex(16), host.tree, Query({KEY: "9"}))
    with pytest.raises(RemoteFault):
        observe.parse(host.far.send(observe.stdin()))
    submit = host.process.submit(token_hex(16), host.tree, [submission()])
    assert submit.parse(host.far.send(submit.stdin()))[KEY].word is SubmitWord.UNKNOWN


@contextmanager
def swapped(path: Path) -> Iterator[None]:
    """Meanwhile it is now a file and now a pipe, as fast as can be."""
    over = Event()

    def swap() -> None:
        while not over.is_set():
            for make in (os.mkfifo, Path.touch):
                aside = path.with_name(".aside")
                make(aside)
                if make is not os.mkfifo:
                    aside.write_text("7\n")
                aside.rename(path)

    thread = Thread(target=swap)
    thread.start()
    try:
        yield
    finally:
        over.set()
        thread.join()


def test_a_file_that_is_swapped_for_a_pipe_while_it_is_read_holds_up_nobody(host: Host) -> None:
    """One script would keep every Job of its login from being seen."""
    path = host.directory(KEY) / "process"
    path.write_text("7\n")
    with swapped(path):
        out = host.run(f"n=0; while [ $n -lt 200 ]; do written {KEY}; n=$((n + 1)); done; echo over", seconds=100)
    assert out.split() == ["over"]


@pytest.mark.parametrize("kind", PLANTED)
def test_what_is_written_of_who_had_a_slot_last_keeps_nobody_from_it(host: Host, kind: str) -> None:
    """One script would keep its host from starting anything."""
    (Path(host.locks) / "slot-0").write_text(f"{host.path}/runs/{OTHER}\n")
    PLANTED[kind](host.directory(OTHER) / "process")
    out = host.run("flock() { :; }; look_at_queue; free slot 1")   # nobody holds it
    assert out.split() == ["0"]


@pytest.mark.parametrize("number", ["99999999999", "9999999999", "x", "08", "-1", "a[$(touch x)]", "1 2"])
def test_a_number_that_is_none_ends_no_submission(host: Host, number: str) -> None:
    """Every later Job of the host would be refused, or get an id that nobody can read."""
    (host.path / "host" / "number").write_text(f"{number}\n")
    exchange = host.process.submit(token_hex(16), host.tree, [submission()])
    host.far.shadow("flock", "exit 0")
    host.far.shadow("setsid", "exit 0")
    answer = exchange.parse(host.far.send(exchange.stdin()))[KEY]
    assert answer.word is SubmitWord.SUBMITTED, answer
    assert answer.id.isdigit()
    assert not (host.path / "x").exists()
