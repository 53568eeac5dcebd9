"""A kind of owners of Runs as a test sees it: so that one scene is played with Jobs, with Sessions and with Trials."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final

import pytest

from product import trial


@dataclass(frozen=True, slots=True)
class OwnerKind:
    """`words` are its conditions by those of a Job that mean the same, `program` is the controller that sees to it."""

    name: str
    plural: str
    program: tuple[str, ...]
    faulty: tuple[str, ...]          # the same with faults
    words: Mapping[str, str] = field(default_factory=dict, compare=False)
    is_product: bool = True          # the product knows it: its definition is there, and its controller sees to it

    def __str__(self) -> str:
        return self.name

    def word(self, condition: str) -> str:
        """What a Job's condition is called here."""
        return self.words.get(condition, condition)

    def spec(self, what: Mapping[str, Any]) -> dict[str, Any]:
        """A Job's spec as this kind's: a Session has its process and its resources apart, and runs a script as a command."""
        if self.name != "Session":
            return dict(what)
        spec = {name: value for name, value in what.items() if name not in {"script", "command", "memory"}}
        command = what.get("command") or ["/bin/sh", "-c", what["script"]]
        resources = {"resources": {"memory": what["memory"]}} if "memory" in what else {}
        return {"application": {"command": command, "port": 8000}, **resources, **spec}

    def fault(self, text: str) -> str:
        """A fault at a Job's call as one at this kind's."""
        return text.replace("_jobs_", f"_{self.plural}_")


def of_either_kind(*, jobs: int = 1, trials: int, sessions: int = 0) -> pytest.MarkDecorator:
    """A test is played with Jobs, Sessions and Trials: of so many parameter sets of each, `make test` has one; 0: none."""
    shares = ((JOB, jobs), (TRIAL, trials), *(((SESSION, sessions),) if sessions else ()))
    marked = [pytest.param(kind, id=kind.name, marks=[] if of == 1 else [pytest.mark.long(of=of)]) for kind, of in shares]
    return pytest.mark.parametrize("kind", marked, indirect=True)


JOB: Final = OwnerKind("Job", "jobs", ("-m", "fairlead", "controller"), ("-m", "product.faulty", "controller"))
SESSION: Final = OwnerKind("Session", "sessions", JOB.program, JOB.faulty, {"Complete": "Ended", "Running": "Allocated"})
TRIAL: Final = OwnerKind(trial.NAME, trial.PLURAL, trial.PROGRAM, trial.PROGRAM, trial.WORDS, is_product=False)
