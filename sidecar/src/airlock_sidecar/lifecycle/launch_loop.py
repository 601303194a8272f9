"""
Runs a sidecar: listens, accepts one launch, serves it, judges its end, writes a record.

Threads only report here, through one queue, and this module decides what happens next. Each wait has a bound, except
the wait for a server that is away.
"""

import os
import signal
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from airlock_sidecar import errors
from airlock_sidecar.clock import now
from airlock_sidecar.lifecycle import conversation, entering, judging, recording
from airlock_sidecar.lifecycle.conversation import DRAIN_SECONDS, Conversation
from airlock_sidecar.lifecycle.entering import Entered
from airlock_sidecar.lifecycle.events import (
    Accepted,
    ControlEnded,
    ControlLine,
    DeadlineChanged,
    DeadlinePassed,
    Events,
    HeartLost,
    Reported,
    StreamBroke,
    Terminated,
)
from airlock_sidecar.lifecycle.reporting import Reporter
from airlock_sidecar.peer.control import Control, exit_of, signal_of
from airlock_sidecar.peer.listener import Listener, Session
from airlock_sidecar.peer.streams import Streams
from airlock_sidecar.requests.trace import Trace
from airlock_sidecar.settings import SidecarSettings
from airlock_sidecar.state.journal import digest
from airlock_sidecar.state.launch import Launch
from airlock_sidecar.state.stops import Stop
from airlock_sidecar.state.task_clock import SLOW_START_SECONDS
from airlock_sidecar.upstream.calls import Calls
from airlock_sidecar.upstream.heartbeat import Heart
from airlock_wire import pod
from airlock_wire.record import Reason
from airlock_wire.workload import Execute

#: How long a runner may take to end after it was told to stop. Its launcher kills it after ``pod.STOP_SECONDS``.
GIVE_UP_SECONDS = 15.0

#: Loads HTTP and, where tokens are exchanged, gets the first one; raises errors.ApiError or errors.GaveUp.
Prepare = Callable[[], None]


class Lifecycle:
    """One run of the sidecar's main thread. ``prepare`` runs in a thread of its own once the socket listens."""

    def __init__(self, settings: SidecarSettings, launch: Launch, calls: Calls, prepare: Prepare) -> None:
        self._settings = settings.sidecar
        self._launch = launch
        self._calls = calls
        self._prepare = prepare
        self._events = Events()
        launch.deadline_changed = lambda: self._events.tell(DeadlineChanged())
        self._identity = entering.identity(self._settings, launch.memory.pid)
        self._streams = Streams(self._settings.state_dir, launch.sink)
        self._connected = threading.Event()
        self._control: Control | None = None
        self._session: Session | None = None
        self._overtime_ends: float | None = None
        #: When a stopped runner is given up, on the monotonic clock; None while it was not told to stop.
        self._given_up_at: float | None = None
        self._heart: Heart | None = None
        self._reporter: Reporter | None = None
        if isinstance(launch.workload, Execute):
            self._heart = Heart(calls, launch, self._identity, self._settings.heartbeat_seconds)
            calls.outage.say = launch.log
            self._reporter = Reporter(launch, calls, self._heart, self._events.flushed)
            calls.last_good = self._heart.last_good
        trace = Trace(settings.logging)
        self._conversation = Conversation(
            launch, calls, self._reporter, self._settings, self._events, trace, self._streams.open_log
        )

    def terminate(self) -> None:
        """Handles SIGTERM: the launch's container has ended, so finish and exit. Any thread may call it."""
        self._events.tell(Terminated())

    def run(self, listener: Listener) -> None:
        """Runs everything, until the record is written and SIGTERM came."""
        threading.Thread(target=self._accept, args=(listener,), name="accept", daemon=True).start()
        threading.Thread(target=self._enter, name="enter", daemon=True).start()
        self._wait_for_session()
        if self._session is not None:
            self._open(self._session)
            self._serve()
        verdict = self._finish()
        self._launch.finish_log()
        recording.write(self._launch, verdict, self._settings.record_file)
        if self._control is not None:
            self._control.say(pod.ACK, of=pod.EXITED, interrupted=verdict.reason is Reason.INTERRUPTED)
        while not self._events.terminated:
            self._events.next()

    # --- the phases, in order ---

    def _accept(self, listener: Listener) -> None:
        memory = self._launch.memory
        wait = pod.RECONNECT_SECONDS if memory.sealed else self._settings.connect_seconds
        session = listener.accept(time.monotonic() + wait, memory.nonce if memory.sealed else "")
        listener.close()
        self._events.tell(Accepted(session))

    def _enter(self) -> None:
        """
        Enters the launch: waits for the loaded client and the launcher's connection, and tells the runner to begin.
        """
        try:
            entered = self._prepared()
            if not self._connected.is_set():
                conversation.load()
            self._connected.wait()
            if entered is None:
                entered = self._by_mode()
        except errors.GaveUp:
            return
        if entered.startup is not None and self._launch.memory.startup is None:
            with self._launch.remembering() as memory:
                memory.startup = entered.startup
                memory.timeline.setdefault("running", round(time.time(), 4))
        self._events.tell(entered)

    def _prepared(self) -> Entered | None:
        """Tells why this launch can be refused already, else None; remembered at once, as no launcher may ever come."""
        try:
            self._prepare()
        except errors.ApiError as e:
            refusal = entering.refusal(e)
            self._launch.stopped(refusal.why, refusal.message)
            self._launch.log(f"the pod's token is not exchanged: {e.words}", "error", reason=refusal.why)
            return refusal
        return None

    def _by_mode(self) -> Entered:
        memory, work = self._launch.memory, self._launch.workload
        if memory.startup is not None or memory.stopped:
            return entering.again(self._launch)
        if isinstance(work, Execute):
            return entering.execute(self._calls, work, self._identity, clears_xcoms=memory.clears_xcoms)
        return entering.unasked(work)

    def _wait_for_session(self) -> None:
        while True:
            match self._events.next():
                case Accepted(session):
                    self._session = session
                    return
                case Terminated():
                    return

    def _open(self, session: Session) -> None:
        self._launch.memory.api_version = session.api_version
        self._launch.memory.json_values = session.json_values
        self._launch.memory.clears_xcoms = session.clears_xcoms
        self._launch.mark("connected")
        self._streams.start(session.streams)
        self._control = Control(
            session.control, lambda line: self._events.tell(ControlEnded() if line is None else ControlLine(line))
        )
        self._connected.set()

    def _serve(self) -> None:
        """Serves the session until the child's end."""
        entered = sealed = False
        while True:
            match self._events.next(self._deadline()):
                case ControlEnded():
                    self._exited(None)
                    return
                case ControlLine({"event": pod.EXITED} as report):
                    self._exited(report)
                    return
                case ControlLine(line):
                    sealed = self._heard(line) or sealed
                case Entered() as answer:
                    entered = self._entered(answer)
                case HeartLost(why, message):
                    self._stop_runner(why, message)
                case StreamBroke(message):
                    self._launch.refused("broken stream")
                    self._launch.log(f"the runner broke the protocol: {message}", "error")
                    self._stop_runner(Stop.BROKE_PROTOCOL)
                case Reported():
                    self._overtime_ends = time.monotonic() + self._settings.overtime_seconds
                case DeadlinePassed() if self._given_up_at is not None:
                    # User code stopped the launcher, or the machine is too busy. Its owner ends the launcher now.
                    self._launch.log("the runner does not end although it was told to, and is given up", "error")
                    self._exited(None)
                    return
                case DeadlinePassed():
                    self._deadline_passed()
            if entered and sealed and not self._conversation.begun:
                self._start_runner()

    def _heard(self, line: dict[str, Any]) -> bool:
        """Handles a control line other than the exit report; returns True once the launch is sealed."""
        assert self._control is not None  # noqa: S101 - it was heard on it
        memory = self._launch.memory
        if line["event"] == pod.FORKED and memory.sealed:
            return True
        if line["event"] == pod.FORKED:
            with self._launch.remembering():
                memory.nonce = memory.nonce or os.urandom(24).hex()
            self._control.say(pod.NONCE, nonce=memory.nonce)
        elif line["event"] == pod.KEPT:
            # A nonce is required only from here on: a launcher that never received it must be able to come back.
            with self._launch.remembering():
                memory.sealed = True
            return True
        elif line["event"] == pod.SIGNALLED:
            with self._launch.remembering():
                memory.signalled = signal_of(line) or signal.SIGTERM
            self._control.say(pod.ACK, of=pod.SIGNALLED)
        elif line["event"] == pod.BEGINS:
            self._launch.user_code_begins()
        return False

    def _entered(self, entered: Entered) -> bool:
        if entered.startup is None:
            self._stop_runner(entered.why, entered.message)
        elif self._heart is not None:
            self._heart.good()
        return entered.startup is not None

    def _start_runner(self) -> None:
        assert self._session is not None  # noqa: S101 - there is a launch
        self._launch.mark("started")
        # This is written before the runner is told: without a record it says whether user code can have begun.
        Path(self._settings.state_dir, pod.BEGUN_FILE).touch()
        # A launch that parses a file or runs a trigger does nothing else. A task's time begins when its runner says.
        self._launch.clock.start(begun=not isinstance(self._launch.workload, Execute))
        self._conversation.begin(self._session)
        if self._heart is not None:
            self._heart.start(lambda why, message: self._events.tell(HeartLost(why, message)))

    # --- deadlines ---

    def _deadline(self) -> float | None:
        """
        Returns the next moment, on the monotonic clock, at which the runner may have to be stopped, or is given up.
        """
        if self._given_up_at is not None:
            return self._given_up_at
        if self._overtime_ends is not None:
            return self._overtime_ends
        limit = self._launch.limit
        if limit is None or not self._conversation.begun:
            return None
        return time.monotonic() + self._launch.clock.left(limit)

    def _deadline_passed(self) -> None:
        if self._overtime_ends is not None:
            self._launch.log("the runner went on for too long after its last word and is stopped", "warning")
            self._stop_runner(Stop.NOT)
            return
        limit, clock = self._launch.limit, self._launch.clock
        if limit is None or clock.left(limit) > 0:
            self._launch.note_time()
            return
        text = judging.timed_out(limit, recording.mode_of(self._launch))
        if not clock.used.begun:
            text = f"user code did not begin within {limit + SLOW_START_SECONDS:g} s, and the runner was stopped"
        self._launch.log(text, "error")
        self._stop_runner(Stop.TIMED_OUT, text)

    def _stop_runner(self, why: Stop, message: str = "") -> None:
        self._launch.stopped(why, message)
        self._given_up_at = time.monotonic() + GIVE_UP_SECONDS
        if self._control is not None:
            self._control.say(pod.STOP)

    # --- the end ---

    def _exited(self, report: dict[str, Any] | None) -> None:
        processes = (report or {}).get("left")
        if type(processes) is int and processes > 0:
            self._launch.log(f"processes that the task left behind were ended with it: {processes}", "warning")
        self._launch.clock.end()
        with self._launch.remembering() as memory:
            memory.timeline.setdefault("exited", round(time.time(), 4))
            if report is not None:
                memory.exit = exit_of(report)

    def _finish(self) -> judging.Verdict:
        self._conversation.end()
        self._streams.finish(DRAIN_SECONDS)
        memory, reporter = self._launch.memory, self._reporter
        if memory.terminal is not None and reporter is not None:
            self._try(reporter.send)
        verdict = judging.judge(recording.facts(self._launch))
        if verdict.report is None and verdict.reason in judging.UNEXPLAINED:
            # The owner decides what it means, but a reader of the log should see what it was.
            self._launch.log(verdict.message, "error", reason=verdict.reason.value)
        if verdict.report is not None and reporter is not None:
            payload: dict[str, Any] = {"state": verdict.report, "end_date": now()}
            if verdict.report == "up_for_retry":
                payload["retry_reason"] = verdict.message
            of = digest(f"judged {verdict.report}".encode())
            self._launch.log(f"{verdict.message}; reported as {verdict.report}", "error", reason=verdict.reason.value)
            state = verdict.report
            if memory.terminal is None or memory.terminal.withheld:
                self._try(lambda: reporter.report(state, payload, of, judged=True))
            if memory.stopped == Stop.SUPERSEDED:
                verdict = judging.judge(recording.facts(self._launch))
        self._launch.mark("ended")
        return verdict

    def _try(self, send: Callable[[], bool]) -> None:
        try:
            send()
        except errors.SidecarError as e:
            self._launch.log(f"the task's state could not be reported: {e}", "error")
