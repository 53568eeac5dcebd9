"""How many connections a process may hold: no more than the files that the system lets it open, whatever its settings say."""

import resource
from dataclasses import dataclass, replace

import structlog

from fairlead.kube.client import STANDARD
from fairlead.ssh.limits import PoolLimits

log = structlog.get_logger()

OWN = 32
"""Files beside connections: the log, two event loops, threads' pipes, the health pages and who asks for them."""
SESSIONS = 2                         # with the API server: the engine's and kopf's


@dataclass(frozen=True, slots=True)
class DescriptorShares:
    """What may be open at the same time: connections of each session with the API server, and the bounds of those to login nodes."""

    api: int
    ssh: PoolLimits


def wanted(limits: PoolLimits) -> int:
    """Files that are open at most with these limits. A connection that is being made may need one more, for its name."""
    return OWN + SESSIONS * STANDARD.connections + limits.connections + limits.connects + limits.looks


def shares(limits: PoolLimits, files: int) -> DescriptorShares:
    """What fits into so many files: all that the limits say, or a third of it for the API server and the rest for login nodes."""
    if files >= wanted(limits):
        return DescriptorShares(STANDARD.connections, limits)
    free = max(files - OWN, 8)
    api = max(min(STANDARD.connections, free // 6), 1)
    rest = free - SESSIONS * api
    connects = max(min(limits.connects, rest // 4), 1)
    return DescriptorShares(api, replace(limits, connects=connects, connections=max(min(limits.connections, rest - connects), 1)))


def shared_out(limits: PoolLimits, watches: int = 0) -> DescriptorShares:
    """What this process may hold beside so many watches of single namespaces, which take a connection each.

    Raises its limit of open files as far as it may and must, and says in the log what it lacks.
    """
    needed = wanted(limits) + watches
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if resource.RLIM_INFINITY not in {soft, hard} and soft < min(needed, hard):
        soft = min(needed, hard)
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
    found = shares(limits, (needed if soft == resource.RLIM_INFINITY else soft) - watches)
    if found.ssh != limits:
        log.warning("few_open_files", may_open=soft, needed=needed, ssh_connections=found.ssh.connections, wanted=limits.connections,
                    advice="raise the process's limit of open files (ulimit -n), or lower the setting ssh.connections")
    return found
