"""Programs run by an ordinary user: one without any right of root's, as the kernel sees it, with a line in passwd and a home of their own.

A user namespace makes one of root. Files stay what they are to them (they own what root owns), so checkout, Python and cache need not be
copied; everything that takes a capability is refused.
"""

from pathlib import Path

from bed_tests.runs import Run

UID = 12345
REGISTRY = Path(f"/tmp/fairlead-bed-{UID}")
_WITH_PASSWD = 'mount --bind "$1" /etc/passwd && shift && exec "$@"'


class PersonsRun(Run):
    """A program that such a user runs. Its processes are those of its user namespace."""

    _space: int | None = None

    def left(self) -> list[str]:
        """A sentence for each thing of it that is on the machine."""
        processes = [f"process {entry.name} is still running" for entry in Path("/proc").glob("[0-9]*") if _space(entry) == self._space]
        return [*super().left(), *processes, *([f"{REGISTRY} is still there"] if REGISTRY.exists() else [])]

    def _argv(self, program: tuple[str, ...]) -> list[str]:
        passwd = self._folder / "passwd"
        passwd.write_text(f"{Path('/etc/passwd').read_text()}person:x:{UID}:{UID}::{self._folder / 'home'}:/bin/bash\n")
        return ["unshare", "--mount", "--propagation", "private", "sh", "-c", _WITH_PASSWD, "sh", str(passwd),
                "unshare", "--user", f"--map-user={UID}", f"--map-group={UID}", "--", *super()._argv(program)]

    def _note(self) -> None:
        super()._note()
        space = _space(Path("/proc") / str(self._process.pid))
        if space not in {None, _space(Path("/proc/self"))}:
            self._space = space


def _space(process: Path) -> int | None:
    try:
        return (process / "ns/user").stat().st_ino
    except OSError:
        return None
