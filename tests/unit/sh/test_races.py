"""Two of everything at once, a thousand times over the shells, and a fifth of that in `make test`: one claim, one run."""

import subprocess
from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from shlex import quote

import pytest
from far_end import FarEnd, key, submission

from fairlead.domain.run.answers import CancelPhase, SubmitWord
from fairlead.domain.run.run import RunKey
from fairlead.schedulers import sh
from fairlead.schedulers.seam import COMMAND, Cancellation
from fairlead.schedulers.slurm.scheduler import BUILD

ROUNDS = 340                             # for each of three shells: a thousand in all
BATCH = 20

Rounds = Callable[[int], int]


def keys(count: int) -> list[RunKey]:
    return [key(number=1000 + number) for number in range(count)]


def race(far: FarEnd, of: list[RunKey], first: str, second: str) -> Counter[str]:
    """Run two shell lines at once for each key, as jobs or scripts at the far end, and count what the pairs ended with."""
    driver = far.root / "driver"
    known = far.known
    spool = far.root / "spool"
    spool.write_text(sh.WRAPPER)
    driver.write_text(f"""
wrapper() {{ SLURM_JOB_ID=$1 sh {spool} {known.path} {known.marker} $key {BUILD} $2 60 2>/dev/null; }}
revoke() {{ said=$(sh -c {quote(COMMAND)} <{far.root}/revoke-$key); case $said in *revoked*) true ;; *) false ;; esac; }}
round=0
while read -r key; do
  round=$((round + 1))
  ({first}) & a=$!
  ({second}) & b=$!
  wait $a; x=$?; wait $b; y=$?
  echo "$x $y"
done
""")
    done = subprocess.run(
        [str(far.root / "tools" / "sh"), str(driver)], input="".join(f"{one}\n" for one in of), text=True, capture_output=True, check=True,
        env=far.job_environment("0"), cwd="/", timeout=110,
    )
    assert done.stderr == ""
    return Counter(done.stdout.splitlines())


def prepared(far: FarEnd, count: int, script: str) -> list[RunKey]:
    """Run directories as the submit script leaves them, made from one that it made."""
    of = keys(count)
    template = submission(of[0], script, login_shell=False, stdout_path="/dev/null")
    assert far.submit(template).word is SubmitWord.SUBMITTED
    for other in of[1:]:
        subprocess.run(["cp", "-a", str(far.run_dir(of[0])), str(far.run_dir(other))], check=True)
    return of


def started(far: FarEnd) -> Counter[str]:
    return Counter(far.home.joinpath("runs").read_text().split())


@pytest.mark.long
def test_of_two_jobs_of_one_key_exactly_one_runs(far: FarEnd, rounds: Rounds) -> None:
    """Submitted twice by a hanging network, a script would run twice."""
    count = rounds(ROUNDS)
    of = prepared(far, count, f"#!/bin/sh\necho \"${{0%/script}}\" >>{far.home}/runs\n")
    pairs = race(far, of, "wrapper 1 --no-requeue", "wrapper 2 --no-requeue")
    assert set(pairs) == {"0 121", "121 0"}
    runs = started(far)
    assert (len(runs), set(runs.values())) == (count, {1})


@pytest.mark.long
def test_a_cancel_and_a_start_agree_on_whether_it_ran(far: FarEnd, rounds: Rounds) -> None:
    """A Job would be called never-run, and tried again, while its script runs."""
    count = rounds(ROUNDS) // 2
    of = prepared(far, count, f"#!/bin/sh\necho \"${{0%/script}}\" >>{far.home}/runs\n")
    (far.home / "runs").touch()
    for one in of:
        exchange = far.slurm.cancel("a" * 32, far.known, [Cancellation(one, CancelPhase.REVOKE)])
        (far.root / f"revoke-{one}").write_bytes(exchange.stdin())
    run = f"{far.known.path}/runs/$key"
    near = f"until ls -d {run}/.enter.* || [ -h {run}/claim ]; do :; done >/dev/null 2>&1"   # the wrapper is about to claim
    pairs = race(far, of, "sleep 0.0$((round % 3)); wrapper 1 --no-requeue", f"[ $((round % 3)) = 0 ] || {near}; revoke")
    assert set(pairs) <= {"0 1", "121 0"}
    assert len(started(far)) == pairs["0 1"]
    assert len(pairs) == 2, "neither ever won: not a race"


@pytest.mark.long
def test_of_two_submissions_of_one_key_one_reaches_the_scheduler(far: FarEnd, rounds: Rounds) -> None:
    """Two leaders at once would fill the queue with duplicates."""
    of = keys(rounds(ROUNDS) // BATCH * BATCH)
    with ThreadPoolExecutor(2) as pool:
        for start in range(0, len(of), BATCH):
            batch = [submission(one) for one in of[start:start + BATCH]]
            both = list(pool.map(far.submit_all, (batch, batch)))
            for one in batch:
                words = sorted(answers[one.key].word for answers in both)
                assert words in (
                    [SubmitWord.SUBMITTED, SubmitWord.SUBMITTED], [SubmitWord.NOT_YET, SubmitWord.SUBMITTED],
                ), words
            for job_id in far.jobs():
                far.forget_job(job_id)
    assert len(far.calls("sbatch")) == len(of)


def test_two_resubmissions_of_one_key_run_it_once(far: FarEnd) -> None:
    """Submitting again is safe because of the claim, whatever both heard."""
    of = keys(BATCH)
    for one in of:
        far.run_dir(one).mkdir()
    batch = [submission(one, f"#!/bin/sh\necho {one} >>{far.home}/runs\n", resubmit=True, stdout_path="/dev/null") for one in of]
    with ThreadPoolExecutor(2) as pool:
        list(pool.map(far.submit_all, (batch, batch)))
    for job_id in far.jobs():
        command = (far.root / "jobs" / job_id).read_text().split("\x1f")[4]
        of_job = RunKey.parse(command.removeprefix("runs/").partition("/")[0])
        assert of_job is not None
        assert far.run_job(job_id, of_job).code in (0, 121)
    runs = started(far)
    assert (set(runs), set(runs.values())) == ({str(one) for one in of}, {1})


def test_two_first_probes_agree_on_one_tree(bare: FarEnd) -> None:
    """Two controllers would each hold a marker, and each see the other's tree as foreign."""
    with ThreadPoolExecutor(4) as pool:
        trees = {probe.tree for probe in pool.map(lambda _: bare.probe(), range(8))}
    assert len(trees) == 1
    assert Path(next(iter(trees)).path).is_dir()  # type: ignore[union-attr]
