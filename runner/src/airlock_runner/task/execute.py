"""
Execute mode: one try of one task, from the startup message to the acknowledged terminal message.

It loads the task, renders its arguments, sends them for people to see, calls its function, stores what it returned,
and reports. An exception on the way decides the report (`outcome`). A DAG or task that cannot be found fails the task
with one clear line; Airflow's runner reschedules the task three times first, and ours does not.
"""

import os
from collections.abc import Generator
from datetime import UTC, datetime
from functools import partial
from types import GeneratorType
from typing import Any

import msgspec
from msgspec import UNSET

from airlock.sdk._context import Context, running
from airlock.sdk._signature import signature_of, with_context
from airlock.sdk._task import Task
from airlock.sdk._xcom import RETURN_VALUE
from airlock.sdk.exceptions import AirlockException, AirlockSkipException, LoadError, NotJson
from airlock_runner.channel import Channel, ChannelClosed
from airlock_runner.json_values import plain
from airlock_runner.load import load_task
from airlock_runner.logs import Logs
from airlock_runner.task import leaving, termination
from airlock_runner.task.context import context_of
from airlock_runner.task.outcome import Written, outcome_of, summary
from airlock_runner.task.render import arguments_of, shown
from airlock_runner.task.state_store import settings_in
from airlock_runner.task.task_instance import RunningTaskInstance
from airlock_wire.options import RETRIES, TaskOptions
from airlock_wire.pod import CHILD_EXIT_BROKEN, CHILD_EXIT_CLOSED, EXIT_OK
from airlock_wire.protocol.messages import SetRenderedFields, StartupDetails, TIRunContext


def execute(startup: StartupDetails, channel: Channel, root: str, logs: Logs) -> int:
    """Runs the task and reports; returns the exit code: 0 if the report was acknowledged, else 1."""
    server = msgspec.convert(startup.ti_context, TIRunContext)
    max_tries, should_retry = server.max_tries, server.should_retry
    task: Task | None = None
    error: BaseException | None = None
    written: Written = ([], [])
    try:
        task = load_task(root, startup.dag_rel_path, startup.ti.dag_id, startup.ti.task_id)
        termination.install(channel, task.options.on_kill)
        if RETRIES in (startup.undecided or ()):
            max_tries = (startup.first_try or 1) - 1 + task.options.retries
            should_retry = startup.ti.try_number <= max_tries
        ti = RunningTaskInstance(startup, task, channel, max_tries)
        context = context_of(task, ti, server.dag_run, settings_in(startup.ti_context))
        written = _run(task, ti, context, channel, logs, tells_options=bool(startup.undecided))
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
    report = outcome_of(
        error,
        should_retry=should_retry,
        retry_delay_seconds=task.options.retry_delay if task else None,
        now=datetime.now(UTC),
        written=written,
    )
    try:
        channel.ask(report)
    except ChannelClosed as e:
        logs.write("error", f"the outcome {report.state!r} could not be reported: {e}")
        return CHILD_EXIT_CLOSED
    except AirlockException as e:
        logs.write("error", f"the outcome {report.state!r} could not be reported: {e}")
        return CHILD_EXIT_BROKEN
    return EXIT_OK


def _run(
    task: Task, ti: RunningTaskInstance, context: Context, channel: Channel, logs: Logs, *, tells_options: bool
) -> Written:
    """Runs the task's function and stores its value; returns what it says of its outlets."""
    with running(context):
        arguments = arguments_of(task, ti, context)
        context["templates_dict"] = arguments.templates_dict
        # They are for people to look at: user code must neither wait for the server to store them nor fail with it.
        options = _options(task) if tells_options else UNSET
        message = SetRenderedFields(rendered_fields=shown(arguments), options=options)
        channel.tell(message, partial(_not_shown, logs))
        kwargs = with_context(signature_of(task.function), arguments.op_args, arguments.op_kwargs, context)
        value = task.function(*arguments.op_args, **kwargs)
        if task.outlets and isinstance(value, GeneratorType):
            value = _drained(value, context)
        if os.getpid() != channel.pid:
            return [], []
        _store(task, ti, value)
        if not task.outlets:
            return [], []
        from airlock_runner.task import asset_context  # deferred: most tasks have no assets

        return asset_context.report(context, task)


def _drained(generator: Generator[Any, None, Any], context: Context) -> Any:
    """Goes through what a task yields of its outlets; returns what it returns."""
    from airlock_runner.task import asset_context

    try:
        while True:
            asset_context.note(context, next(generator))
    except StopIteration as e:
        return e.value


def _options(task: Task) -> TaskOptions:
    """
    Returns the options that the author wrote. Written retries include the delay between them, even if it is the SDK's
    default.
    """
    task_options, explicit = task.options, task.written
    return TaskOptions(
        retries=task_options.retries if "retries" in explicit else None,
        retry_delay_seconds=task_options.retry_delay if {"retries", "retry_delay"} & explicit else None,
        execution_timeout_seconds=task_options.execution_timeout,
    )


def _store(task: Task, ti: RunningTaskInstance, value: Any) -> None:
    """Stores what the function returned, if anything: as `return_value`, and key by key for multiple outputs."""
    if value is None or not task.options.do_xcom_push:
        return
    value = plain(value, f"task {task.task_id!r} (line {task.line}): its return value")
    if task.splits_output:
        if not isinstance(value, dict):
            raise NotJson(
                f"task {task.task_id!r} (line {task.line}) has multiple outputs but returned "
                f"{type(value).__name__}; return a dict, or set multiple_outputs=False"
            )
        for key, item in value.items():
            ti.push_plain(key, item)
    ti.push_plain(RETURN_VALUE, value)


def _not_shown(logs: Logs, error: AirlockException) -> None:
    logs.write("warning", f"the task's rendered arguments cannot be shown: {error}")


def _log(logs: Logs, task_id: str, error: BaseException | None) -> None:
    if error is None:
        return
    if isinstance(error, LoadError):
        logs.write("error", str(error), error=error.__cause__)
    elif isinstance(error, AirlockSkipException):
        logs.write("info", f"task {task_id} was skipped: {error}" if str(error) else f"task {task_id} was skipped")
    else:
        logs.write("error", f"task {task_id} failed: {summary(error)}", error=error)
