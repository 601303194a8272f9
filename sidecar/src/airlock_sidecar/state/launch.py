"""
The state of a launch that the sidecar's threads share: the journal behind one lock, the masks, the log.
"""

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import msgspec

from airlock_sidecar.clock import now
from airlock_sidecar.logs import lines as loglines
from airlock_sidecar.logs.masking import Masker
from airlock_sidecar.logs.store import LogStore
from airlock_sidecar.state.journal import Journal, Memory
from airlock_sidecar.state.stops import Stop
from airlock_sidecar.state.stopwatch import Stopwatch
from airlock_sidecar.state.task_clock import TaskClock
from airlock_wire import options
from airlock_wire.options import TaskOptions
from airlock_wire.protocol.callbacks import TaskCallbacks
from airlock_wire.workload import Callback, Execute, Parse, TaskInstanceRef, Timetable, Workload

#: A smaller change of the used time is not written down.
_NOTED_SECONDS = 0.9


class Launch:
    """One launch. Every change that must survive a restart goes through ``remembering``."""

    def __init__(self, workload: Workload, journal: Journal, store: LogStore) -> None:
        self._first_workload = workload
        self._journal = journal
        self.workload, self.ids = self._identify()
        self._lock = threading.RLock()
        self._store = store
        #: How many bytes of the log its store lacks; known at the end.
        self.log_missing = 0
        self.masker = Masker(journal.memory.masks)
        memory = journal.memory
        over = memory.parsed or memory.terminal is not None
        self.clock = TaskClock(Stopwatch(memory.used_seconds, begun=memory.user_code_begun, ended=over))
        #: Called when user code begins, and when the task has reported its options, which may contain a limit.
        self.deadline_changed: Callable[[], None] = lambda: None

    @property
    def memory(self) -> Memory:
        """What is remembered, for reading."""
        return self._journal.memory

    @contextmanager
    def remembering(self) -> Iterator[Memory]:
        """Gives the memory for a change and writes it before the block ends, so that what follows may rely on it."""
        with self._lock:
            yield self._journal.memory
            self._journal.save()

    def mark(self, step: str) -> None:
        """Notes when a step happened, the first time it does."""
        with self.remembering() as memory:
            memory.timeline.setdefault(step, round(time.time(), 4))

    def refused(self, kind: str) -> None:
        """Counts a refusal. The next write keeps the count; a count alone is not written."""
        with self._lock:
            self.memory.refusals[kind] = self.memory.refusals.get(kind, 0) + 1

    @property
    def limit(self) -> float | None:
        """Seconds that user code may take: a task, a trigger, the import of a file; None without a limit."""
        work = self.workload
        if not isinstance(work, Execute):
            return work.timeout_seconds
        task_options = self.memory.options
        if task_options is not None and options.EXECUTION_TIMEOUT in work.undecided:
            return task_options.execution_timeout_seconds
        return work.execution_timeout_seconds

    @property
    def should_retry(self) -> bool:
        """Whether a failure of this try is followed by another: by the server's word, or by the task's own options."""
        work, task_options = self.workload, self.memory.options
        if isinstance(work, Execute) and task_options is not None and options.RETRIES in work.undecided:
            return work.ti.try_number - work.first_try < (task_options.retries or 0)
        context = (self.memory.startup or {}).get("ti_context", {})
        return bool(context.get("should_retry"))

    def tell_options(self, task_options: TaskOptions) -> None:
        """Remembers the task's own options, if the workload asks for them. Raises ValueError for invalid ones."""
        work = self.workload
        if not isinstance(work, Execute) or not work.undecided or self.memory.options is not None:
            return
        if wrong := options.problem(task_options):
            raise ValueError(f"the task's {wrong}")
        with self.remembering() as memory:
            memory.options = task_options
        self.deadline_changed()

    def user_code_begins(self) -> None:
        """Takes the runner's word that the task's own time begins; a repetition means nothing."""
        if self.clock.begin():
            self.note_time()
            self.deadline_changed()

    def note_time(self) -> None:
        """Remembers the used time, so that a restart neither gives it again nor counts its own pause."""
        used, memory = self.clock.used, self.memory
        if used.begun != memory.user_code_begun or abs(used.seconds - memory.used_seconds) >= _NOTED_SECONDS:
            with self.remembering():
                memory.used_seconds, memory.user_code_begun = round(used.seconds, 3), used.begun

    @property
    def ti_id(self) -> str:
        """The task instance's id; empty until the pod's token was exchanged."""
        return str(self.ids.get("ti_id", ""))

    def adopt(self, token: str, task_instance: TaskInstanceRef) -> None:
        """Remembers the exchanged token and its task instance; after a kill both are there or neither."""
        with self.remembering() as memory:
            memory.token, memory.task_instance = token, task_instance
        self.workload, self.ids = self._identify()

    def stopped(self, why: Stop, message: str = "") -> None:
        """Remembers why the runner is stopped; what was first said stands."""
        with self.remembering() as memory:
            if why and not memory.stopped:
                memory.stopped, memory.stopped_message = why, message

    def _identify(self) -> tuple[Workload, dict[str, Any]]:
        work, task_instance = self._first_workload, self.memory.task_instance
        if isinstance(work, Execute) and task_instance is not None:
            ti = msgspec.structs.replace(work.ti, id=task_instance.id, dag_version_id=task_instance.dag_version_id)
            work = msgspec.structs.replace(work, ti=ti)
        return work, _ids(work)

    def keep_token(self, value: str) -> None:
        """Remembers the current token."""
        with self.remembering() as memory:
            memory.token = value

    def mask(self, secrets: list[str]) -> None:
        """Masks these from here on, across restarts. Raises ValueError when there are too many."""
        if self.masker.add(secrets):
            with self.remembering() as memory:
                memory.masks = self.masker.secrets

    def log(self, event: str, level: str = "info", **fields: Any) -> None:
        """Writes a line of the sidecar's own into the task's log."""
        text = self.masker.mask(event)
        fields = {key: self.masker.mask_value(value) for key, value in fields.items()}
        with self._lock:
            self._store.append(loglines.encode([loglines.own(text, level, _log_ids(self.workload), now(), **fields)]))

    def sink(self, stream: str, data: bytes, ended: bool) -> int:  # noqa: FBT001 - the signature of streams.Sink
        """Takes a stream's bytes into the log; the signature of ``streams.Sink``."""
        lines, size = loglines.take_lines(data, self.masker)
        if ended and size < len(data):
            lines += loglines.last_line(data[size:], self.masker)
            size = len(data)
        if lines:
            time_now, ids = now(), _log_ids(self.workload)
            if stream == "log":
                records = [loglines.from_log(line, ids, time_now, self.masker) for line in lines if line]
            else:
                records = [loglines.from_output(line, stream, ids, time_now, self.masker) for line in lines]
            self._store.append(loglines.encode(records))
            # Only a running runner is made to wait: after its end the rest of its pipes is read without waiting.
            self._store.wait_for_room(lambda: "exited" not in self.memory.timeline)
        return size

    def finish_log(self) -> None:
        """Waits, within a bound, until the store has the whole log. Log and record say how much it lacks."""
        self.log_missing = self._store.finish(hurried=bool(self.memory.signalled))
        if self.log_missing:
            self.log(f"{self.log_missing} bytes of this log are not in its store", "error")


def _ids(workload: Workload) -> dict[str, Any]:
    if isinstance(workload, Callback) and workload.ti is None:
        return _run_ids(workload)
    if isinstance(workload, Timetable):
        return {"file": workload.request.file, "dag_id": workload.request.dag_id}
    if isinstance(workload, Parse):
        return {"file": workload.request.file}
    ti = workload.ti
    assert ti is not None  # noqa: S101 - the other kinds are above
    return {
        "ti_id": ti.id,
        "dag_id": ti.dag_id,
        "task_id": ti.task_id,
        "run_id": ti.run_id,
        "try_number": ti.try_number,
        "map_index": ti.map_index,
    }


def _log_ids(workload: Workload) -> dict[str, Any]:
    """Returns the ids that the lines of a log have. What is about a DAG run names no task, whose rights it may have."""
    if isinstance(workload, Callback) and not isinstance(workload.request.call, TaskCallbacks):
        return _run_ids(workload)
    return _ids(workload)


def _run_ids(workload: Callback) -> dict[str, Any]:
    return {"dag_id": workload.request.dag_id, "run_id": workload.request.run_id}
