"""A bare SSH host that runs systemd: as process 1 of namespaces of its own, with logind, PAM and a sshd that it has started.

    enclosure (network, mounts, host name)
      └ unshare (pids, control groups, mounts), which ends them all when it ends
          └ systemd ── dbus · logind · sshd ── session-1.scope
                    └─ user@UID.service ── the user's own scopes

Of the machine's kernel it sees its control group alone, and no setting it could change.
"""

import subprocess
import time
from pathlib import Path
from typing import Self

from bed import cgroups
from bed.enclosure import SYSTEM_PATH, USER
from bed.errors import BedError
from bed.releases import DEFAULT_RELEASE, release_of
from bed.slurmconf import INSIDE
from bed.sshd import SshHost
from bed.sshdconf import LoginOptions
from bed.state import Bed

_READY_SECONDS = 60.0
_UNITS = {
    # what Debian starts beside these is for a machine of its own, and a module would be loaded into the real one's kernel
    "sysinit.target": "[Unit]\nDefaultDependencies=no\n",
    "modprobe@.service": "[Service]\nType=oneshot\nExecStart=/bin/true\n",
    "systemd-journald.socket": "", "systemd-journald-dev-log.socket": "", "systemd-journald.service": "",   # empty: there is none
    "host.target": "[Unit]\nRequires=dbus.service systemd-logind.service systemd-user-sessions.service ssh-host.service\n",
    "ssh-host.service": (
        "[Unit]\nAfter=dbus.service systemd-logind.service systemd-user-sessions.service\n"
        f"[Service]\nKillMode=process\nExecStart=/usr/sbin/sshd -D -f {INSIDE}/ssh/sshd_config -E {INSIDE}/log/sshd.log\n"
    ),
}


class SystemdHost(SshHost):
    """A host with systemd. Its sshd is systemd's: it cannot be stopped and started like another login node's."""

    group: Path   # the control group that is the root of all inside
    _booted: "subprocess.Popen[bytes]"

    @classmethod
    def boot(cls, bed: Bed, logind: str = "", *, linger: bool = False) -> Self:
        """A host that takes logins, after a second or two. `logind` are lines of logind.conf(5); `linger`: see loginctl(1).

        Raises BedError when it does not.
        """
        host = cls(bed, release_of(DEFAULT_RELEASE), "host", LoginOptions(("UsePAM yes",)))
        host.user_pids = host._people
        for name, text in _UNITS.items():
            host.write(f"systemd/units/{name}", text)
        host.write("systemd/logind.conf.d/bed.conf", f"[Login]\n{logind}\n")
        host.group = cgroups.make(host.enclosure.network.name)
        host.write("systemd/boot", _script(host.group))
        with host._log.open("w") as output:
            enter = host.enclosure.argv("setsid", "sh", f"{INSIDE}/systemd/boot", user=False)
            host._booted = subprocess.Popen(enter, stdin=subprocess.DEVNULL, stdout=output, stderr=output)
        try:
            host._await()
            if linger:
                host.enable_linger()
        except BaseException:
            host.stop()
            raise
        return host

    def enable_linger(self) -> None:
        """What a Cluster's condition says to have run. Inside: logind answers nobody whose process it cannot see."""
        of = self._booted.pid
        systemd = Path(f"/proc/{of}/task/{of}/children").read_text().strip()
        subprocess.run(["nsenter", "--target", systemd, "--all", "loginctl", "enable-linger", USER], check=True, stdin=subprocess.DEVNULL)

    def login_scopes(self) -> list[Path]:
        """The control groups in which logind keeps what logins have started."""
        return [*self.group.glob("user.slice/*/session-*.scope")]

    def run_scopes(self) -> list[Path]:
        """Those of the scopes that Runs are in."""
        return [*self.group.glob("user.slice/*/user@*.service/app.slice/fairlead-*.scope")]

    def stop(self) -> None:
        """Ends systemd with all that it has started, and removes the namespaces and the folder. A second call does nothing."""
        super().stop()
        self._booted.wait()

    @property
    def _log(self) -> Path:
        return self.folder / "log/systemd.log"

    def _await(self) -> None:
        deadline = time.monotonic() + _READY_SECONDS
        while not (self.sshd.log.exists() and "Server listening" in self.sshd_log()):
            if time.monotonic() > deadline or self._booted.poll() is not None:
                words = self._log.read_text(errors="replace").strip().splitlines()[-12:]
                raise BedError(f"systemd did not come up within {_READY_SECONDS:.0f} s: " + "\n".join(words))
            time.sleep(0.02)

    def _people(self) -> set[int]:
        """The user's processes without the user's own systemd, which no login has started for itself."""
        return {pid for pid in self.enclosure.user_pids() if not _is_manager(pid)}


def _is_manager(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/cgroup").read_text().endswith(".service/init.scope\n")
    except OSError:
        return False


def _script(group: Path) -> str:
    """What becomes systemd. The group is entered first: it is the root of all groups that are seen inside."""
    return "\n".join([
        "set -eu",
        f"echo 0 > {group}/cgroup.procs",
        "exec unshare --fork --kill-child=KILL --pid --cgroup --ipc --mount --mount-proc --propagation private sh -euc '",
        "mount --bind /proc/sys /proc/sys; mount -o remount,bind,ro /proc/sys; mount -o remount,bind,ro /sys",
        "mount -t cgroup2 cgroup2 /sys/fs/cgroup",
        "[ ! -e /dev/console ] || mount --bind /dev/null /dev/console",
        "mount -t tmpfs -o mode=755 tmpfs /var/lib/systemd",
        f"mkdir -p /run/systemd; cp -r {INSIDE}/systemd/units /run/systemd/system; cp -r {INSIDE}/systemd/logind.conf.d /run/systemd/",
        f"exec env -i container=bed PATH={SYSTEM_PATH} /lib/systemd/systemd --system --unit=host.target --default-standard-output=null'",
    ]) + "\n"
