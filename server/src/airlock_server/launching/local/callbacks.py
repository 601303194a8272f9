"""
Callbacks on this machine that no runner of a task calls. They are the author's functions, so this process does not load
them: a runner behind a sidecar does, with the rights of the task instance that they are about.
"""

from typing import Any, Final

import msgspec

from airlock_server.installation import Installation
from airlock_server.launching.local.executor import BUNDLE, CannotLaunch, Executor, log_path
from airlock_server.rules.scheduling.snapshot import End
from airlock_server.store import dag_runs, task_instances, tries
from airlock_server.store.engine.types import now
from airlock_server.store.tries import Outcome
from airlock_wire import workload
from airlock_wire.protocol.callbacks import (
    Call,
    CallbackRequest,
    CallbackResult,
    DagCallbacks,
    RunListeners,
    TaskCallbacks,
)
from airlock_wire.protocol.messages import BundleInfo, DagRun, StartupDetails
from airlock_wire.record import Reason, Record

#: How long the sidecar's end and the processes around the callbacks may take, beyond the callbacks themselves.
_AROUND_SECONDS: Final = 30.0


class Callbacks:
    """Calls callbacks of the DAGs of one file, each request in a process of its own behind a sidecar."""

    def __init__(self, installation: Installation, executor: Executor, file: str) -> None:
        """``file`` is below the bundle's root. Callbacks may take as long as a file of the DAG processor may."""
        self._installation = installation
        self._executor = executor
        self._file = file
        self._seconds = installation.settings.dag_processor.dag_file_processor_timeout

    def of_dag(self, dag_id: str, run_id: str, end: End, ti_id: str | None) -> list[str]:
        """
        Calls those of a DAG whose run has ended; returns a line for each that failed. ``ti_id`` is the task instance
        whose context and rights they have, None for none.
        """
        startup = None if ti_id is None else self._startup(ti_id)
        call = DagCallbacks(state=end.state, reason=end.reason)
        return self._call(call, dag_id, run_id, startup, dag_log(dag_id, run_id))

    def of_listeners(self, dag_id: str, run_id: str, end: End | None) -> list[str]:
        """
        Tells the listeners of the bundle's plugins how a DAG run ended, or that it runs: None. Returns a line for each
        that failed.
        """
        row = self._installation.database.read(lambda conn: dag_runs.as_wire(conn, dag_id, run_id))
        dag_run = _as_dag_run(row)
        if end is None:
            call = RunListeners(state="running", message="started", dag_run=dag_run)
        else:
            call = RunListeners(state=end.state, message=end.reason, dag_run=dag_run)
        return self._call(call, dag_id, run_id, None, listeners_log(dag_id, run_id, ended=end is not None))

    def of_task(self, outcome: Outcome, state: TaskCallbacks, ti_id: str) -> list[str]:
        """
        Calls those of a task instance that ended outside its runner; returns a line for each that failed. ``ti_id`` is
        its id now: a retry has given it another one.
        """
        key = outcome.key
        startup = self._startup(ti_id, outcome)
        return self._call(state, key.dag_id, key.run_id, startup, f"{log_path(outcome)}.callback.1.log")

    def _startup(self, ti_id: str, outcome: Outcome | None = None) -> StartupDetails:
        database = self._installation.database
        row = database.read(lambda conn: tries.outcome(conn, ti_id))
        context = database.read(lambda conn: task_instances.run_context(conn, ti_id))
        assert row is not None  # noqa: S101 - the run has it
        ti = tries.as_wire(row)
        if outcome is not None:
            ti = msgspec.structs.replace(ti, try_number=outcome.try_number)
        return StartupDetails(
            ti=ti,
            dag_rel_path=self._file,
            bundle_info=BundleInfo(name=BUNDLE),
            start_date=(outcome or row).start_date or now(),
            ti_context=context | self._installation.settings.state_store.for_runners(),
            sentry_integration="",
        )

    def _call(self, call: Call, dag_id: str, run_id: str, startup: StartupDetails | None, log: str) -> list[str]:
        request = CallbackRequest(
            call=call, bundle_name=BUNDLE, file=self._file, dag_id=dag_id, run_id=run_id, startup=startup
        )
        seconds = self._seconds + _AROUND_SECONDS
        mint = self._installation.tokens.mint_execution
        token = "" if startup is None else mint(startup.ti.id, at_least_seconds=seconds)
        work = workload.Callback(request=request, log_path=log, timeout_seconds=self._seconds)
        try:
            launch = self._executor.launch(work, token, seconds=seconds)
        except CannotLaunch as e:
            return [f"{self._file}: {e}"]
        return errors_of(self._file, launch.record, launch.answer)


def dag_log(dag_id: str, run_id: str) -> str:
    """Returns where the log of a run's own callbacks lies below the folder of logs, beside those of its tasks. Pure."""
    return f"dag_id={dag_id}/run_id={run_id}/dag.callback.1.log"


def listeners_log(dag_id: str, run_id: str, *, ended: bool) -> str:
    """Returns where the log of the listeners of a run's start, or of its end, lies below the folder of logs. Pure."""
    return f"dag_id={dag_id}/run_id={run_id}/dag.listener.{2 if ended else 1}.log"


def errors_of(file: str, record: Record | None, data: bytes | None) -> list[str]:
    """Returns what went wrong. ``data`` is what the runner answered, None if it did not; user code wrote it. Pure."""
    if data is None:
        if record is not None and record.reason is Reason.TIMED_OUT:
            return [f"{file}: {record.message}; set AIRLOCK__DAG_PROCESSOR__DAG_FILE_PROCESSOR_TIMEOUT for more time"]
        how = f": {record.message}" if record is not None and record.message else ""
        return [f"{file}: the process that called the callbacks ended without an answer{how}"]
    try:
        return msgspec.json.decode(data, type=CallbackResult).errors
    except (msgspec.MsgspecError, RecursionError) as e:
        return [f"{file}: the answer of the callbacks cannot be read: {e}"]


def _as_dag_run(row: dict[str, Any]) -> DagRun:
    # By way of JSON, as a task gets it: a column's name is a text of a kind of its own.
    return msgspec.json.decode(msgspec.json.encode(row), type=DagRun)
