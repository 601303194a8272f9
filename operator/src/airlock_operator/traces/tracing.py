"""
Connects a TaskRun's changes with the export of its trace. Without an endpoint it exports nothing.
"""

import logging
from collections.abc import Callable
from datetime import UTC, datetime

from airlock_operator.observe.taskrun import TaskRun
from airlock_operator.settings import Traces
from airlock_operator.traces import context, spans
from airlock_operator.traces.context import Trace
from airlock_operator.traces.spans import Span
from airlock_wire.taskrun import Attempt, Status

log = logging.getLogger("airlock.operator.traces")

#: Takes the spans of one trace. It neither waits nor raises.
Export = Callable[[Trace, list[Span]], None]


class Tracing:
    """The traces of one operator. ``export`` is None where tracing is off."""

    def __init__(self, settings: Traces, export: Export | None = None) -> None:
        self._settings = settings
        self._export = export

    @property
    def on(self) -> bool:
        """Whether spans are exported."""
        return self._export is not None

    def environment(self, run: TaskRun, attempt: int) -> dict[str, str]:
        """Returns what the runner is told of its trace."""
        return context.environment(run, attempt, self._settings)

    def changed(self, run: TaskRun, after: Status, ended: Attempt | None) -> None:
        """Exports the spans that a status ends which was written; ``ended`` is the attempt that ended with it."""
        if after.attempt == 1 and run.status.attempt == 0 and (bad := context.refused(run)):
            log.warning("ignored what is not of W3C's form", extra=_named(run) | {"attempt": 1, "ignored": bad})
        self._give(run, lambda: spans.of_change(run, after, ended, datetime.now(UTC)))

    def gone(self, run: TaskRun) -> None:
        """Exports the spans of a TaskRun that was deleted, if it had not come to its end."""
        self._give(run, lambda: spans.of_gone(run, datetime.now(UTC)))

    def _give(self, run: TaskRun, make: Callable[[], list[Span]]) -> None:
        if self._export is None:
            return
        try:
            trace = context.trace_of(run, self._settings)
            if trace.sampled and (ended_spans := make()):
                self._export(trace, ended_spans)
        except Exception:
            # The status is written, and a trace must not cost the turn.
            log.exception("a trace was not made", extra=_named(run))


def _named(run: TaskRun) -> dict[str, object]:
    return {"namespace": run.namespace, "taskrun": run.name, "uid": run.uid}
