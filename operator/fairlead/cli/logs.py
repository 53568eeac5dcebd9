"""`fairlead logs`: the whole output of a Job or Session, straight from its cluster, by the rights and network of the person who asks."""

import asyncio
import os
import sys
from contextlib import aclosing
from dataclasses import dataclass, replace
from typing import Final

from fairlead.api.v1alpha1 import names
from fairlead.api.v1alpha1.reasons import ClusterReason, JobCondition
from fairlead.cli.access import KubeAccess
from fairlead.cli.follow import Follower, Write
from fairlead.cli.objects import get_owner
from fairlead.cli.output import NoOutput, Output
from fairlead.domain.errors import Unanswered, UserFault
from fairlead.domain.plain_text import PlainText
from fairlead.domain.run.watched import WatchedOwner
from fairlead.kube.client import KubeClient

_INTERRUPTED_EXIT: Final = 130           # 128 + SIGINT, as shells say it


@dataclass(frozen=True, slots=True)
class Request:
    """Whose output is wanted, which of the two files, how much of it, and whether as it is. No namespace: the context's."""

    namespace: str
    name: str
    kind: str = names.JOB_KIND
    follow: bool = False
    stderr: bool = False
    raw: bool = False
    tail_lines: int | None = None

    def __str__(self) -> str:
        return f"{self.kind} {self.namespace}/{self.name}"


def run(request: Request, way: KubeAccess) -> int:
    """Print an output file to standard output; the exit code. A reader that goes away and Ctrl-C end it without a word.

    Raises `UserFault` when there is nothing to print or the person may not read what is needed, `ApiFault`, `RemoteFault`.
    """
    try:
        return asyncio.run(_print(request, way.client()))
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())   # or Python complains when it flushes at its end
        return 0
    except KeyboardInterrupt:
        return _INTERRUPTED_EXIT


async def _print(request: Request, client: KubeClient) -> int:
    plain = None if request.raw else PlainText()

    async def write(piece: bytes) -> None:
        await _write(piece if plain is None else plain.feed(piece).encode())

    request = replace(request, namespace=request.namespace or client.namespace)
    async with client:
        owner = await get_owner(client, request.kind, request.namespace, request.name)
        async with Output(client, owner, stderr=request.stderr, tail_lines=request.tail_lines, raw=request.raw) as output:
            code = 0
            if request.follow:
                code = await Follower(client, owner, output, write).to_the_end()
            else:
                await _print_whole(request, owner, output, write)
    if plain is not None:
        await _write(plain.end().encode())
    return code


async def _print_whole(request: Request, owner: WatchedOwner, output: Output, write: Write) -> None:
    """All that the file holds now."""
    if owner.status.run is None:
        submitted = owner.status.condition(JobCondition.SUBMITTED)
        why = f": {submitted.message}" if submitted and submitted.status != "True" and submitted.message else ""
        raise UserFault(f"{request} has not been submitted yet, so there is no output{why}")
    size, before = None, -1
    while size is None or output.offset < size:
        if output.offset == before:
            raise Unanswered(f"Reading {output.path} stopped at byte {before} of {size}", ClusterReason.CONNECTION_LOST)
        before = output.offset
        try:
            async with aclosing(output.read()) as pieces:
                async for piece in pieces:
                    await write(piece)
        except NoOutput as error:
            raise UserFault(f"{request} has no output to be read: {error}") from error
        size = output.place.size if output.place and size is None else size


async def _write(piece: bytes) -> None:
    """In a thread, so that the connection lives on while a pager does not read."""
    def write() -> None:
        sys.stdout.buffer.write(piece)
        sys.stdout.buffer.flush()

    await asyncio.to_thread(write)
