"""A log line must say which cluster, run and attempt it is about, in one shape, and never hold a secret."""

import asyncio
import io
import json
import logging
from collections.abc import Iterator
from typing import Any
from uuid import uuid4

import pytest
import structlog
from structlog.contextvars import bound_contextvars

from fairlead.domain.run.run import RunKey
from fairlead.telemetry.log import configure

RUN = RunKey("0f5ddf7e-0000-4000-8000-000000000001", 2)


@pytest.fixture
def stream() -> Iterator[io.StringIO]:
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    yield io.StringIO()
    root.handlers[:] = handlers
    root.setLevel(level)
    structlog.reset_defaults()


def connect(passphrase: str) -> None:
    raise RuntimeError("a bug" if passphrase else "none")


def lines(stream: io.StringIO) -> list[dict[str, Any]]:
    return [json.loads(line) for line in stream.getvalue().splitlines()]


def test_each_line_inside_a_context_names_cluster_key_and_attempt(stream: io.StringIO) -> None:
    configure("json", "info", stream)
    with bound_contextvars(cluster="science/hpc"), bound_contextvars(key=str(RUN), attempt=RUN.attempt):
        structlog.get_logger("fairlead.x").info("submitted", id="7")
    structlog.get_logger("fairlead.x").info("outside")
    inside, outside = lines(stream)
    wanted = {"message": "submitted", "level": "info", "id": "7", "cluster": "science/hpc", "key": str(RUN), "attempt": 2}
    assert inside.items() >= wanted.items()
    assert not {"cluster", "key", "attempt"} & set(outside)


async def test_tasks_that_run_side_by_side_do_not_mix_their_contexts(stream: io.StringIO) -> None:
    configure("json", "info", stream)

    async def work(cluster: str) -> None:
        with bound_contextvars(cluster=cluster):
            for _ in range(3):
                await asyncio.sleep(0)
                structlog.get_logger().info("polled", expected=cluster)

    await asyncio.gather(work("a/a"), work("b/b"))
    assert {(line["cluster"], line["expected"]) for line in lines(stream)} == {("a/a", "a/a"), ("b/b", "b/b")}


def test_lines_of_libraries_have_the_same_shape_and_the_context(stream: io.StringIO) -> None:
    configure("json", "info", stream)
    with bound_contextvars(cluster="science/hpc"):
        logging.getLogger("asyncssh").warning("Host key %s changed", "SHA256:x")
        logging.getLogger("asyncssh").info("channel opened")
    [line] = lines(stream)
    assert (line["message"], line["logger"], line["cluster"]) == ("Host key SHA256:x changed", "asyncssh", "science/hpc")


@pytest.mark.parametrize("log_format", ["json", "console"])
def test_a_traceback_shows_no_local_variables(stream: io.StringIO, log_format: str) -> None:
    configure(log_format, "info", stream)
    secret = uuid4().hex
    try:
        connect(secret)
    except RuntimeError:
        structlog.get_logger().exception("loop_failed")
    assert "RuntimeError: a bug" in stream.getvalue()
    assert secret not in stream.getvalue()


def test_lines_below_the_level_are_left_out(stream: io.StringIO) -> None:
    configure("json", "warning", stream)
    structlog.get_logger().info("polled")
    logging.getLogger("kopf").info("watching")
    structlog.get_logger().warning("breaker_opened")
    assert [line["message"] for line in lines(stream)] == ["breaker_opened"]


def test_a_line_break_from_a_remote_host_forges_no_line(stream: io.StringIO) -> None:
    configure("json", "info", stream)
    structlog.get_logger().info("refused", said='no\n{"message":"job_submitted"}')
    assert len(lines(stream)) == 1
