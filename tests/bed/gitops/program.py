"""The programs of this folder: built when they are not in the cache, and asked."""

import hashlib
import json
import subprocess
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from bed.controlplane import versions
from bed.controlplane.binaries import Source, provide_from
from bed.controlplane.gobuild import Module
from bed.errors import BedError
from bed.state import Bed

MODULE = Path(__file__).parent
TIMEOUT_SECONDS = 60
Object = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Verdict:
    """One word of a tool for an object, in the tool's own spelling, and what it shows beside it."""

    status: str
    message: str


@dataclass(frozen=True, slots=True)
class Comparison:
    """Argo CD's: `predicted` is what it takes a sync for to make of `live`."""

    modified: bool
    live: Object
    predicted: Object


@dataclass(frozen=True, slots=True)
class Applied:
    """A manifest, its object, and what the API server `would` make of it by another server-side apply (a dry run, with managedFields)."""

    config: Object
    live: Object
    would: Object


@dataclass(frozen=True, slots=True)
class Words:
    """What the tools call the state of an object."""

    path: Path

    @classmethod
    def ensure(cls, bed: Bed) -> "Words":
        """From the cache, or built once. A build ends with the bed.

        Raises:
            BedError: it cannot be built; the message has Go's last words.
        """
        return cls(_ensure(bed, "words"))

    def kstatus(self, objects: Sequence[Object]) -> list[Verdict]:
        """Flux's status of each object: InProgress, Current, Failed, Terminating."""
        return [Verdict(**each) for each in _ask(self.path, ["kstatus"], objects)]

    def health(self, scripts: Mapping[str, str], objects: Sequence[Object]) -> list[Verdict]:
        """Argo CD's health of each object, with these Lua scripts by kind: Healthy, Progressing, Degraded, Suspended."""
        return [Verdict(**each) for each in _ask(self.path, ["health"], {"scripts": scripts, "objects": objects})]

    def check_flux(self, objects: Sequence[Object]) -> None:
        """That objects of Flux's own kinds (Kustomization, GitRepository) have no field that Flux does not know.

        Raises:
            BedError: one has; the message says which.
        """
        _ask(self.path, ["flux"], objects)


@dataclass(frozen=True, slots=True)
class Drift:
    """Whether Argo CD shows an object as out of sync."""

    path: Path

    @classmethod
    def ensure(cls, bed: Bed) -> "Drift":
        """Like that of `Words`, but a build takes about three minutes on two cores."""
        return cls(_ensure(bed, "drift"))

    def compare(self, pairs: Sequence[tuple[Object, Object]]) -> list[Comparison]:
        """Each manifest with its object: by three ways if the object has what kubectl applied last, else by two."""
        return self._compared({"pairs": [{"config": config, "live": live} for config, live in pairs]})

    def compare_by_server(self, applied: Sequence[Applied], schemas: Object, manager: str) -> list[Comparison]:
        """The same with ServerSideDiff=true, for this field manager. `schemas` is what the API server has at /openapi/v2."""
        pairs = [{"config": each.config, "live": each.live, "would": each.would} for each in applied]
        return self._compared({"pairs": pairs, "schemas": schemas, "manager": manager})

    def _compared(self, question: Object) -> list[Comparison]:
        return [Comparison(**each) for each in _ask(self.path, [], question)]


def _ensure(bed: Bed, name: str) -> Path:
    """In the cache by what it is made of: another text is another program."""
    files = [MODULE / "go.mod", MODULE / "go.sum", *sorted((MODULE / name).glob("*.go"))]
    digest = hashlib.sha256(b"".join(file.read_bytes() for file in files)).hexdigest()[:12]
    module = Module(MODULE, lambda program: f"./{program}", dict)
    return provide_from(Source(f"gitops-{name}-{digest}-linux-{versions.machine()}", module, None), [name], bed)[name]


def _ask(program: Path, args: Sequence[str], question: Any) -> list[Any]:
    done = subprocess.run(
        [program, *args], input=json.dumps(question), capture_output=True, text=True, timeout=TIMEOUT_SECONDS, check=False,
    )
    if done.returncode:
        raise BedError(f"`{' '.join([program.name, *args])}` failed: {done.stderr.strip()}")
    answer: list[Any] = json.loads(done.stdout)
    return answer
