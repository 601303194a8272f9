"""
Exports spans by OpenTelemetry's SDK, as OTLP over HTTP. No other module imports the SDK. Without an endpoint nobody
imports this one.

The operator gives it spans that have ended, with their ids and times. They wait in a queue of a bounded length for a
thread of the SDK's, so a collector that is slow or away delays nothing. What does not fit is lost, and the log says so
once in a while.
"""

import asyncio
import contextlib
import logging
import threading
import time
from collections.abc import Callable, Sequence
from urllib.parse import urlsplit, urlunsplit

from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import ReadableSpan, TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor, SpanExporter, SpanExportResult
from opentelemetry.sdk.trace.id_generator import IdGenerator
from opentelemetry.sdk.trace.sampling import ALWAYS_ON
from opentelemetry.trace import NonRecordingSpan, SpanContext, Status, StatusCode, TraceFlags, set_span_in_context
from opentelemetry.trace.span import TraceState

from airlock_operator.metrics import own_version
from airlock_operator.settings import Traces
from airlock_operator.traces.context import Trace
from airlock_operator.traces.spans import Span

log = logging.getLogger("airlock.operator.traces")

#: How many spans may wait; about ten are of one attempt.
MOST_WAITING = 4096
_BATCH = 512
_BATCH_SECONDS = 1.0
#: At the end of the process.
_LAST_SECONDS = 3.0
#: Between two warnings that spans are lost.
WARN_AGAIN_SECONDS = 300.0
_PATH = "/v1/traces"


def address(endpoint: str) -> str:
    """Returns where spans are posted: the endpoint, with OTLP's own path where it has none."""
    parts = urlsplit(endpoint)
    return urlunsplit(parts._replace(path=_PATH)) if parts.path in ("", "/") else endpoint


class _Given(IdGenerator):
    """Gives the SDK the ids that the operator has made."""

    trace_id = span_id = 1

    def generate_trace_id(self) -> int:
        return self.trace_id

    def generate_span_id(self) -> int:
        return self.span_id


class _LastWord(logging.Handler):
    """Keeps what the SDK last said, which would else be a line for each batch."""

    text = ""

    def emit(self, record: logging.LogRecord) -> None:
        self.text = record.getMessage()


class _Counted(SpanExporter):
    """Exports by another exporter, counts, and warns of what is lost."""

    def __init__(self, inner: SpanExporter, sdk_log: _LastWord, host: str, clock: Callable[[], float]) -> None:
        self._inner, self._sdk_log, self._host, self._clock = inner, sdk_log, host, clock
        self._warned_at = float("-inf")
        #: How many spans have left the queue, and how many are lost that no warning has told of.
        self.handled = self._lost = 0

    def export(self, spans: Sequence[ReadableSpan]) -> SpanExportResult:
        try:
            result = self._inner.export(spans)
        finally:
            self.handled += len(spans)
        if result is not SpanExportResult.SUCCESS:
            self.lost(len(spans), self._sdk_log.text)
        return result

    def lost(self, spans: int, why: str) -> None:
        """Notes spans that are lost, and warns if the last warning was long ago."""
        self._lost += spans
        if self._clock() - self._warned_at >= WARN_AGAIN_SECONDS:
            self._warned_at = self._clock()
            log.warning("spans are lost", extra={"spans": self._lost, "collector": self._host, "error": why})
            self._lost = 0

    def shutdown(self) -> None:
        self._inner.shutdown()

    def force_flush(self, timeout_millis: int = 30000) -> bool:
        return self._inner.force_flush(timeout_millis)


class Exporter:
    """The exporter of one operator. ``clock`` returns monotonic seconds."""

    def __init__(self, settings: Traces, identity: str, clock: Callable[[], float] = time.monotonic) -> None:
        sdk_log, sdk = _LastWord(), logging.getLogger("opentelemetry")
        sdk.handlers, sdk.propagate = [sdk_log], False
        url = address(settings.endpoint)
        self._out = _Counted(
            OTLPSpanExporter(url, settings.ca_file or None, timeout=settings.timeout_seconds),
            sdk_log,
            urlsplit(url).hostname or "",
            clock,
        )
        self._ids, self._given = _Given(), 0
        self._provider = TracerProvider(
            sampler=ALWAYS_ON,
            resource=Resource.create(
                {
                    "service.name": "airlock-operator",
                    "service.version": own_version(),
                    "service.instance.id": identity,
                }
            ),
            shutdown_on_exit=False,
            id_generator=self._ids,
        )
        self._provider.add_span_processor(
            BatchSpanProcessor(
                self._out,
                max_queue_size=MOST_WAITING,
                schedule_delay_millis=_BATCH_SECONDS * 1000,
                max_export_batch_size=_BATCH,
            )
        )
        self._tracer = self._provider.get_tracer("airlock_operator")

    def export(self, trace: Trace, spans: list[Span]) -> None:
        """Puts the spans of one trace into the queue, all of them or none."""
        if self._given - self._out.handled + len(spans) > MOST_WAITING:
            self._out.lost(len(spans), "the queue is full")
            return
        self._given += len(spans)
        state = TraceState.from_header([trace.state]) if trace.state else TraceState()
        for span in spans:
            self._ids.trace_id, self._ids.span_id = trace.trace_id, span.span_id
            above = span.parent_id or (trace.parent.span_id if trace.parent is not None else 0)
            flags = TraceFlags(TraceFlags.SAMPLED)
            parent = SpanContext(
                trace.trace_id, above, is_remote=not span.parent_id, trace_flags=flags, trace_state=state
            )
            recorded = self._tracer.start_span(
                span.name,
                context=set_span_in_context(NonRecordingSpan(parent)),
                attributes=span.attributes,
                start_time=span.start,
            )
            for name, at in span.events:
                recorded.add_event(name, timestamp=at)
            if span.failed:
                recorded.set_status(Status(StatusCode.ERROR))
            recorded.end(span.end)

    async def close(self) -> None:
        """Exports what waits, for some seconds at most."""
        loop, done = asyncio.get_running_loop(), asyncio.Event()

        def end() -> None:
            self._provider.shutdown()
            with contextlib.suppress(RuntimeError):
                # The loop may have been closed meanwhile.
                loop.call_soon_threadsafe(done.set)

        threading.Thread(target=end, name="traces-end", daemon=True).start()
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(done.wait(), _LAST_SECONDS)
