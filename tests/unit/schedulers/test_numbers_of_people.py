"""What people write as numbers and options is refused with a sentence or works: never an exception that stops the Jobs beside it."""

import random
from contextlib import suppress

import pytest

from fairlead.api.v1alpha1.cluster import ProcessHost, SlurmSettings
from fairlead.api.v1alpha1.memory import memory_mib
from fairlead.api.v1alpha1.time_limit import MOST_SECONDS, slurm_time, time_limit_seconds
from fairlead.domain.errors import UserFault
from fairlead.domain.job.job_request import request
from fairlead.schedulers.process.preparer import ProcessPreparer
from fairlead.schedulers.sbatch import directives
from fairlead.schedulers.sbatch.vocabulary import NAMES, Takes
from fairlead.schedulers.slurm.preparer import SlurmPreparer
from product.objects import a_job

HOST = ProcessPreparer([ProcessHost(host="box", slots=8, gpus=2)])
SLURM = SlurmPreparer(SlurmSettings())
LONG = "9" * 4000


@pytest.mark.parametrize(("line", "words"), [
    (f"--ntasks={LONG}", "line 2 .*--ntasks holds a number of more than 15 digits: write the number"),
    (f"-c {LONG}", "line 2 .*--cpus-per-task holds a number"),
    (f"--time={'9' * 30}", "line 2 .*--time holds a number"),
    (f"--mem={LONG}G", "line 2 .*--mem holds a number"),
    (f"--nice={LONG}", "line 2 .*--nice holds a number"),
    (f"--gres=gpu:{LONG}", "line 2 .*--gres holds a number"),
    ("--ntasks=" + "9" * 5000, "line 2 .*longer than 4096 characters: part it"),
    ("--comment=" + "x" * 5000, "line 2 .*longer than 4096 characters: part it"),
    ("-H " * 200_000, "line 2 .*longer than 4096 characters"),
    ("--time=1\n#SBATCH " * 300 + "-c 1", "line 258 .*may hold 256 such lines"),
    ("--job-name=" + "n" * 2000 + "\n#SBATCH --output=" + "%x" * 1000, "the path in --output.* longer than 4096"),
], ids=lambda value: value[:30])
def test_a_line_of_a_script_is_refused_by_its_number(line: str, words: str) -> None:
    """One script stopped the submissions of a Cluster, and placing for all, for ever."""
    for preparer in (SLURM, HOST):
        with pytest.raises(UserFault, match=words):
            preparer.prepare(request(a_job(script="#!/bin/sh"), f"#!/bin/sh\n#SBATCH {line}\n"))


@pytest.mark.parametrize(("line", "words"), [
    ("--ntasks=1234567890", "ntasks is a number of at most 9 digits .* not '1234567890'"),
    ("--ntasks=\u0663", "ntasks is a number"),
    ("--ntasks=0", "ntasks is 1 or more .* not 0"),
    ("--cpus-per-task=0", "cpus-per-task is 1 or more"),
    ("--time=999999999", "--time=999999999: the time limit is longer than 100000 days: write a shorter one"),
    ("--time=1234567890", "the time limit '1234567890' cannot be read"),
    ("--time=100001-00:00:00", "longer than 100000 days: write a shorter one"),
    ("--time=999999999999d", "longer than 100000 days"),
    ("--ntasks=x" + "y" * 1000, r"ntasks is a number .* not 'xy{38}…'"),
])
def test_a_bare_host_is_given_numbers_that_its_shell_can_count_with(line: str, words: str) -> None:
    """dash counts in 64 bits: a limit of 30 digits was none."""
    with pytest.raises(UserFault, match=words):
        HOST.prepare(request(a_job(script="#!/bin/sh"), f"#!/bin/sh\n#SBATCH {line}\n"))


@pytest.mark.parametrize("text", ["100000d", "100000-0:0", "144000000m", "2400000h"])
def test_the_longest_time_limit_is_kept(text: str) -> None:
    """Ten years too few, and a site's own "for ever" would be refused."""
    assert time_limit_seconds(text) == MOST_SECONDS


@pytest.mark.parametrize("text", ["100001d", "999999999999999d", "999999999999999s", "2400001h"])
def test_a_longer_one_is_refused(text: str) -> None:
    """Slurm keeps minutes in 32 bits: it would be cut to another length."""
    for read in (time_limit_seconds, slurm_time):
        with pytest.raises(ValueError, match="longer than 100000 days"):
            read(text)
    with pytest.raises(UserFault, match="spec: the time limit is longer"):
        SLURM.prepare(request(a_job(timeLimit=text), None))


@pytest.mark.parametrize("text", ["1e999999Gi", "1e99", "9" * 5000, "9" * 400 + "Gi", "0.0000000001", "1e-99", "٣Gi", "-1Gi", "NaN", "inf"])
def test_a_quantity_out_of_range_is_refused(text: str) -> None:
    """The number behind it has a million digits."""
    with pytest.raises(ValueError, match="memory is a Kubernetes quantity from 1Mi to 1000Pi"):
        memory_mib(text)


@pytest.mark.parametrize("script", [
    "#!/bin/sh\n" + "\n" * 1_000_000 + "#SBATCH -c 2", "#!/bin/sh\n" + "#\n" * 500_000 + "#SBATCH -c 2",
    "#!/bin/sh\n" + " " * 1_000_000 + "\n#SBATCH -c 2",
    "#!/bin/sh\n" + "# \t" * 300_000 + "\n#SBATCH -c 2",
], ids=["empty lines", "comments", "one line of blanks", "one long comment"])
def test_a_megabyte_before_the_last_option_is_looked_through(script: str) -> None:
    """An option would be dropped in silence; or each line cost as much as the whole script."""
    last, = directives.parse(script)
    assert (last.line, last.words) == (script.count("\n") + 1, ("-c", "2"))


WORST = [LONG, "9" * 16, "-1", "0", "", "x", "1e9", "\u0663", "'", '"', "\\", "%x%j", "~root/x", "/" * 4000, ":", "a:b:c", "inf",
         "1-2", "--", "="]


@pytest.mark.parametrize("seed", range(200))
def test_whatever_stands_in_a_script_is_prepared_or_refused_in_a_sentence(seed: int) -> None:
    """An exception of another kind is nobody's fault, and is tried again for ever."""
    chance = random.Random(seed)
    lines = []
    for _ in range(chance.randint(1, 4)):
        name = chance.choice([*NAMES])
        joined = chance.choice(["=", " "]) if NAMES[name] is not Takes.NOTHING else ""
        lines.append(f"#SBATCH --{name}{joined}{chance.choice(WORST) if joined else ''}")
    for preparer in (SLURM, HOST):
        with suppress(UserFault):
            made = preparer.prepare(request(a_job(script="#!/bin/sh"), "#!/bin/sh\n" + "\n".join(lines) + "\n"))
            assert all(len(option) < 5000 for option in made.options)
