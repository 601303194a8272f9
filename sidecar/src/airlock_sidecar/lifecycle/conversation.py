"""
The thread that serves the runner, from the startup message to the last request that the runner sent.
"""

import contextlib
import socket
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from airlock_sidecar import errors
from airlock_sidecar.lifecycle import entering
from airlock_sidecar.lifecycle.events import Events, Reported, StreamBroke
from airlock_sidecar.lifecycle.reporting import Reporter
from airlock_sidecar.peer.listener import Session
from airlock_sidecar.requests.trace import Trace
from airlock_sidecar.settings import Sidecar
from airlock_sidecar.state.launch import Launch
from airlock_sidecar.state.stops import Stop
from airlock_sidecar.upstream.calls import Calls
from airlock_wire.protocol import frames
from airlock_wire.workload import Access, Callback, Execute, Trigger, of_task_instance

#: How long serving may go on after the child is gone.
DRAIN_SECONDS = 5.0
_LOOK_SECONDS = 0.2


def load() -> None:
    """
    Imports the modules that serve a runner. They define a hundred messages, which would delay a start. A sidecar that
    waits for its launcher's container has the time.
    """
    from airlock_sidecar.requests import (
        answers,  # noqa: F401 - they are wanted in memory
        dispatch,  # noqa: F401 - they are wanted in memory
    )


class Conversation:
    """Serves one runner. Without ``reporter`` the runner executes no task, and reports no state."""

    def __init__(
        self,
        launch: Launch,
        calls: Calls,
        reporter: Reporter | None,
        settings: Sidecar,
        events: Events,
        trace: Trace,
        open_log: Callable[[], int],
    ) -> None:
        self._launch = launch
        self._calls = calls
        self._reporter = reporter
        self._settings = settings
        self._events = events
        self._trace = trace
        self._open_log = open_log
        self._session: Session | None = None
        self._thread: threading.Thread | None = None

    @property
    def begun(self) -> bool:
        """Whether the runner was told to begin."""
        return self._thread is not None

    def begin(self, session: Session) -> None:
        """Sends the startup message and serves the runner."""
        self._session = session
        self._thread = threading.Thread(target=self._serve, args=(session,), name="conversation", daemon=True)
        self._thread.start()

    def end(self) -> None:
        """Serves what the child had sent, then ends the thread. Waits for a terminal state that is being sent."""
        if self._thread is None or self._session is None:
            self._calls.given_up.set()
            return
        # What the child sent is still read. A process that it left behind may hold the other end open; it is ignored.
        with contextlib.suppress(OSError):
            self._session.frames.shutdown(socket.SHUT_RD)
        self._thread.join(_LOOK_SECONDS)
        self._calls.given_up.set()
        ends = time.monotonic() + DRAIN_SECONDS
        while self._thread.is_alive() and time.monotonic() < ends:
            self._thread.join(_LOOK_SECONDS)
            if self._reporting():
                ends = time.monotonic() + DRAIN_SECONDS
                self._events.drain()

    def _serve(self, session: Session) -> None:
        # A runner that got it from this sidecar before a restart skips it.
        try:
            session.frames.sendall(self._first())
        except OSError:
            return
        # Mostly loaded by now, else while the runner loads the task.
        from airlock_sidecar.requests import answers
        from airlock_sidecar.requests.dispatch import Dispatcher
        from airlock_sidecar.requests.handlers import Handlers, HandlersWithoutTask
        from airlock_sidecar.requests.results import Results
        from airlock_sidecar.upstream.lookups_file import LookupsFile

        work = self._launch.workload
        results = Results(self._launch, self._keep_result)
        report = self._report if self._reporter is not None else None
        own = LookupsFile(self._settings.lookups_file)
        granted = work.access if isinstance(work, Execute | Trigger | Callback) else Access()
        handlers = Handlers(self._launch, self._calls, granted, self._open_log, own)
        if isinstance(work, Execute):
            table = answers.table(handlers)
        elif of_task_instance(work):
            table = answers.for_task(handlers, results, calls_back=isinstance(work, Callback))
        else:
            lookups = answers.for_lookups(handlers) if self._launch.memory.token else {}
            table = HandlersWithoutTask(self._launch, results).table | lookups
        try:
            Dispatcher(self._launch, table, report, self._trace).serve(session.frames, self._settings.max_frame_bytes)
        except errors.RunnerBroke as e:
            session.frames.close()
            self._events.tell(StreamBroke(str(e)))

    def _first(self) -> bytes:
        memory = self._launch.memory
        body = entering.first_body(memory.startup, json_values=memory.json_values)
        start = frames.response(0, body)
        if body is not None:
            self._trace.say("out", 0, str(body["type"]), len(start), tuple(body))
        self._trace.keep(start[frames.HEADER_BYTES :])
        return start

    def _report(self, state: str, payload: dict[str, Any], of: str) -> bool:
        assert self._reporter is not None  # noqa: S101 - only an executing launch reports
        if self._launch.memory.stopped == Stop.SUPERSEDED:
            return False
        # The wait for a server that takes the state is not the task's time.
        self._launch.clock.end()
        try:
            return self._reporter.report(state, payload, of)
        finally:
            self._events.tell(Reported())

    def _keep_result(self, result: bytes) -> None:
        self._launch.clock.end()
        Path(self._settings.state_dir, "result.json").write_bytes(result)
        self._events.tell(Reported())

    def _reporting(self) -> bool:
        terminal = self._launch.memory.terminal
        under_way = terminal is not None and not terminal.acknowledged and not terminal.dropped
        return under_way and not self._events.flushed.is_set()
