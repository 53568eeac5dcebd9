"""`fairlead logs`: a Job's whole output file, straight from its cluster, with the rights and the network of the person who asks."""

import asyncio
import os
import secrets
import sys
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import aclosing
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from fairlead.api.v1alpha1 import names
from fairlead.api.v1alpha1.reasons import ClusterReason
from fairlead.domain.address import Address
from fairlead.domain.cluster import Cluster, address_of, known_hosts_of
from fairlead.domain.errors import Forbidden, Unanswered, UserFault
from fairlead.domain.job import Job
from fairlead.domain.plain_text import PlainText
from fairlead.domain.run import Tree
from fairlead.handlers.reading import read_cluster, read_job
from fairlead.kube.client import JsonObject, KubeClient, path_of
from fairlead.kube.faults import NotFound
from fairlead.kube.references import KubeReferences
from fairlead.schedulers.fence import SEPARATOR
from fairlead.schedulers.seam import Exchange
from fairlead.schedulers.slurm.scheduler import Slurm
from fairlead.schedulers.slurm.text import clean
from fairlead.ssh.stream import stream

DEFAULT_KUBECONFIG: Final = Path("~/.kube/config")
_PREAMBLE_BYTES: Final = 64 * 1024       # what a login shell may print before our rows
_SENTENCE_CHARACTERS: Final = 1000
_INTERRUPTED_EXIT: Final = 130           # 128 + SIGINT, as shells say it


@dataclass(frozen=True, slots=True)
class Request:
    """Whose output is wanted, which of the two files, and whether as it is."""

    namespace: str
    name: str
    stderr: bool = False
    raw: bool = False


def run(request: Request, kubeconfig: str | None, context: str | None) -> int:
    """Print a Job's output file to standard output; the exit code. A reader that goes away and Ctrl-C end it without a word.

    Raises `UserFault` when there is nothing to print or the person may not read what is needed, `ApiFault`, `RemoteFault`.
    """
    try:
        asyncio.run(_print(request, KubeClient.load(_kubeconfig(kubeconfig), context)))
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())   # or Python complains when it flushes at its end
        return 0
    except KeyboardInterrupt:
        return _INTERRUPTED_EXIT
    return 0


def _kubeconfig(named: str | None) -> str | None:
    """The file to use: the one that is named, else a person's own if it is there, else none (a pod's service account)."""
    if named and os.pathsep in named:
        raise UserFault(f"KUBECONFIG names several files ({named}): name the one to use with --kubeconfig")
    own = DEFAULT_KUBECONFIG.expanduser()
    return named or (str(own) if own.exists() else None)


async def _print(request: Request, client: KubeClient) -> None:
    async with client:
        job, cluster = await _objects(client, request)
        address = await _address(client, cluster)
    plain = None if request.raw else PlainText()
    async with aclosing(_output(request, job, cluster, address)) as pieces:
        async for piece in pieces:
            await _write(piece if plain is None else plain.feed(piece).encode())
    if plain is not None:
        await _write(plain.end().encode())


async def _write(piece: bytes) -> None:
    """In a thread, so that the connection lives on while a pager does not read."""
    def write() -> None:
        sys.stdout.buffer.write(piece)
        sys.stdout.buffer.flush()

    await asyncio.to_thread(write)


async def _objects(client: KubeClient, request: Request) -> tuple[Job, Cluster]:
    job = read_job(await _get(client, "Job", names.JOB_PLURAL, request.namespace, request.name))
    if job.status.run is None:
        why = next((each.message for each in job.status.conditions if each.type == "Submitted" and each.status != "True"), "")
        whose = f"Job {request.namespace}/{request.name}"
        raise UserFault(f"{whose} has not been submitted yet, so there is no output{f': {why}' if why else ''}")
    cluster = read_cluster(await _get(client, "Cluster", names.CLUSTER_PLURAL, request.namespace, job.spec.cluster_ref.name))
    return job, cluster


async def _get(client: KubeClient, kind: str, plural: str, namespace: str, name: str) -> JsonObject:
    try:
        return await client.request("GET", path_of("apis", names.GROUP, names.VERSION, "namespaces", namespace, plural, name))
    except NotFound as error:
        raise UserFault(f"There is no {kind} {name} in the namespace {namespace}") from error
    except Forbidden as error:
        raise UserFault(f"You may not read the {kind} {namespace}/{name}: ask for the right to get {plural}.{names.GROUP} there") from error


async def _address(client: KubeClient, cluster: Cluster) -> Address:
    data, namespace = KubeReferences(client), cluster.ref.namespace
    wanted, keys = cluster.spec.auth_secret_ref.name, cluster.spec.host_keys.known_hosts_secret_ref
    try:
        known_hosts = known_hosts_of(cluster, await data.read_secret(namespace, keys.name) if keys else None)
        return address_of(cluster, await data.read_secret(namespace, wanted), known_hosts)
    except Forbidden as error:
        raise UserFault(
            f"You may not read the Secret {namespace}/{wanted}, with which one logs in to Cluster {cluster.ref.name}: the whole output is "
            f"for those who may (ask for the right to get secrets in {namespace}). Once the Job has ended, the last 4 KiB stand in its "
            "status, in logs.tail."
        ) from error


async def _output(request: Request, job: Job, cluster: Cluster, address: Address) -> AsyncGenerator[bytes, None]:
    """The file's bytes. What the login shell printed before our first row is left out; raises `UserFault` if there is no file to read."""
    folder = cluster.status.work_dir
    if folder is None or not folder.path or not folder.marker:
        raise UserFault(f"Cluster {cluster.ref.namespace}/{cluster.ref.name} has never been reached: its status names no work folder")
    fence = secrets.token_hex(16)
    slurm = Slurm(installation="", bin_path=cluster.spec.slurm.bin_path or "")
    code = slurm.logs(fence, Tree(folder.path, folder.marker), job.key, stderr=request.stderr)
    async with aclosing(stream(address, Exchange("logs", code, b"", 0.0, 0, bytes))) as pieces:
        yield await _beginning(pieces, f"{fence}{SEPARATOR}".encode(), job)
        async for piece in pieces:
            yield piece


async def _beginning(pieces: AsyncIterator[bytes], mark: bytes, job: Job) -> bytes:
    """Read our rows; what came of the file behind them."""
    text = b""
    async for piece in pieces:
        text += piece
        while (place := _row_end(text, mark)) is not None:
            row, text = text[:place], text[place + 1:]
            kind, *fields = row[row.rindex(mark) + len(mark):].decode("utf-8", "replace").split(SEPARATOR)
            if kind == "log":
                return text
            if kind in {"no-log", "no-tree"}:
                said = clean(fields[0] if fields else "", _SENTENCE_CHARACTERS)
                raise UserFault(f"Job {job.ref.namespace}/{job.ref.name} has no output to be read: {said}")
        if len(text) > _PREAMBLE_BYTES:
            break
    raise Unanswered("The login node did not run the script: its shell printed something else", ClusterReason.LOGIN_SHELL_FAILED)


def _row_end(text: bytes, mark: bytes) -> int | None:
    """Where the first whole row of ours ends."""
    begins = text.find(mark)
    ends = text.find(b"\n", begins) if begins >= 0 else -1
    return ends if ends >= 0 else None


