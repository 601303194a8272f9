"""
The life of a sidecar: listen, let one launch in, serve it, judge its end, leave a record.

Threads only report here, through one queue; this module decides what happens next. It waits for nothing without
a bound but for the server, whose absence is waited out.
"""

import contextlib
import os
import queue
import signal
import socket
import threading
import time
from pathlib import Path
from typing import Any

import msgspec

from airlock_sidecar import entering, errors, judging
from airlock_sidecar.calls import Calls
from airlock_sidecar.clock import now
from airlock_sidecar.control import Control, exit_of
from airlock_sidecar.exchange import Exchange
from airlock_sidecar.handlers import Handlers, ParseHandlers
from airlock_sidecar.heartbeat import Heart
from airlock_sidecar.journal import digest
from airlock_sidecar.launch import Launch
from airlock_sidecar.listener import Listener, Session
from airlock_sidecar.reporting import Reporter
from airlock_sidecar.settings import SidecarSettings
from airlock_sidecar.streams import Streams
from airlock_sidecar.trace import Trace
from airlock_wire import frames, pod, record
from airlock_wire.workload import Execute, Parse

#: After SIGTERM, how long the server may still take to answer before the record says that it did not.
FLUSH_SECONDS = 45.0
#: How long the exchange may take to come to its end after the child is gone.
_DRAIN_SECONDS = 5.0

Event = tuple[str, Any]


class Lifecycle:
    """One run of the sidecar's main thread."""

    def __init__(self, settings: SidecarSettings, launch: Launch, calls: Calls) -> None:
        self._settings = settings.sidecar
        self._trace = Trace(settings.logging)
        self._launch = launch
        self._calls = calls
        self._events: queue.SimpleQueue[Event] = queue.SimpleQueue()
        self._stop = threading.Event()
        self._who = entering.identity(self._settings.hostname, launch.memory.pid)
        self._streams = Streams(self._settings.state_dir, launch.sink)
        self._control: Control | None = None
        self._session: Session | None = None
        self._exchange: threading.Thread | None = None
        self._terminated = False
        self._overtime_ends: float | None = None
        self._stopping = False
        if isinstance(launch.workload, Execute):
            heart = Heart(calls, launch.workload.ti.id, self._who, self._settings.heartbeat_seconds)
            self._heart: Heart | None = heart
            calls.waiting = lambda why: launch.log(f"the Execution API does not answer ({why}); waiting", "warning")
            self._reporter: Reporter | None = Reporter(launch, calls, heart, self._stop)
            calls.last_good = heart.last_good
        else:
            self._heart = self._reporter = None

    def terminate(self) -> None:
        """SIGTERM: the launch's container has ended, so finish and go. May be called from any thread."""
        self._events.put(("terminate", None))

    def run(self, listener: Listener) -> None:
        """Everything, until the record is written and SIGTERM came."""
        threading.Thread(target=self._accept, args=(listener,), name="accept", daemon=True).start()
        self._wait_for_session()
        if self._session is not None:
            self._open(self._session)
            self._serve()
        verdict = self._finish()
        self._write_record(verdict)
        if self._control is not None:
            self._control.say(pod.ACK, of=pod.EXITED)
        while not self._terminated:
            self._next(None)

    # --- the parts of a life, in order ---

    def _accept(self, listener: Listener) -> None:
        memory = self._launch.memory
        wait = pod.RECONNECT_SECONDS if memory.sealed else self._settings.connect_seconds
        session = listener.accept(time.monotonic() + wait, memory.nonce if memory.sealed else "")
        listener.close()
        self._events.put(("session", session))

    def _wait_for_session(self) -> None:
        while True:
            kind, value = self._next(None)
            if kind == "session":
                self._session = value
            if kind in ("session", "terminate"):
                return

    def _open(self, session: Session) -> None:
        self._launch.mark("connected")
        self._streams.start(session.streams)
        self._control = Control(session.control, lambda line: self._events.put(("control", line)))
        threading.Thread(target=self._enter, name="enter", daemon=True).start()

    def _enter(self) -> None:
        memory, work = self._launch.memory, self._launch.workload
        try:
            if memory.startup is None and isinstance(work, Parse):
                startup: dict[str, Any] | None = msgspec.to_builtins(work.request)
                why = ""
            elif memory.startup is None and isinstance(work, Execute):
                context, why = entering.enter(self._calls, work, self._who)
                startup = entering.startup_details(work, context, now()) if context is not None else None
            else:
                startup, why = memory.startup, ""
        except errors.GaveUp:
            return
        except (msgspec.MsgspecError, RecursionError):
            startup, why = None, judging.REJECTED
        if startup is not None and memory.startup is None:
            with self._launch.remembering():
                memory.startup = startup
                memory.timeline.setdefault("running", round(time.time(), 4))
        self._events.put(("entered", why))

    def _serve(self) -> None:
        """From the session to the child's end."""
        entered = sealed = False
        while True:
            kind, value = self._next(self._deadline())
            if kind == "control":
                if value is None or value["event"] == pod.EXITED:
                    self._exited(value)
                    return
                sealed = self._heard(value) or sealed
            elif kind == "entered" and value:
                self._stop_runner(value)
            elif kind == "entered":
                entered = True
                if self._heart is not None:
                    self._heart.good()
            elif kind == "lost":
                self._stop_runner(value)
            elif kind == "broke":
                self._launch.refused("broken stream")
                self._launch.log(f"the runner broke the protocol: {value}", "error")
                self._stop_runner(judging.BROKE_PROTOCOL)
            elif kind == "reported":
                self._overtime_ends = time.monotonic() + self._settings.overtime_seconds
            elif kind == "deadline":
                self._deadline_passed()
            if entered and sealed and self._exchange is None:
                self._start_runner()

    def _heard(self, line: dict[str, Any]) -> bool:
        """A control line but the last; True once the launch is sealed."""
        assert self._control is not None  # noqa: S101 - it was heard on it
        memory = self._launch.memory
        if line["event"] == pod.FORKED and memory.sealed:
            return True
        if line["event"] == pod.FORKED:
            with self._launch.remembering():
                memory.nonce = memory.nonce or os.urandom(24).hex()
            self._control.say(pod.NONCE, nonce=memory.nonce)
        elif line["event"] == pod.KEPT:
            # Only now is the nonce asked for: a launcher that never received it must be able to come back.
            with self._launch.remembering():
                memory.sealed = True
            return True
        elif line["event"] == pod.SIGNALLED:
            number = line.get("signal")
            with self._launch.remembering():
                memory.signalled = number if isinstance(number, int) and number > 0 else signal.SIGTERM
            self._control.say(pod.ACK, of=pod.SIGNALLED)
        return False

    def _start_runner(self) -> None:
        assert self._session is not None  # noqa: S101 - there is a launch
        assert self._launch.memory.startup is not None  # noqa: S101 - it has entered
        self._launch.mark("started")
        self._exchange = threading.Thread(target=self._converse, args=(self._session,), name="exchange", daemon=True)
        self._exchange.start()
        if self._heart is not None:
            self._heart.start(lambda why: self._events.put(("lost", why)))

    def _converse(self, session: Session) -> None:
        # A runner that has it already, before a restart of ours, skips it.
        try:
            session.frames.sendall(frames.response(0, self._launch.memory.startup))
        except OSError:
            return
        if self._reporter is None:
            table, report = ParseHandlers(self._launch, self._keep_result).table, None
        else:
            table, report = Handlers(self._launch, self._calls).table, self._report
        try:
            Exchange(self._launch, table, report, self._trace).serve(session.frames, self._settings.max_frame_bytes)
        except errors.RunnerBroke as e:
            session.frames.close()
            self._events.put(("broke", str(e)))

    def _report(self, state: str, payload: dict[str, Any], of: str) -> bool:
        assert self._reporter is not None  # noqa: S101 - only an executing launch reports
        if self._launch.memory.stopped == judging.SUPERSEDED:
            return False
        try:
            return self._reporter.report(state, payload, of)
        finally:
            self._events.put(("reported", None))

    def _keep_result(self, found: bytes) -> None:
        Path(self._settings.state_dir, "result.json").write_bytes(found)
        self._events.put(("reported", None))

    # --- deadlines ---

    def _deadline(self) -> float | None:
        """The next moment, on the monotonic clock, at which the runner must be stopped."""
        if self._stopping:
            return None
        if self._overtime_ends is not None:
            return self._overtime_ends
        work = self._launch.workload
        limit = work.execution_timeout_seconds if isinstance(work, Execute) else work.timeout_seconds
        started = self._launch.memory.timeline.get("started")
        return None if limit is None or started is None else time.monotonic() + started + limit - time.time()

    def _deadline_passed(self) -> None:
        if self._overtime_ends is not None:
            self._launch.log("the runner went on for too long after its last word and is stopped", "warning")
            self._stop_runner("")
        else:
            self._launch.log("the runner took longer than it may and is stopped", "error")
            self._stop_runner(judging.TIMED_OUT)

    def _stop_runner(self, why: str) -> None:
        if why:
            with self._launch.remembering() as memory:
                memory.stopped = memory.stopped or why
        self._stopping = True
        if self._control is not None:
            self._control.say(pod.STOP)

    # --- the end ---

    def _exited(self, report: dict[str, Any] | None) -> None:
        with self._launch.remembering() as memory:
            memory.timeline.setdefault("exited", round(time.time(), 4))
            if report is not None:
                memory.exit = exit_of(report)

    def _finish(self) -> judging.Verdict:
        self._end_exchange()
        self._streams.finish(_DRAIN_SECONDS)
        memory = self._launch.memory
        if memory.terminal is not None and self._reporter is not None:
            self._try(self._reporter.send)
        verdict = judging.judge(self._facts())
        if verdict.report is not None and self._reporter is not None:
            payload: dict[str, Any] = {"state": verdict.report, "end_date": now()}
            if verdict.report == "up_for_retry":
                payload["retry_reason"] = verdict.message
            of = digest(f"judged {verdict.report}".encode())
            self._launch.log(f"{verdict.message}; reported as {verdict.report}", "error", reason=verdict.reason.value)
            reporter, state = self._reporter, verdict.report
            if memory.terminal is None:
                self._try(lambda: reporter.report(state, payload, of, judged=True))
            if memory.stopped == judging.SUPERSEDED:
                verdict = judging.judge(self._facts())
        self._launch.mark("ended")
        return verdict

    def _end_exchange(self) -> None:
        """Lets the exchange take what the child had sent, then ends it. A terminal state under way is waited for."""
        if self._exchange is None or self._session is None:
            self._calls.given_up.set()
            return
        # What the child sent is still read; a process that it left behind holds the other end open for nothing.
        with contextlib.suppress(OSError):
            self._session.frames.shutdown(socket.SHUT_RD)
        self._exchange.join(0.2)
        self._calls.given_up.set()
        ends = time.monotonic() + _DRAIN_SECONDS
        while self._exchange.is_alive() and time.monotonic() < ends:
            self._exchange.join(0.2)
            if self._reporting():
                ends = time.monotonic() + _DRAIN_SECONDS
                self._poll_terminate()

    def _reporting(self) -> bool:
        terminal = self._launch.memory.terminal
        return terminal is not None and not terminal.acknowledged and not terminal.dropped and not self._stop.is_set()

    def _poll_terminate(self) -> None:
        try:
            while True:
                self._note(self._events.get_nowait())
        except queue.Empty:
            return

    def _try(self, send: Any) -> None:
        try:
            send()
        except errors.SidecarError as e:
            self._launch.log(f"the task's state could not be reported: {e}", "error")

    def _facts(self) -> judging.Facts:
        memory, work = self._launch.memory, self._launch.workload
        context = (memory.startup or {}).get("ti_context", {})
        terminal = memory.terminal
        return judging.Facts(
            reported=terminal.state if terminal is not None and not terminal.judged else None,
            parsed=memory.parsed,
            exit=memory.exit,
            signalled=bool(memory.signalled),
            stopped=memory.stopped,
            connected="connected" in memory.timeline,
            should_retry=bool(context.get("should_retry")),
            judges=isinstance(work, Execute) and work.judges,
        )

    def _write_record(self, verdict: judging.Verdict) -> None:
        memory = self._launch.memory
        terminal = memory.terminal
        entry = record.Record(
            reason=verdict.reason,
            state=terminal.state if terminal is not None else None,
            acknowledged=terminal is not None and terminal.acknowledged,
            judged=terminal is not None and terminal.judged,
            message=self._launch.masker.mask(verdict.message),
            exit=memory.exit,
            restarts=memory.starts - 1,
            refusals=memory.refusals,
            timeline=memory.timeline,
        )
        Path(self._settings.record_file).write_bytes(record.encode(entry))

    # --- the queue ---

    def _next(self, deadline: float | None) -> Event:
        """The next event; ("deadline", None) when the moment came first."""
        try:
            if deadline is None:
                event = self._events.get()
            else:
                event = self._events.get(timeout=max(0.0, deadline - time.monotonic()))
        except queue.Empty:
            return ("deadline", None)
        return self._note(event)

    def _note(self, event: Event) -> Event:
        if event[0] == "terminate" and not self._terminated:
            self._terminated = True
            threading.Timer(FLUSH_SECONDS, self._stop.set).start()
        return event
