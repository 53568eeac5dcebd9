"""A process that wants the Lease: `contender.py KUBECONFIG NAMESPACE DURATION_SECONDS`.

Each line it prints: seconds (CLOCK_BOOTTIME) and leads().
"""

import asyncio
import sys

import structlog

from fairlead.engine.clock import SystemClock
from fairlead.kube.client import KubeClient
from fairlead.kube.lease import Lease, LeaseSettings


async def main(kubeconfig: str, namespace: str, duration_seconds: str) -> None:
    clock = SystemClock()
    async with KubeClient.load(kubeconfig) as client:
        lease = Lease(client, LeaseSettings(namespace, "leader", int(duration_seconds), 0.5, 0.5), clock)
        await lease.acquire()
        lost = asyncio.create_task(lease.lost())
        while not lost.done():
            asked = clock.monotonic()
            print(asked, lease.leads(), flush=True)
            await asyncio.wait([lost], timeout=0.02)
        print(clock.monotonic(), "lost", flush=True)


structlog.configure(logger_factory=structlog.PrintLoggerFactory(sys.stderr))
asyncio.run(main(*sys.argv[1:]))
