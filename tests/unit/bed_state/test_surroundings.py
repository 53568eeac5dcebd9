"""What a test says must not depend on who has started it."""

import os
import resource
import signal
import sys
from pathlib import Path

import pytest

from bed import surroundings
from bed.surroundings import NO_HOME, plain

HOME = Path("/home/ann")
FOUND = {"XDG_CACHE_HOME": "/home/ann/.cache", "GOPATH": "/home/ann/go", "GOENV": "/home/ann/.config/go/env"}
ALWAYS = {"HOME": NO_HOME, "LC_ALL": "C.UTF-8", "LANG": "C.UTF-8", "TZ": "UTC"}


@pytest.mark.parametrize(("before", "after"), [
    pytest.param({"SLURM_CONF": "/x", "SBATCH_ACCOUNT": "a", "SQUEUE_FORMAT": "%i"}, FOUND, id="Slurm's settings"),
    pytest.param({"SSH_AUTH_SOCK": "/x", "KUBECONFIG": "/x", "GIT_DIR": "/x", "DEMO": "process"}, FOUND, id="settings of others"),
    pytest.param({"ENV": "/x", "BASH_ENV": "/x", "CDPATH": "/x", "POSIXLY_CORRECT": "1"}, FOUND, id="what changes shells"),
    pytest.param({"LC_ALL": "tr_TR.UTF-8", "LANGUAGE": "tr", "TZ": "Asia/Tokyo", "HOME": "/home/ann"}, FOUND, id="where somebody lives"),
    pytest.param({"PATH": "/bin", "XDG_CACHE_HOME": "/big"}, {**FOUND, "PATH": "/bin", "XDG_CACHE_HOME": "/big"}, id="what the bed needs"),
    pytest.param({"http_proxy": "http://p"}, {**FOUND, "http_proxy": "http://p", "no_proxy": "localhost,127.0.0.1,::1",
                                              "NO_PROXY": "localhost,127.0.0.1,::1"}, id="a proxy is not for the bed itself"),
    pytest.param({"PYTHONDONTWRITEBYTECODE": "1"}, {**FOUND, "PYTHONPYCACHEPREFIX": f"{sys.prefix}/bytecode"},
                 id="bytecode is kept, and not beside the source"),
])
def test_what_is_left_of_an_environment(before: dict[str, str], after: dict[str, str]) -> None:
    environment = dict(before)
    plain(environment, HOME)
    assert environment == {**after, **ALWAYS}


def test_a_cluster_that_was_named_on_purpose_is_used() -> None:
    """`--use-existing` would find none."""
    environment = {"KUBECONFIG": "/x"}
    plain(environment, HOME, ("KUBECONFIG",))
    assert environment["KUBECONFIG"] == "/x"


def test_done_twice_it_is_the_same() -> None:
    """A worker of a test run would look for what was fetched in a home that is not there."""
    environment = {"HOME": str(HOME)}
    plain(environment, HOME)
    once = dict(environment)
    plain(environment, Path(NO_HOME))
    assert environment == once


def test_this_very_run_is_settled() -> None:
    """It would be written, and not be used."""
    own = os.umask(0o077)
    os.umask(own)
    assert (own, os.environ["HOME"], os.environ["TZ"]) == (0o022, NO_HOME, "UTC")
    assert resource.getrlimit(resource.RLIMIT_NOFILE)[0] <= surroundings.FILES
    assert not [number for number in (signal.SIGHUP, signal.SIGINT, signal.SIGTERM) if signal.getsignal(number) is signal.SIG_IGN]
