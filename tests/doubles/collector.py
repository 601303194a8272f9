"""A collector of traces: OTLP over HTTP on loopback, read by OpenTelemetry's own messages."""

from __future__ import annotations

import http.server
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest


class Collector(http.server.ThreadingHTTPServer):
    """What was exported. ``status`` is its answer; it keeps what it answers 200."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Answer)
        self.paths: list[str] = []
        self.resources: list[Any] = []
        self.status = 200
        self.url = f"http://127.0.0.1:{self.server_port}"

    def spans(self) -> list[Any]:
        """All spans, in the order of their coming."""
        return [span for each in self.resources for scope in each.scope_spans for span in scope.spans]


class _Answer(http.server.BaseHTTPRequestHandler):
    server: Collector

    def do_POST(self) -> None:
        data = self.rfile.read(int(self.headers["Content-Length"]))
        self.server.paths.append(self.path)
        if self.server.status == 200:
            self.server.resources += ExportTraceServiceRequest.FromString(data).resource_spans
        self.send_response(self.server.status)
        self.end_headers()

    def log_message(self, *_: Any) -> None:
        pass


@contextmanager
def serving() -> Iterator[Collector]:
    """A collector that listens inside the block."""
    served = Collector()
    thread = threading.Thread(target=served.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)
    thread.start()
    try:
        yield served
    finally:
        served.shutdown()
        served.server_close()
        thread.join(10)
