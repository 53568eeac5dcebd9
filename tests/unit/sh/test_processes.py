"""What a login node pays: the processes of each exec, counted one by one; and many keys are answered as each of them alone is."""


import os
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from secrets import token_hex
from typing import TypeVar

import pytest
from far_end import FarEnd, key, submission

from fairlead.domain.run.answers import CancelAnswer, CancelPhase
from fairlead.domain.run.observation import Observation
from fairlead.domain.run.run import RunKey, StopWord
from fairlead.schedulers.seam import COMMAND, Cancellation, Exchange, Query, Removal, Removed

T = TypeVar("T")
COUNTER = Path(__file__).with_name("counted.py")
KEYS = [key(number=number) for number in range(10, 22)]


def counted(far: FarEnd, exchange: Exchange[T]) -> tuple[int, T]:
    """How many processes this exchange makes, and its answer."""
    report = far.root / "report"
    done = subprocess.run(
        [sys.executable, str(COUNTER), str(report), str(far.root / "tools" / "sh"), "-c", COMMAND], input=exchange.stdin(),
        capture_output=True, env=far.environment(), cwd=far.home, check=False, timeout=100,
    )
    assert not done.returncode, done.stderr.decode()
    print(exchange.verb, far.shell, report.read_text().replace("\n", ", "))
    return sum(int(line.split()[0]) for line in report.read_text().splitlines()), exchange.parse(done.stdout)


def polled(far: FarEnd, ids: dict[RunKey, str], look_seconds: int = 60) -> Exchange[Observation]:
    return far.slurm.observe(token_hex(16), far.known, Query(ids, look_seconds=look_seconds))


def test_a_poll_makes_few_processes(far: FarEnd) -> None:
    """The login node of a site with a thousand users would be busy with looks at them."""
    far.submit_all([submission(each) for each in KEYS])
    ids = {each: str(100 + place) for place, each in enumerate(KEYS)}
    of_live, _ = counted(far, polled(far, ids))
    assert of_live <= 9
    for each in KEYS[:10]:
        far.run_job(ids[each], each)
        far.set_job(ids[each], "COMPLETED", each)
    of_one, seen = counted(far, polled(far, {KEYS[0]: ids[KEYS[0]]}))
    assert seen.sentinels[KEYS[0]].finished
    assert of_one <= 15
    of_ten, seen = counted(far, polled(far, ids))
    assert [bool(seen.sentinels[each].finished) for each in KEYS[:10]] == [True] * 10
    assert of_ten <= of_live + (6 + 10 * 2 if far.shell != "busybox" else 60)    # its `ls` has no -q: each link is read by itself


def test_many_are_answered_as_each_alone(far: FarEnd) -> None:
    """A Job would come out otherwise when it ends with others."""
    far.submit_all([submission(each) for each in KEYS])
    ids = {each: str(100 + place) for place, each in enumerate(KEYS)}
    for each in KEYS[:8]:
        far.run_job(ids[each], each)
    for job_id in ids.values():
        far.forget_job(job_id)
    folders = [far.run_dir(each) for each in KEYS]
    (folders[1] / "stop").write_text("deadline over\n")
    (folders[1] / "word-0").symlink_to(f"{ids[KEYS[1]]}.CANCELLED")
    (folders[2] / "started-4").write_text(f"{ids[KEYS[2]]} 4 1700000000 n1\n/nowhere\n/nowhere\n")
    (folders[3] / "claim").unlink()
    (folders[3] / "claim").symlink_to("revoked")
    (folders[4] / "finished-0").write_text("x" * 5000)
    (folders[5] / "id").unlink()
    (folders[5] / "id").symlink_to("/etc/passwd")
    (folders[6] / "claim").unlink()
    (folders[6] / "claim").symlink_to(f"{ids[KEYS[6]]}.x\nlrwxrwxrwx 1 u u 9 Nov 30 20:00 runs/{KEYS[9]}/claim -> 999.y")
    (folders[7] / "stop").write_bytes(b"\x1fsuspend\xff\n")
    (folders[8] / "refused").write_text("1 sbatch: error: no\x1ein two lines\n")
    (folders[9] / "claim").symlink_to(f"{ids[KEYS[9]]}.z")
    (folders[9] / "never").symlink_to(f"{ids[KEYS[9]]}.z")
    for entry in folders[10].iterdir():
        entry.unlink()
    for entry in folders[11].iterdir():
        entry.unlink()
    folders[11].rmdir()
    (folders[0].parent.parent.parent.parent / f"hello-{ids[KEYS[0]]}.out").write_bytes(bytes(range(256)) * 40)
    together = far.exchange(polled(far, ids))
    for each in (*KEYS[:6], *KEYS[7:]):      # a claim with a line end cuts its own row
        alone = far.exchange(polled(far, {each: ids[each]}))
        assert together.sentinels[each] == alone.sentinels[each], each
    assert together.sentinels[KEYS[9]].claim == ids[KEYS[9]]


def test_what_a_script_puts_in_the_way_of_many_holds_up_none(far: FarEnd) -> None:
    """A pipe that comes between the look at a directory and the reading of its files would be the end of each poll of its login."""
    far.submit_all([submission(each) for each in KEYS])
    ids = {each: str(100 + place) for place, each in enumerate(KEYS)}
    for job_id in ids.values():
        far.forget_job(job_id)
    pipe = far.run_dir(KEYS[3]) / "id"
    far.shadow("awk", f'case $* in *" {pipe.relative_to(far.tree)} "*) rm -f "{pipe}"; mkfifo "{pipe}" ;; esac\nexec "$real" "$@"')
    seen = far.exchange(polled(far, ids))
    assert seen.sentinels.keys() == set(KEYS)
    assert [seen.sentinels[each].id for each in KEYS] == [ids[each] if each != KEYS[3] else "" for each in KEYS]
    assert pipe.exists()


def test_a_poll_that_has_no_time_left_says_what_it_has_not_looked_at(far: FarEnd) -> None:
    """Of thousands that end at once none would ever be seen: each poll would be cut, thrown away and begun anew."""
    far.submit_all([submission(each) for each in KEYS])
    ids = {each: str(100 + place) for place, each in enumerate(KEYS)}
    for each in KEYS:
        far.run_job(ids[each], each)
        far.forget_job(ids[each])
    far.shadow("od", 'sleep 0.4\nexec "$real" "$@"')
    left, polls = dict(ids), 0
    while left:
        seen = far.exchange(polled(far, left, look_seconds=1))
        looked_at = left.keys() - seen.later
        assert looked_at, "a poll came to nothing"
        assert all(seen.sentinels[each].finished and seen.sentinels[each].log for each in looked_at)
        left = {each: ids[each] for each in left if each in seen.later}
        polls += 1
    assert polls > 1


@pytest.mark.parametrize("ran", [False, True], ids=["waiting", "running"])
def test_a_deletion_among_others_makes_few_processes(far: FarEnd, ran: bool) -> None:
    """Whoever deletes a hundred Jobs would have the login node start thousands of processes, and wait for them."""
    far.submit_all([submission(each) for each in KEYS])
    ids = {each: str(100 + place) for place, each in enumerate(KEYS)}
    if ran:
        for each in KEYS:
            (far.run_dir(each) / "claim").symlink_to(f"{ids[each]}.nonce")
            (far.run_dir(each) / "started-0").write_text(f"{ids[each]} 0 1700000000 n1\n/nowhere\n/nowhere\n")
            far.set_job(ids[each], "RUNNING", each)

    def asked(keys: Sequence[RunKey]) -> Exchange[Mapping[RunKey, CancelAnswer]]:
        return far.slurm.cancel(token_hex(16), far.known, [Cancellation(each, CancelPhase.ASK, (), StopWord.DELETE) for each in keys])

    def removed(keys: Sequence[RunKey]) -> Exchange[Removed]:
        return far.slurm.remove(token_hex(16), far.known, Removal(keys))

    costs = []
    for keys in KEYS[:4], KEYS[4:]:          # by the difference between four and eight: what each one adds
        cancelled, answers = counted(far, asked(keys))
        assert all(answer.known and answer.ids == (ids[each],) for each, answer in answers.items())
        for each in keys:
            far.set_job(ids[each], "CANCELLED", each)
            if ran:
                (far.run_dir(each) / "finished-0").write_text(f"{ids[each]} 0 143 1700000001 TERM\n")
        seen, observation = counted(far, polled(far, {each: ids[each] for each in keys}))
        assert all(observation.sentinels[each].revoked != ran for each in keys)
        buried, done = counted(far, removed(keys))
        assert done.keys == set(keys)
        assert all([entry.name for entry in far.run_dir(each).iterdir()] == ["claim"] for each in keys)
        costs.append((cancelled, seen, buried))
    (four, eight) = costs
    each_adds = [(after - before) / 4 for before, after in zip(four, eight, strict=True)]
    print(far.shell, costs, each_adds)
    of_links = 3 + 2 * ran if far.shell == "busybox" else 0    # its `ls` has no -q: each link is read by itself
    of_listings = 0 if far.shell == "bash" else 1 / 4      # in eight they are more than a pipe holds: one process more feeds them to awk
    assert sum(each_adds) <= (3 if ran else 2) + of_links + of_listings


def test_old_tombstones_go_by_as_many_processes_as_one(far: FarEnd) -> None:
    """Each sweep of a site with thousands of Jobs a day would start as many processes for each of them."""
    costs = []
    for keys in KEYS[:4], KEYS[4:]:
        far.remove(*keys)
        for each in keys:
            then = far.run_dir(each).stat().st_mtime - 9 * 86400
            os.utime(far.run_dir(each), (then, then))
        cost, _ = counted(far, far.slurm.remove(token_hex(16), far.known, Removal((), sweep=True)))
        costs.append(cost)
        assert list((far.tree / "runs").iterdir()) == list((far.tree / "tmp").iterdir()) == []
    assert costs[1] - costs[0] <= (4 if far.shell == "busybox" else 0)     # its `ls` has no -q: each link is read by itself
