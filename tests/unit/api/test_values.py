"""Memory and time limits as users write them, in Slurm's units."""

import pytest

from fairlead.api.v1alpha1.memory import memory_mib
from fairlead.api.v1alpha1.time_limit import slurm_time, time_limit_seconds


@pytest.mark.parametrize(("quantity", "mib"), [
    pytest.param("4Gi", 4096, id="binary giga"),
    pytest.param("4G", 3815, id="decimal giga is rounded up"),
    pytest.param("500M", 477, id="decimal mega is rounded up"),
    pytest.param("1Mi", 1, id="smallest"),
    pytest.param("1025Ki", 2, id="one kibibyte more is one mebibyte more"),
    pytest.param("1.5Gi", 1536, id="fraction"),
    pytest.param("0.1Gi", 103, id="fraction that binary floats do not hold"),
    pytest.param(1073741824, 1024, id="whole number of bytes"),
    pytest.param("1073741825", 1025, id="one byte above is one mebibyte above"),
    pytest.param("2e9", 1908, id="exponent"),
    pytest.param("2E9", 1908, id="capital exponent"),
    pytest.param("1048576000m", 1, id="thousandths of a byte"),
    pytest.param("1Ti", 1048576, id="tebi"),
    pytest.param("1000P", 953674316407, id="decimal peta"),
    pytest.param("4096", None, id="a number that was meant as megabytes"),
    pytest.param("1023Ki", None, id="below the smallest"),
    pytest.param("1001Pi", None, id="above the largest"),
    pytest.param("1e99", None, id="far above the largest"),
    pytest.param("4GB", None, id="not a suffix of Kubernetes"),
    pytest.param("4ki", None, id="kibi is Ki"),
    pytest.param("-4Gi", None, id="negative"),
    pytest.param("4 Gi", None, id="with a space"),
    pytest.param("4Gi\n", None, id="with a line end"),
    pytest.param("٤Gi", None, id="digits of another script"),
    pytest.param("", None, id="empty"),
])
def test_memory(quantity, mib):
    """A Job would ask Slurm for less memory than its manifest says, or for nothing that Slurm knows."""
    if mib is None:
        with pytest.raises(ValueError, match="memory is a Kubernetes quantity"):
            memory_mib(quantity)
    else:
        assert memory_mib(quantity) == mib


@pytest.mark.parametrize(("text", "slurm"), [
    pytest.param("90m", "0-01:30:00", id="minutes"),
    pytest.param("36h", "1-12:00:00", id="hours"),
    pytest.param("1d12h", "1-12:00:00", id="days and hours"),
    pytest.param("1d2h3m4s", "1-02:03:04", id="every unit"),
    pytest.param("45s", "0-00:00:45", id="seconds"),
    pytest.param("1-12:00:00", "1-12:00:00", id="sbatch days-hours:minutes:seconds"),
    pytest.param("1-12:30", "1-12:30:00", id="sbatch days-hours:minutes"),
    pytest.param("2-0", "2-00:00:00", id="sbatch days-hours"),
    pytest.param("12:00:00", "0-12:00:00", id="sbatch hours:minutes:seconds"),
    pytest.param("100:00:00", "4-04:00:00", id="sbatch more hours than a day has"),
    pytest.param("10:30", "0-00:10:30", id="sbatch minutes:seconds"),
    pytest.param("90", None, id="bare number"),
    pytest.param("0", None, id="zero"),
    pytest.param("0h", None, id="zero hours"),
    pytest.param("00:00:00", None, id="zero as sbatch writes it"),
    pytest.param("", None, id="empty"),
    pytest.param("1h1d", None, id="units out of order"),
    pytest.param("1.5h", None, id="fraction"),
    pytest.param("1:2:3:4", None, id="too many parts"),
    pytest.param("UNLIMITED", None, id="no limit at all"),
    pytest.param("1h\n", None, id="with a line end"),
])
def test_time_limit(text, slurm):
    """A Job would run for another time than its manifest says."""
    if slurm is None:
        with pytest.raises(ValueError, match="timeLimit is a length of time above zero with its unit"):
            time_limit_seconds(text)
    else:
        assert slurm_time(text) == slurm


def test_time_limit_of_absurd_length():
    """A number of a million digits would stop the controller for minutes."""
    with pytest.raises(ValueError, match="at most 16 characters"):
        time_limit_seconds("9" * 1_000_000 + "h")
