"""Scripts are joined by order, so each says in its first lines what it needs and what it gives: nothing is used that nobody sets.

A shell knows no undeclared name: what is missing is empty, and a cancellation that reads an empty list of jobs cancels none.
"""

import re
from collections.abc import Iterator

import pytest

from fairlead.api.v1alpha1.cluster import ClusterSpec, ProcessHost
from fairlead.domain.run.answers import CancelPhase
from fairlead.domain.run.installation import Installation
from fairlead.domain.run.request import Submission
from fairlead.domain.run.run import Owner, RunKey, StopWord, Tree
from fairlead.schedulers import doctor, output, sh
from fairlead.schedulers.process.scheduler import Process
from fairlead.schedulers.seam import Cancellation, Place, Query, Removal, TreeRemoval
from fairlead.schedulers.slurm.scheduler import Slurm
from unit.schedulers.script_names import PRELUDE, SCRIPTS, TEXTS

HERE = Installation("here", "6e1a7b9c-0000-4000-8000-000000000001", b"s" * 32)
KEY = RunKey("0123abcd-0000-4000-8000-00000000000a", 1)
TREE, HOST = Tree("/home/x/.fairlead/here", "f" * 32), ProcessHost(host="x", slots=1)
SPEC = ClusterSpec.model_validate({
    "type": "Slurm", "endpoints": [{"host": "x"}], "user": "x", "authSecretRef": {"name": "x"},
    "hostKeys": {"knownHosts": "x ssh-ed25519 AAAA"},
})


def programs() -> Iterator[tuple[str, str]]:
    """The text of each program that is ever sent, and what it is for."""
    submission = Submission(KEY, Owner("lab", "x", KEY.uid), b"#!/bin/sh\n")
    for name, scheduler in (("slurm", Slurm(HERE)), ("process", Process(HERE, HOST))):
        for exchange in (
            scheduler.probe("f" * 32, Place("~/.fairlead", HERE, "", "e" * 32)), scheduler.submit("f" * 32, TREE, [submission]),
            scheduler.observe("f" * 32, TREE, Query({KEY: ""})), scheduler.listen("f" * 32, TREE, "", 55),
            scheduler.cancel("f" * 32, TREE, [Cancellation(KEY, CancelPhase.ASK, (), StopWord.DELETE)]),
            scheduler.remove("f" * 32, TREE, Removal([KEY])), scheduler.remove_tree("f" * 32, TreeRemoval(TREE, HERE)),
        ):
            yield f"{name} {exchange.verb}", exchange.code
    yield "doctor of Slurm", doctor.program("f" * 32, SPEC)
    yield "doctor of a host", doctor.program("f" * 32, SPEC, HOST)
    yield "logs", output.program("f" * 32, TREE, output.Reading(KEY))
    arguments = "TREE= MARKER= FENCE= BIN_PATH= SLOTS= GPUS= WATCH_SECONDS= KILL_SECONDS="       # which both set by themselves
    yield "runner", "\n".join((arguments.replace(" ", "\n"), sh.LIBRARY, sh.RUNNER))
    yield "keeper", "\n".join((arguments.replace(" ", "\n"), sh.LIBRARY, sh.KEEPER))
    yield "wrapper", sh.WRAPPER
    yield "enter", sh.ENTER


PROGRAMS = dict(programs())
UNCALLED = {"doctor of a host": frozenset({"TREE", "MARKER", "WATCH_SECONDS", "KILL_SECONDS", "full"})}
"""It takes the functions of a probe that need no tree, and calls none of the others."""
JOINED = {name: [script for script, text in TEXTS.items() if text in code] for name, code in PROGRAMS.items()}


def wanted_of(name: str) -> frozenset[str]:
    """What a script makes and one that it is sent with needs."""
    with_it = {other for joined in JOINED.values() if name in joined for other in joined if other != name}
    return frozenset(SCRIPTS[name].makes & frozenset().union(*(SCRIPTS[other].needs for other in with_it)))


@pytest.mark.parametrize("name", TEXTS)
def test_a_script_says_what_it_needs(name):
    """Who joins scripts would have to read all of them to know what has to be set."""
    assert sorted(SCRIPTS[name].says_it_needs) == sorted(SCRIPTS[name].needs)


@pytest.mark.parametrize("name", [name for name in TEXTS if name != PRELUDE])
def test_a_script_says_what_it_gives(name):
    """Who changes a script would not know what another one rests on."""
    assert sorted(SCRIPTS[name].says_it_gives) == sorted(wanted_of(name))


@pytest.mark.parametrize("name", PROGRAMS)
def test_all_that_a_program_needs_is_there(name):
    """A name that nobody sets is empty, and a function that is not there fails: on the login node, in the middle of a submission."""
    assert JOINED[name], "no script of ours is in it"
    frame = PROGRAMS[name]
    for script in JOINED[name]:
        frame = frame.replace(TEXTS[script], "")
    given = {*re.findall(r"(?:^|\s)([A-Z][A-Z0-9_]+)=", frame)}.union(*(SCRIPTS[script].makes for script in JOINED[name]))
    given |= UNCALLED.get(name, frozenset())
    lacking = {script: sorted(SCRIPTS[script].needs - given) for script in JOINED[name] if script != PRELUDE}
    assert not any(lacking.values()), lacking


def test_every_script_is_in_a_program():
    """A script that nobody sends would be linted and tested for nothing."""
    assert {script for joined in JOINED.values() for script in joined} == set(TEXTS)
