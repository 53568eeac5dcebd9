"""Requests at a steady rate, whether or not the ones before were answered."""

import asyncio
from collections.abc import Awaitable, Callable


async def offered(request: Callable[[int], Awaitable[object]], rate: float, count: int) -> list[float]:
    """Make `count` requests, `rate` a second; how many seconds each took, from the moment at which it was due.

    Those that are due are begun together, since the event loop wakes to the millisecond. A request's exception ends it, in a group.
    """
    loop = asyncio.get_running_loop()
    began = loop.time()
    waits: list[float] = []

    async def one(number: int) -> None:
        await request(number)
        waits.append(loop.time() - (began + number / rate))

    async with asyncio.TaskGroup() as requests:
        for number in range(count):
            if (early := began + number / rate - loop.time()) > 0:
                await asyncio.sleep(early)
            requests.create_task(one(number))
            if number % 32 == 31:
                await asyncio.sleep(0)   # a generator that has fallen behind still lets the others run
    return waits
