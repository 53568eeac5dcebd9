"""Which names a script of the far end needs, makes, and says of both in its first lines. Read from its text, without running it.

A name in capitals is a variable, one in small letters a function of ours. What the prelude makes, and what every process finds in its
environment, need not be said.
"""

import re
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Final

import fairlead.schedulers.sh

[_FOLDER] = fairlead.schedulers.sh.__path__
TEXTS: Final = {f"{path.parent.name}/{path.stem}": path.read_text() for path in sorted(Path(_FOLDER).rglob("*.sh"))}
PRELUDE: Final = "common/prelude"
_ENVIRONMENT: Final = frozenset({"HOME", "PATH", "USER", "LOGNAME", "SHELL", "PPID", "LC_ALL", "LD_LIBRARY_PATH", "LD_PRELOAD",
                                 "KRB5CCNAME"})
_NAME: Final = r"[A-Z][A-Z0-9_]+"
_ASSIGNED: Final = r"(?<![\w$\"{-])"
_CODE: Final = re.compile(
    r"(?P<drop>\\.|'[^']*'|(?<!\S)\#[^\n]*)|(?P<keep>\$\(\(.*?\)\))|(?P<begin>\$\(|\(|\")|(?P<end>\))|(?P<rest>.)", re.DOTALL)
_QUOTED: Final = re.compile(
    rf"(?P<drop>\\.)|(?P<name>\$\(\(.*?\)\)|\$\{{?{_NAME})|(?P<begin>\$\()|(?P<end>\")|(?P<text>.)", re.DOTALL)
_AHEAD: Final = r"(?:^|[;&|(]|[{!]\s|\b(?:then|do|else|if|while|until|elif|in)\s|\))\s*(?:!\s*)?"
_FOREIGN: Final = ("SLURM_", "SLURMD_")  # variables of a scheduler's own
FRAME: Final = frozenset({"FENCE", "US", "BIN_PATH"})
"""What stands in front of every program that is sent."""


def plain_code(text: str) -> str:
    """The text without comments and without what stands in quotes, but for variables and commands in double quotes."""
    out: list[str] = []
    inside = [_CODE]
    at = 0
    while at < len(text):
        found = inside[-1].match(text, at)
        assert found, text[at:at + 20]
        at = found.end()
        out.append({"drop": "", "text": "", "name": f" {found[0]} "}.get(found.lastgroup or "", found[0]))
        if found.lastgroup == "begin":
            inside.append(_QUOTED if found[0] == '"' else _CODE)
        elif found.lastgroup == "end" and len(inside) > 1:
            inside.pop()
    return "".join(out)


@dataclass(frozen=True)
class Script:
    """One script by its name, as `common/submit`."""

    name: str

    @cached_property
    def _code(self) -> str:
        return plain_code(TEXTS[self.name])

    @cached_property
    def makes(self) -> frozenset[str]:
        """The functions and variables that it defines."""
        code = self._code
        read = (word for words in re.findall(r"\bread ([^;<|\n&}]*)", code) for word in re.findall(rf"\b({_NAME})\b", words))
        assigned = {name for name in re.findall(rf"{_ASSIGNED}({_NAME})=", code) if not self._only_changes(name)}
        return self.functions | {*assigned, *re.findall(rf"\bfor ({_NAME})\b", code), *read}

    def _only_changes(self, name: str) -> bool:
        """Whether it has to be set before: each line that sets it reads it, too, or one in front of these does, outside of functions."""
        lines = self._code.splitlines()
        sets = [number for number, line in enumerate(lines) if re.search(rf"{_ASSIGNED}{name}=", line)]
        reads = {number for number, line in enumerate(lines) if re.search(rf"\$\{{?{name}\b", line)}
        return reads.issuperset(sets) or any(number < sets[0] and lines[number][:1].isupper() for number in reads)

    @cached_property
    def functions(self) -> frozenset[str]:
        """The functions that it defines."""
        return frozenset(re.findall(r"^([a-z_]+)\(\) ?[{(]", TEXTS[self.name], re.MULTILINE))

    @cached_property
    def _uses(self) -> frozenset[str]:
        code = self._code
        names = {*re.findall(rf"\$\{{?({_NAME})\b", code)}
        names.update(name for inside in re.findall(r"\$\(\((.*?)\)\)", code) for name in re.findall(rf"\b({_NAME})\b", inside))
        bodies = re.sub(r"^[a-z_]+\(\)", "", code, flags=re.MULTILINE)
        return frozenset(names | {*re.findall(rf"{_AHEAD}([a-z_]+)\b(?![=(\w])", bodies, re.MULTILINE)})

    @cached_property
    def needs(self) -> frozenset[str]:
        """What it uses and does not make, the prelude's names and the environment's apart."""
        known = _ENVIRONMENT | (frozenset() if self.name == PRELUDE else SCRIPTS[PRELUDE].makes | FRAME)
        tree = {"TREE", "MARKER"} if "into_tree" in self._uses and self.name != PRELUDE else set()
        return frozenset(name for name in (self._uses | tree) - self.makes - known
                         if (name in _FUNCTIONS or name.isupper()) and not name.startswith(_FOREIGN))

    @cached_property
    def says_it_needs(self) -> frozenset[str]:
        """By its first lines."""
        return self._said("Needs")

    @cached_property
    def says_it_gives(self) -> frozenset[str]:
        """By its first lines."""
        return self._said("Gives")

    def _said(self, word: str) -> frozenset[str]:
        """The names of a paragraph `# Needs: NAME (what it is), NAME.`; what stands in brackets explains."""
        end = r"(?=# (?:Needs|Gives)\b|#\n|# shellcheck|(?!# ))"
        found = re.search(rf"^# {word}: (.*?\.)\n{end}", TEXTS[self.name], re.MULTILINE | re.DOTALL)
        if found is None:
            return frozenset({f"(no line `# {word}:`)"})
        names = found[1].replace("\n#", "")
        while names != (names := re.sub(r"\([^()]*\)", "", names)):
            pass
        return frozenset(filter(None, (name.strip() for name in names.rstrip(".").split(",")))) - {"nothing"}


SCRIPTS: Final = {name: Script(name) for name in TEXTS}
_FUNCTIONS: Final = frozenset().union(*(script.functions for script in SCRIPTS.values()))
