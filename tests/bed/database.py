"""munge and MariaDB inside a cluster: one of each per cluster, so that they end with it and no two clusters meet in them."""

import os

from bed.enclosure import Enclosure
from bed.faults import Service
from bed.login import LoginNode
from bed.slurmconf import DATABASE_PASSWORD, INSIDE
from bed.sshdconf import DATABASE_UID

_SOCKET = "/run/mysqld/mysqld.sock"
_SMALL_AND_QUICK = (  # a test's data: nothing of it must survive the machine
    "--skip-networking", "--skip-name-resolve", "--innodb-buffer-pool-size=64M", "--innodb-log-file-size=32M",
    "--innodb-flush-log-at-trx-commit=0", "--innodb-lock-wait-timeout=900", "--performance-schema=OFF", "--skip-log-bin",
    "--loose-innodb-snapshot-isolation=OFF",  # Slurm refuses to work with it, and MariaDB 11 has it on
    "--character-set-server=utf8mb4",
)


def munge_of(node: LoginNode) -> Service:
    """The cluster's munged, with a key of its own; not started."""
    uid = account_id(node.enclosure, "munge")
    folder = node.folder / "munge"
    folder.mkdir(mode=0o700)
    (folder / "key").write_bytes(os.urandom(1024))
    (folder / "key").chmod(0o400)
    for path in (folder, folder / "key"):
        os.chown(path, uid, uid)
    files = " ".join(f"--{what}-file={INSIDE}/munge/{what}" for what in ("key", "log", "seed"))
    as_munge = "setpriv --reuid=munge --regid=munge --clear-groups"
    argv = ("sh", "-ec", f"install -d -o munge -g munge -m 755 /run/munge; exec {as_munge} munged --force --num-threads=2 {files}")
    return Service("munged", node.enclosure, argv, node.enclosure.seen("/run/munge/munged.pid"), folder / "log")


def mariadb_of(node: LoginNode) -> Service:
    """The cluster's MariaDB with its data folder made and Slurm's account in it once it is started; about two seconds."""
    folder = node.folder / "mysql"
    folder.mkdir(mode=0o755)
    os.chown(folder, DATABASE_UID, DATABASE_UID)
    data = f"{INSIDE}/mysql/data"
    node.run("mariadb-install-db", "--no-defaults", "--user=mysql", f"--datadir={data}", "--auth-root-authentication-method=socket",
             "--skip-test-db", user=False)
    node.run("sh", "-ec", "chown mysql:mysql /run/mysqld /run/mariadbd", user=False)
    options = " ".join((f"--datadir={data}", f"--socket={_SOCKET}", f"--pid-file={INSIDE}/mysql/pid", *_SMALL_AND_QUICK))
    background = f"setsid mariadbd --no-defaults --user=mysql {options} </dev/null >{INSIDE}/mysql/log 2>&1 &"
    return Service("mariadbd", node.enclosure, ("sh", "-ec", background), folder / "pid", folder / "log",
                   ready=lambda: _has_account(node.enclosure))


def account_id(enclosure: Enclosure, name: str) -> int:
    """The user id of a system account of the enclosure's root."""
    lines = (line.split(":") for line in (enclosure.root / "etc/passwd").read_text().splitlines())
    return next(int(fields[2]) for fields in lines if fields[0] == name)


def _has_account(enclosure: Enclosure) -> bool:
    grant = f"create user if not exists slurm@localhost identified by '{DATABASE_PASSWORD}'; grant all on *.* to slurm@localhost"
    return enclosure.run("mariadb", "-uroot", f"--socket={_SOCKET}", "-e", grant, user=False, check=False).returncode == 0
