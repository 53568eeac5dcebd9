"""A collector of OpenTelemetry's traces on a loopback port, which keeps what it was sent."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest, ExportTraceServiceResponse
from opentelemetry.proto.trace.v1.trace_pb2 import Span


@dataclass
class Collector:
    """What has come so far. While `hangs`, nobody is answered."""

    url: str
    bodies: list[bytes] = field(default_factory=list)
    hangs: threading.Event = field(default_factory=threading.Event)
    over: threading.Event = field(default_factory=threading.Event)

    def spans(self) -> list[Span]:
        """All spans."""
        requests = [ExportTraceServiceRequest.FromString(body) for body in tuple(self.bodies)]
        return [span for each in requests for resource in each.resource_spans for scope in resource.scope_spans for span in scope.spans]

    def resources(self) -> list[dict[str, str]]:
        """The attributes of who sent them."""
        requests = [ExportTraceServiceRequest.FromString(body) for body in tuple(self.bodies)]
        return [{each.key: each.value.string_value for each in resource.resource.attributes}
                for request in requests for resource in request.resource_spans]

    def trace_of(self, key: str) -> list[Span]:
        """The spans of the trace of one Run."""
        spans = self.spans()
        traces = {span.trace_id for span in spans for each in span.attributes if each.value.string_value == key}
        return [span for span in spans if span.trace_id in traces]


@contextmanager
def collecting() -> Iterator[Collector]:
    """Collect while inside."""
    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            assert self.path == "/v1/traces"
            if collector.hangs.is_set():
                collector.over.wait(60)
                return
            collector.bodies.append(body)
            answer = ExportTraceServiceResponse().SerializeToString()
            self.send_response(200)
            self.send_header("Content-Type", "application/x-protobuf")
            self.send_header("Content-Length", str(len(answer)))
            self.end_headers()
            self.wfile.write(answer)

        def log_message(self, *_: object) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        server.daemon_threads = True
        server.block_on_close = False
        collector = Collector(f"http://127.0.0.1:{server.server_address[1]}")
        turning = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)
        turning.start()
        try:
            yield collector
        finally:
            collector.over.set()
            server.shutdown()
            turning.join()
