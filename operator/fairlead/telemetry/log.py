"""Log lines: one JSON object each, or coloured text for a person. Lines of libraries come out in the same shape.

Fields that a task binds with `structlog.contextvars` (a site's: cluster and site) are in every line that it writes.
Tracebacks show no local variables: there may be a key among them.
"""

import logging
import sys
from typing import TextIO

import structlog
from structlog.typing import Processor

_LIBRARY_LEVELS = {
    "asyncio": logging.WARNING,
    "asyncssh": logging.WARNING,         # at info it tells of each channel
    "aiohttp.access": logging.WARNING,   # probes and scrapes
    "kopf": logging.INFO,
    "kopf.objects": logging.WARNING,     # at info it tells of each watch event
}
_SHARED: tuple[Processor, ...] = (
    structlog.contextvars.merge_contextvars,
    structlog.stdlib.add_log_level,
    structlog.stdlib.add_logger_name,
    structlog.processors.TimeStamper(fmt="iso", utc=True, key="time"),
    structlog.processors.StackInfoRenderer(),
)


def configure(log_format: str = "json", level: str = "info", stream: TextIO | None = None) -> None:
    """Send lines from `level` on (debug, info, warning, error) to `stream` (stderr), as `json` or for the `console`. Call it first."""
    structlog.configure(
        processors=[*_SHARED, structlog.stdlib.ProcessorFormatter.wrap_for_formatter],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.make_filtering_bound_logger(logging.getLevelNamesMapping()[level.upper()]),
        cache_logger_on_first_use=False,
    )
    handler = logging.StreamHandler(stream or sys.stderr)
    handler.setFormatter(structlog.stdlib.ProcessorFormatter(
        foreign_pre_chain=_SHARED,
        processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, *_renderers(log_format, colors=handler.stream.isatty())],
    ))
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(level.upper())
    for name, least in _LIBRARY_LEVELS.items():
        logging.getLogger(name).setLevel(max(least, root.level))


def _renderers(log_format: str, *, colors: bool) -> list[Processor]:
    if log_format == "console":
        return [structlog.dev.ConsoleRenderer(colors=colors, exception_formatter=structlog.dev.plain_traceback)]
    return [
        structlog.processors.format_exc_info,
        structlog.processors.EventRenamer("message"),
        structlog.processors.JSONRenderer(ensure_ascii=False, default=str),
    ]
