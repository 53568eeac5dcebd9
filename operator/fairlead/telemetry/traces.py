"""Traces of the way of each Job from `kubectl apply` to its id, over OTLP: off unless OpenTelemetry's own variables name an endpoint.

A trace is made when the way is over, of the steps with the times that they had: nothing waits for a collector, and without
traces there is no cost. No span holds the name of an object, a host or a user: `fairlead.run.key` is the key that log lines have, too.

OpenTelemetry is an extra, `pip install fairlead[traces]`, and is imported only when traces are asked for.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from importlib.metadata import version
from typing import TYPE_CHECKING, Final

import structlog

from fairlead.domain.errors import UserFault
from fairlead.telemetry.journeys import Journey, JourneyStep, Sink

if TYPE_CHECKING:
    from opentelemetry.sdk.trace import TracerProvider
    from opentelemetry.trace import Span, Tracer

log = structlog.get_logger()

ENDPOINTS: Final = ("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", "OTEL_EXPORTER_OTLP_ENDPOINT")
PROTOCOLS: Final = ("OTEL_EXPORTER_OTLP_TRACES_PROTOCOL", "OTEL_EXPORTER_OTLP_PROTOCOL")
PROTOCOL: Final = "http/protobuf"
LAST_SECONDS: Final = 1.0
"""At the end: what is not sent within it is lost."""
_NANOSECONDS: Final = 1_000_000_000


@contextmanager
def exporting(environment: Mapping[str, str]) -> Iterator[Sink | None]:
    """Who is to be given each way that is over; None unless traces are asked for.

    Raises `UserFault` when they are asked for and cannot be had.
    """
    if not is_wanted(environment):
        yield None
        return
    provider = _provider(environment)
    tracer = provider.get_tracer("fairlead", version("fairlead"))
    log.info("tracing", endpoint_from=next(name for name in ENDPOINTS if environment.get(name)))
    try:
        yield lambda journey: _tell(tracer, journey)
    finally:
        last = threading.Thread(target=provider.shutdown, name="traces", daemon=True)   # a collector that hangs must not delay our exit
        last.start()
        last.join(LAST_SECONDS)


def is_wanted(environment: Mapping[str, str]) -> bool:
    """Whether the variables ask for traces. Raises `UserFault` when they ask for what there is not."""
    if environment.get("OTEL_SDK_DISABLED", "").lower() == "true" or not any(environment.get(name) for name in ENDPOINTS):
        return False
    exporter = environment.get("OTEL_TRACES_EXPORTER") or "otlp"
    if exporter not in {"otlp", "none"}:
        raise UserFault(f"OTEL_TRACES_EXPORTER is {exporter!r}: there is otlp, and none")
    protocol = next((environment[name] for name in PROTOCOLS if environment.get(name)), PROTOCOL)
    if protocol != PROTOCOL:
        raise UserFault(f"OTEL_EXPORTER_OTLP_PROTOCOL is {protocol!r}: there is only {PROTOCOL}, which collectors take on port 4318")
    return exporter == "otlp"


def _provider(environment: Mapping[str, str]) -> TracerProvider:
    """OpenTelemetry's own, which reads the rest of its variables: headers, time-outs, sampling, the resource's attributes."""
    try:
        from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter  # noqa: PLC0415  an extra
        from opentelemetry.sdk.resources import Resource  # noqa: PLC0415
        from opentelemetry.sdk.trace import TracerProvider  # noqa: PLC0415
        from opentelemetry.sdk.trace.export import BatchSpanProcessor  # noqa: PLC0415
    except ImportError as error:
        raise UserFault("traces are asked for (OTEL_EXPORTER_OTLP_ENDPOINT), and OpenTelemetry is not installed: "
                        "pip install 'fairlead[traces]'") from error
    is_named = environment.get("OTEL_SERVICE_NAME") or "service.name=" in environment.get("OTEL_RESOURCE_ATTRIBUTES", "")
    attributes = {"service.version": version("fairlead")} | ({} if is_named else {"service.name": "fairlead"})
    provider = TracerProvider(resource=Resource.create(attributes), shutdown_on_exit=False)
    provider.add_span_processor(BatchSpanProcessor(OTLPSpanExporter()))
    return provider


def _tell(tracer: Tracer, journey: Journey) -> None:
    """Make one trace of a way that is over. What goes wrong with it is nobody's trouble but the log's."""
    try:
        _trace(tracer, journey)
    except Exception:
        log.exception("trace_not_made", key=journey.key)


def _trace(tracer: Tracer, journey: Journey) -> None:
    from opentelemetry.context import Context  # noqa: PLC0415  it is there by now
    from opentelemetry.trace import StatusCode, set_span_in_context  # noqa: PLC0415

    def at(monotonic: float) -> int:
        return int((monotonic + journey.offset) * _NANOSECONDS)

    root = tracer.start_span("apply to id", Context(), start_time=at(journey.began), attributes={
        "fairlead.run.key": journey.key, "fairlead.scheduler": journey.scheduler, "fairlead.outcome": journey.outcome,
        "fairlead.steps_left_out": journey.left_out,
    })
    if journey.outcome != "ok":
        root.set_status(StatusCode.ERROR)
    spans: dict[JourneyStep, Span] = {}
    for step in journey.steps:
        parent = spans.get(step.parent, root) if step.parent else root
        span = spans[step] = tracer.start_span(step.name, set_span_in_context(parent, Context()), start_time=at(step.began),
                                               attributes={"fairlead.jobs": step.jobs})
        if step.outcome != "ok":
            span.set_status(StatusCode.ERROR)
        span.end(at(step.ended or journey.ended))
    root.end(at(journey.ended))
