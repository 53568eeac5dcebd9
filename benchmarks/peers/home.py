"""A home folder for one peer in the bed: its key, the host's key, and an ssh configuration that names both."""

from pathlib import Path

from bed.slurm import SlurmCluster
from bed.state import Bed


def home_for(bed: Bed, cluster: SlurmCluster, name: str) -> Path:
    """Make it; it goes with the bed. `.ssh/config` has its absolute paths, for programs that look into the account's home instead."""
    folder = bed.folder / f"peer-{name}"
    ssh = folder / ".ssh"
    ssh.mkdir(mode=0o700, parents=True)
    key = ssh / "id_ed25519"
    key.touch(0o600)
    key.write_text(cluster.private_key, encoding="utf-8")
    (ssh / "known_hosts").write_text(cluster.known_hosts + "\n", encoding="utf-8")
    (ssh / "config").write_text(
        f"Host {cluster.host}\n  User {cluster.user}\n  IdentityFile {key}\n  IdentitiesOnly yes\n  UserKnownHostsFile {ssh}/known_hosts\n"
        f"  StrictHostKeyChecking yes\n  BatchMode yes\n", encoding="utf-8")
    return folder
