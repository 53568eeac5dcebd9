"""A kind of owners of Runs as a test sees it: so that one scene is played with Jobs and with Trials."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

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

    def __str__(self) -> str:
        return self.name

    def word(self, condition: str) -> str:
        """What a Job's condition is called here."""
        return self.words.get(condition, condition)

    def fault(self, text: str) -> str:
        """A fault at a Job's call as one at this kind's."""
        return text.replace("_jobs_", f"_{self.plural}_")


def of_either_kind(*, jobs: int = 1, trials: int) -> pytest.MarkDecorator:
    """A test is played with Jobs, and with Trials: of so many parameter sets of either, `make test` has one; 0: none."""
    shares = ((JOB, jobs), (TRIAL, trials))
    marked = [pytest.param(kind, id=kind.name, marks=[] if of == 1 else [pytest.mark.long(of=of)]) for kind, of in shares]
    return pytest.mark.parametrize("kind", marked, indirect=True)


JOB: Final = OwnerKind("Job", "jobs", ("-m", "fairlead", "controller"), ("-m", "product.faulty", "controller"))
TRIAL: Final = OwnerKind(trial.NAME, trial.PLURAL, trial.PROGRAM, trial.PROGRAM, trial.WORDS)
