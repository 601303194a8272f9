"""
Runs one DAG run on this machine, as a scheduler would: decides, launches, and decides again after each end.

What decides is pure (``rules.scheduling``). Each task runs behind a sidecar, several at a time. This process never
imports user code.
"""

import os
import time
from collections.abc import Callable
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from datetime import datetime, timedelta
from typing import Any, Final

import msgspec

from airlock_server.installation import Installation
from airlock_server.launching.local.executor import Executor, borrow
from airlock_server.launching.local.triggers import Deferral, Triggers
from airlock_server.rules import callbacks
from airlock_server.rules.assets import Declarations
from airlock_server.rules.scheduling.decide import decide
from airlock_server.rules.scheduling.graph import DagGraph
from airlock_server.rules.scheduling.snapshot import Changes, End, Key, Limits, Move, Past, Run, Snapshot, Start
from airlock_server.store.engine.types import now
from airlock_server.store.runs import progress
from airlock_server.store.runs.progress import NewRun, Progress, Row
from airlock_server.store.tries import Outcome
from airlock_wire.dags.dag import SerializedDag
from airlock_wire.dags.task import SerializedTask, declared
from airlock_wire.identity import TaskInstanceKey
from airlock_wire.protocol.callbacks import TaskCallbacks
from airlock_wire.states import TaskInstanceState

_S = TaskInstanceState

#: How long the loop waits at most before it looks at the run again: somebody else may have changed it.
LOOK_SECONDS: Final = 1.0
#: Triggers that run at a time, each with two processes. Others wait for one of them to end.
_MAX_TRIGGERS: Final = 32
#: The method by which a task goes on whose trigger failed, in Airflow's words.
_FAIL_METHOD: Final = "__fail__"


class Result(msgspec.Struct, frozen=True, kw_only=True):
    """How a run ended, None if it was stopped; its rows, and the last outcome of each instance that was launched."""

    end: End | None
    rows: list[Row]
    outcomes: dict[Key, Outcome]


class DagRunner:
    """
    One run. ``show`` gets the run's rows whenever they may have changed, and again while time passes.

    ``marks_success`` tells which tasks succeed without being launched. ``call_back`` calls the callbacks of a try that
    ended outside its runner, which it gets with the present id of the task instance. ``begins`` is called when the run
    was made, before its first task. ``limits`` are the settings for runs.
    """

    def __init__(
        self,
        installation: Installation,
        executor: Executor,
        dag: SerializedDag,
        file: str,
        *,
        triggers: Triggers,
        show: Callable[[list[Row]], None],
        marks_success: Callable[[str], bool] = lambda _: False,
        look_seconds: float = LOOK_SECONDS,
        call_back: Callable[[Outcome, TaskCallbacks, str], object] = lambda *_: None,
        begins: Callable[[], object] = lambda: None,
        limits: Limits = Limits(),  # noqa: B008 - it is frozen
    ) -> None:
        self._database = installation.database
        self._executor = executor
        self._graph = DagGraph(dag)
        self._dag = dag
        self._file = file
        self._triggers = triggers
        self._show = show
        self._marks_success = marks_success
        self._look_seconds = look_seconds
        self._call_back = call_back
        self._begins = begins
        self._limits = limits
        self._run = Run(run_id="")
        self._past: Past | None = None
        self._complete = False
        self._failed: list[Key] = []
        self._outcomes: dict[Key, Outcome] = {}
        self._pending: dict[Future[Outcome | None], Key] = {}
        #: The ids of the instances whose triggers run.
        self._deferred: set[str] = set()

    def run(self, new: NewRun) -> Result:
        """Makes the run and moves it on until it ends. Raises airlock_server.store.errors.StoreError."""
        self._database.write(lambda conn: self._make(conn, new))
        self._begins()
        places = min(os.cpu_count() or 1, self._dag.max_active_tasks or os.cpu_count() or 1)
        with ThreadPoolExecutor(places, "launch") as launches, ThreadPoolExecutor(_MAX_TRIGGERS, "trigger") as waits:
            end = self._loop(launches, waits)
            self._triggers.stop()
            while self._pending:
                self._wait(self._look_seconds)
        state = "failed" if end is None else end.state
        self._database.write(lambda conn: progress.end(conn, new.dag_id, new.run_id, state))
        rows = self._read().rows
        self._show(rows)
        return Result(end=end, rows=rows, outcomes=self._outcomes)

    def _make(self, conn: Any, new: NewRun) -> None:
        borrow(conn, self._dag)
        progress.make(conn, new)
        self._past = progress.past(conn, new.dag_id, new.logical_date, catchup=bool(self._dag.catchup))
        self._run = Run(run_id=new.run_id, run_type=new.run_type, logical_date=new.logical_date, start_date=now())

    def _read(self) -> Progress:
        return self._database.read(lambda conn: progress.read(conn, self._dag.dag_id, self._run.run_id))

    # --- the loop ---

    def _loop(self, launches: ThreadPoolExecutor, waits: ThreadPoolExecutor) -> End | None:
        while not self._executor.stopping:
            changes = self._decide()
            again = self._begin(changes, launches, waits)
            if changes.end is not None:
                return changes.end
            if not again:
                self._until(changes.due)
        return None

    def _decide(self) -> Changes:
        before = self._read()
        snapshot = Snapshot(
            dag=self._dag,
            run=self._run,
            now=now(),
            instances=[row.instance for row in before.rows],
            lengths=before.lengths,
            pushed=before.pushed,
            skip_records=before.skip_records,
            past=self._past,
            failed=self._failed,
            complete=self._complete,
            limits=self._limits,
        )
        changes = decide(snapshot, self._graph)
        self._complete, self._failed = True, []
        self._database.write(lambda conn: progress.write(conn, self._dag.dag_id, self._run.run_id, changes))
        return changes

    def _begin(self, changes: Changes, launches: ThreadPoolExecutor, waits: ThreadPoolExecutor) -> bool:
        """Begins what a decision starts, and the waits for triggers; tells whether to decide again at once."""
        marked = False
        for start in changes.starts:
            task = self._graph.tasks[start.key.task_id]
            if self._marks_success(task.task_id):
                self._mark(start)
                marked = True
            elif not start.deferred:
                self._queue(start.key, task, launches)
        rows = self._read().rows
        waiting = set(self._pending.values())
        for row in rows:
            deferred = row.instance.state is _S.DEFERRED
            if deferred and row.instance.key not in waiting:
                self._pending[waits.submit(self._await_trigger, row)] = row.instance.key
            elif not deferred and row.ti_id in self._deferred:
                self._triggers.stop(row.ti_id)
        self._show(rows)
        return marked

    def _until(self, due: datetime | None) -> None:
        """Waits for an end, for a moment, or for a while."""
        began = time.monotonic()
        while not self._executor.stopping:
            left = LOOK_SECONDS - (time.monotonic() - began)
            if due is not None:
                left = min(left, (due - now()).total_seconds())
            if left <= 0 or self._wait(min(left, self._look_seconds)):
                return
            self._show(self._read().rows)

    def _wait(self, seconds: float) -> bool:
        """Waits for an end, for some seconds at most; tells whether there was one."""
        if not self._pending:
            time.sleep(seconds)
            return False
        done, _ = wait(self._pending, seconds, FIRST_COMPLETED)
        for future in done:
            key, outcome = self._pending.pop(future), future.result()
            if outcome is not None:
                self._outcomes[key] = outcome
                if outcome.state is _S.FAILED:
                    self._failed.append(key)
        return bool(done)

    # --- one task instance ---

    def _key(self, key: Key) -> TaskInstanceKey:
        return TaskInstanceKey(self._dag.dag_id, self._run.run_id, key.task_id, key.map_index)

    def _mark(self, start: Start) -> None:
        moves = Changes(moves=[Move(key=start.key, state=_S.SUCCESS)])
        self._database.write(lambda conn: progress.write(conn, self._dag.dag_id, self._run.run_id, moves))

    def _queue(self, key: Key, task: SerializedTask, launches: ThreadPoolExecutor) -> None:
        assets = Declarations(tuple(declared(task.inlets)), tuple(declared(task.outlets)))
        ti_id = self._database.write(lambda conn: progress.queue(conn, self._key(key), assets))
        if ti_id is not None:
            self._pending[launches.submit(self._launch, ti_id, task)] = key

    def _launch(self, ti_id: str, task: SerializedTask) -> Outcome | None:
        if self._executor.stopping:
            return None
        outcome, record = self._executor.run(ti_id, self._file, task)
        state = callbacks.of_lost_runner(outcome.state, record)
        if state is not None and callbacks.tells_somebody(task, state) and not self._executor.stopping:
            key = Key(outcome.key.task_id, outcome.key.map_index)
            # A retry has another id than the try that is over.
            current = next((row.ti_id for row in self._read().rows if row.instance.key == key), ti_id)
            self._call_back(outcome, TaskCallbacks(state=state, error=outcome.reason or outcome.state.value), current)
        return outcome

    def _await_trigger(self, row: Row) -> None:
        """Waits for a deferred instance's trigger, and lets the instance go on, or ends it."""
        self._deferred.add(row.ti_id)
        fired = self._triggers.run(self._deferral(row))
        self._deferred.discard(row.ti_id)
        if self._executor.stopping:
            return
        if (end := fired.end) is not None:
            self._database.write(lambda conn: progress.close(conn, row.ti_id, end))
            return
        method = None if fired.error is None else _FAIL_METHOD
        more: dict[str, Any] = {"event": fired.event} if method is None else {"error": fired.error}
        if fired.traceback:
            more["traceback"] = fired.traceback
        self._database.write(lambda conn: progress.resume(conn, row.ti_id, method, more))

    def _deferral(self, row: Row) -> Deferral:
        report = row.report
        if report is not None and "classpath" in report:
            return Deferral(
                ti_id=row.ti_id,
                file=self._file,
                classpath=str(report["classpath"]),
                kwargs=report.get("trigger_kwargs") or {},
                until=row.trigger_timeout_at,
            )
        # It has not run yet: the file says what it is deferred with.
        task = self._graph.tasks[row.instance.task_id]
        start = task.start_trigger
        assert start is not None  # noqa: S101 - nothing else defers an instance that has not run
        self._database.write(lambda conn: progress.defer(conn, row.ti_id, start.next_method, start.next_kwargs))
        limits = [each for each in (start.timeout_seconds, task.execution_timeout_seconds) if each is not None]
        return Deferral(
            ti_id=row.ti_id,
            file=self._file,
            classpath=start.trigger_cls,
            kwargs=start.trigger_kwargs,
            until=now() + timedelta(seconds=min(limits)) if limits else None,
            starts=True,
        )
