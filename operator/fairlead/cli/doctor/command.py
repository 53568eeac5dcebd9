"""The command: all hosts of a Cluster, some at a time, shown in their order."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Any, Final

import click

from fairlead.cli.doctor.finding import Finding, Result
from fairlead.cli.doctor.show import Progress, as_json, summary, text
from fairlead.cli.doctor.source import DoctorOptions, of_cluster, of_manifest, of_options
from fairlead.cli.doctor.way import Survey, Target, worst
from fairlead.cli.reach import Means
from fairlead.domain.errors import UserFault
from fairlead.telemetry.log import configure

AT_ONCE: Final = 8


def run(asked: Mapping[str, Any]) -> int:
    """Look at what the options of the command ask for, and print what is found. The exit code: 0, or 1 where something must be changed.

    Raises `UserFault` and `ApiFault` when there is nothing to look at.
    """
    configure("console", "error")
    cluster, host, file = asked["cluster"], asked["host"], asked["file"]
    if sum(map(bool, (cluster, host, file))) != 1:
        raise UserFault("Name one of these: a Cluster, as [NAMESPACE/]NAME; a file with -f; a host with --host, --user and -i")
    if host and not asked["user"]:
        raise UserFault("Say with --user as whom to log in")

    async def targets() -> Sequence[Target]:
        if cluster:
            return await of_cluster(cluster, asked["namespace"], asked["way"])
        means = Means(asked["identity"], asked["known_hosts"], asked["seconds"])
        if file:
            return of_manifest(file, means)
        spec = {"workDir": asked["work_dir"]} if asked["work_dir"] else {}
        slurm = {"slurm": {"binPath": asked["bin_path"]}} if asked["bin_path"] else {}
        return of_options(DoctorOptions(host, asked["user"], asked["kind"], asked["jumps"], {**spec, **slurm}), means)

    return asyncio.run(_run(targets, asked["output"]))


async def _run(source: Callable[[], Awaitable[Sequence[Target]]], output: str) -> int:
    progress, places = Progress(), asyncio.Semaphore(AT_ONCE)
    progress.tell("reading the Cluster ...")
    try:
        targets = await source()

        async def look(target: Target) -> list[Finding]:
            async with places:
                return await Survey(target, lambda step: progress.tell(f"{target.endpoint}: {step} ...")).findings()

        looks = [asyncio.create_task(look(target)) for target in targets]
        reports: list[list[Finding]] = []
        for target, task in zip(targets, looks, strict=True):
            reports.append(await task)
            if output == "text":
                progress.clear()
                click.echo(text(target, reports[-1]) + "\n")
    finally:
        progress.clear()
    click.echo(as_json(targets, reports) if output == "json" else summary(reports))
    return 1 if any(worst(each) is Result.WRONG for each in reports) else 0
