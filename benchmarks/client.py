"""What the library `kubernetes` costs at a start, beside aiohttp, over which it sends: CPU time and memory of a new interpreter."""

import json
import subprocess
import sys
from dataclasses import dataclass
from functools import partial
from typing import Final

from benchmarks.figures import Figure, Good, Result
from benchmarks.run import Run

_MIB: Final = 1 << 20
_SECONDS: Final = 60
_SCRIPT: Final = """
import json, resource, sys, time
for name in sys.argv[1:]:
    __import__(name)
with open("/proc/self/statm") as statm:
    pages = int(statm.read().split()[1])
print(json.dumps([time.process_time(), pages * resource.getpagesize()]))
"""
_METHOD: Final = """New interpreters import what they need to speak to the API server, and say how much CPU time and resident memory they
have used: the library as Fairlead uses it, and beside it aiohttp and the YAML reader alone, with which Fairlead had a client of its own
before. Then the controller's program, whole; beside it the same without the library, by a module of that name that has nothing in it but
what is asked of it while modules load. Bytecode is there, as it is in the image."""
_WITHOUT: Final = """
import sys
from types import ModuleType
class Empty(ModuleType):
    __path__ = []
    def __getattr__(self, name):
        if name.startswith("__"):
            raise AttributeError(name)
        return type(name, (Exception,), {})
for name in ("", ".client", ".aio", ".aio.client", ".aio.config", ".aio.config.exec_provider", ".aio.config.incluster_config",
             ".aio.config.kube_config", ".aio.config.openid"):
    sys.modules["kubernetes" + name] = Empty("kubernetes" + name)
"""


@dataclass(frozen=True, slots=True)
class Took:
    """One start."""

    seconds: float
    bytes: int

    def __str__(self) -> str:
        return f"{self.seconds:.3g} s, {self.bytes / _MIB:.3g} MiB"


def measure(run: Run) -> Result:
    """Seconds and MiB of a start with the library and without it."""
    figures: list[Figure] = []
    for what, ours, before, peer in (
        ("The client alone", ["kubernetes.aio.client", "kubernetes.aio.config"], "", ["aiohttp", "yaml"]),
        ("The controller", ["fairlead.cli.main", "fairlead.app.program"], _WITHOUT, ["fairlead.cli.main", "fairlead.app.program"]),
    ):
        found = run.interleaved(what, {"with": partial(_start, "", ours), "without": partial(_start, before, peer)})
        mine, other = found["with"], found["without"]
        figures += [
            Figure(f"{what}, without the library beside it", "CPU s", Good.LOW, [each.seconds for each in mine],
                   [each.seconds for each in other]),
            Figure(f"{what}: memory", "MiB", Good.LOW, [each.bytes / _MIB for each in mine], [each.bytes / _MIB for each in other]),
        ]
    notes = ["Importing any part of the library loads its blocking half too, requests and OAuth with it; the generated models stay away.",
             "It is the price for reading kubeconfigs and credentials as kubectl does. Completion of commands and options does without."]
    return Result("client", "What the Kubernetes library costs", _METHOD, run.rounds, figures, notes)


def _start(before: str, modules: list[str]) -> Took:
    argv = [sys.executable, "-c", before + _SCRIPT, *modules]
    done = subprocess.run(argv, capture_output=True, text=True, check=True, timeout=_SECONDS)
    seconds, resident = json.loads(done.stdout)
    return Took(seconds, resident)
