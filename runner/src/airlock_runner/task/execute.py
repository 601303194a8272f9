"""
Execute mode: one try of one task, from the startup message to the acknowledged terminal message.

It loads the task, renders its fields, sends them for people to see, runs its ``execute``, stores what that returned,
and reports. An exception on the way decides the report (`endings.outcome`). A DAG or task that cannot be found fails
the task with one clear line; Airflow's runner reschedules the task three times first, and ours does not.
"""

import os
from contextlib import suppress
from datetime import UTC, datetime
from functools import partial
from typing import Any

import msgspec
from msgspec import UNSET

from airlock.sdk.bases.operator import BaseOperator
from airlock.sdk.basis.states import TaskInstanceState
from airlock.sdk.definitions.context import Context, running
from airlock.sdk.exceptions import (
    AirlockException,
    AirlockFailException,
    AirlockSensorTimeout,
    AirlockSkipException,
    DagRunTriggerException,
    DownstreamTasksSkipped,
    LoadError,
)
from airlock.sdk.execution_time import log as sdk_log
from airlock.standard.decorators import python as _most_tasks  # noqa: F401 - loaded while the server is being asked
from airlock_runner import listeners
from airlock_runner.channel import Channel, ChannelClosed
from airlock_runner.listeners import Listeners
from airlock_runner.load import load_task
from airlock_runner.logs import Logs
from airlock_runner.options import line_of, written_options
from airlock_runner.task import leaving, termination
from airlock_runner.task.context import context_of, params_of, tell_environment
from airlock_runner.task.endings import callbacks
from airlock_runner.task.endings.outcome import PAUSES, Written, outcome_of, summary
from airlock_runner.task.push import push
from airlock_runner.task.render import render, shown
from airlock_runner.task.stores.state_store import settings_in
from airlock_runner.task.task_instance import RunningTaskInstance
from airlock_wire.options import RETRIES
from airlock_wire.pod import CHILD_EXIT_BROKEN, CHILD_EXIT_CLOSED, EXIT_OK, RENDER_ONLY
from airlock_wire.protocol.messages import Message, SetRenderedFields, StartupDetails, TIRunContext


class _Run:
    """What is known of the launch so far: a failure may come before the rest."""

    def __init__(self, server: TIRunContext) -> None:
        self.server = server
        self.should_retry = server.should_retry
        self.task: Any = None
        self.ti: RunningTaskInstance | None = None
        self.context: Context | None = None
        self.listeners: Listeners | None = None


def execute(startup: StartupDetails, channel: Channel, root: str, logs: Logs) -> int:
    """Runs the task and reports; returns the exit code: 0 if the report was acknowledged, else 1."""
    run = _Run(msgspec.convert(startup.ti_context, TIRunContext))
    error: BaseException | None = None
    written: Written = ([], [])
    sdk_log.install(lambda level, text, logger: logs.write(level, text, logger=logger))
    try:
        written = _run(run, startup, channel, root, logs)
    except BaseException as e:  # noqa: BLE001 - the edge of user code: whatever it raises decides the outcome
        error = e
    if os.getpid() != channel.pid:
        # This is a process that the task forked: it has no outcome, and ends as a program does.
        leaving.end_fork(error)
    try:
        leaving.leave(logs, error)
    except BaseException as e:  # noqa: BLE001 - the same: a stop, or what a thread's or process's end raises
        error = error or e
    termination.ignore()
    _log(logs, startup.ti.task_id, error)
    report = _report(run, error, written, logs)
    try:
        channel.ask(report)
    except ChannelClosed as e:
        logs.write("error", f"the outcome {_state(report)!r} could not be reported: {e}")
        return CHILD_EXIT_CLOSED
    except AirlockException as e:
        logs.write("error", f"the outcome {_state(report)!r} could not be reported: {e}")
        return CHILD_EXIT_BROKEN
    _call_back(run, report, error, logs)
    return EXIT_OK


def _run(run: _Run, startup: StartupDetails, channel: Channel, root: str, logs: Logs) -> Written:
    """Runs the task; returns what it says of its outlets."""
    task = run.task = load_task(root, startup.dag_rel_path, startup.ti.dag_id, startup.ti.task_id)
    run.listeners = Listeners(root, logs)
    max_tries = run.server.max_tries
    if RETRIES in (startup.undecided or ()):
        max_tries = (startup.first_try or 1) - 1 + task.retries
        run.should_retry = startup.ti.try_number <= max_tries
    ti = run.ti = RunningTaskInstance(startup, task, channel, max_tries, run.server.dag_run)
    if run.server.xcom_keys_to_clear:
        # Airlock's server names keys only for a runner with an XCom backend, and Airflow's server always.
        ti.clear_xcoms(run.server.xcom_keys_to_clear)
    context = run.context = context_of(task, ti, run.server, settings_in(startup.ti_context))
    tell_environment(task, ti, context)
    with running(context):
        operator = _prepared(run, ti, context)
        termination.install(channel, _on_kill(operator), operator.execution_timeout)
        # They are for people to look at: user code must neither wait for the server to store them nor fail with it.
        options = written_options(task) if startup.undecided else UNSET
        channel.tell(SetRenderedFields(rendered_fields=shown(operator), options=options), partial(_not_shown, logs))
        if os.environ.get(RENDER_ONLY):
            return [], []
        ti.state = TaskInstanceState.RUNNING
        run.listeners.call(listeners.RUNNING, previous_state=TaskInstanceState.QUEUED, task_instance=ti)
        try:
            value = _executed(operator, ti, context, run.server, logs)
        except Exception:
            # A name that cannot be rendered must not hide why the task failed.
            with suppress(Exception):
                ti.render_map_index(operator, context)
            raise
        if os.getpid() != channel.pid:
            return [], []
        push(operator, ti, value, line_of(task))
        ti.render_map_index(operator, context)
        if not operator.outlets:
            return [], []
        from airlock_runner.task.assets import context as asset_context  # deferred: most tasks have no assets

        return asset_context.report(context, operator)


def _prepared(run: _Run, ti: RunningTaskInstance, context: Context) -> BaseOperator:
    """Returns the operator that runs: of a mapped task the instance of this index, with its fields rendered."""
    task = run.task
    seen: set[int] = set()
    if task.is_mapped:
        task, seen = task.unmap(context)
        run.task = ti.task = context["task"] = task
        # The options of an instance may be mapped, too.
        context["inlets"], context["outlets"] = task.inlets, task.outlets
        context["params"] = params_of(task, context["conf"])
    operator: BaseOperator = task
    operator.lock_for_execution()
    if operator.template_ext or type(operator).prepare_template is not BaseOperator.prepare_template:
        operator.resolve_template_files()
    render(operator, context, seen)
    return operator


def _executed(
    operator: BaseOperator, ti: RunningTaskInstance, context: Context, server: TIRunContext, logs: Logs
) -> Any:
    """Returns what the operator's ``execute`` returned; None where that skips tasks or makes a DAG run."""
    try:
        operator.pre_execute(context)
        callbacks.call(operator, "on_execute_callback", context, logs)
        if server.next_method:
            value = operator.resume_execution(server.next_method, ti.next_kwargs(server.next_kwargs), context)
        else:
            value = operator.execute(context)
        operator.post_execute(context, value)
    except DownstreamTasksSkipped as e:
        ti.skip(e.tasks)
        return None
    except DagRunTriggerException as e:
        from airlock_runner.task.endings import dag_run  # deferred: few tasks make DAG runs

        dag_run.trigger(e, ti, logs)
        return None
    return value


def _on_kill(operator: BaseOperator) -> Any:
    """Returns what to call when the task is told to stop; None where the author wrote nothing."""
    own = "on_kill" in vars(operator) or type(operator).on_kill is not BaseOperator.on_kill
    return operator.on_kill if own else None


def _report(run: _Run, error: BaseException | None, written: Written, logs: Logs) -> Message:
    task, ti = run.task, run.ti
    # Who decides on the next try knows the task's own delay, and how it grows.
    delay = reason = None
    if error is not None and ti is not None and task.retry_policy is not None and _is_failure(error):
        from airlock_runner.task.endings import retry_policy

        answer = retry_policy.ask(
            task.retry_policy,
            error,
            ti,
            run.context or {},
            logs,
            should_retry=run.should_retry,
        )
        run.should_retry, reason = answer.should_retry, answer.reason
        delay = answer.delay_seconds
    return outcome_of(
        error,
        should_retry=run.should_retry,
        retry_delay_seconds=delay,
        now=datetime.now(UTC),
        written=written,
        rendered_map_index=ti.rendered_map_index if ti is not None else None,
        reason=reason,
    )


def _is_failure(error: BaseException) -> bool:
    return isinstance(error, Exception) and not isinstance(
        error, (*PAUSES, AirlockSkipException, AirlockFailException, AirlockSensorTimeout)
    )


def _state(report: Message) -> str:
    state: str = report.state  # type: ignore[attr-defined]  # every terminal message has one
    return state


def _call_back(run: _Run, report: Message, error: BaseException | None, logs: Logs) -> None:
    state = _state(report)
    name = callbacks.OF_STATE.get(state)
    if name is None or run.context is None or run.ti is None:
        return
    run.ti.state, run.ti.end_date = TaskInstanceState(state), getattr(report, "end_date", None)
    if error is not None:
        run.context["exception"] = error
    with running(run.context):
        callbacks.call(run.task, name, run.context, logs)
        if run.listeners is not None and run.listeners.there:
            more = {"error": error} if listeners.OF_STATE[state] == listeners.FAILED else {}
            previous = TaskInstanceState.RUNNING
            run.listeners.call(listeners.OF_STATE[state], previous_state=previous, task_instance=run.ti, **more)
        if error is not None:
            callbacks.mail(run.task, state, run.context, error, logs)


def _not_shown(logs: Logs, error: AirlockException) -> None:
    logs.write("warning", f"the task's rendered arguments cannot be shown: {error}")


def _log(logs: Logs, task_id: str, error: BaseException | None) -> None:
    if error is None:
        return
    if isinstance(error, LoadError):
        logs.write("error", str(error), error=error.__cause__)
    elif isinstance(error, AirlockSkipException):
        logs.write("info", f"task {task_id} was skipped: {error}" if str(error) else f"task {task_id} was skipped")
    elif isinstance(error, PAUSES):
        logs.write("info", f"task {task_id} pauses: {error}")
    else:
        logs.write("error", f"task {task_id} failed: {summary(error)}", error=error)
