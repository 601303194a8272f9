"""
Callback mode: calls what the author wants to be told by, one after the other. What one raises is logged and reported,
and the others are called all the same.
"""

import os
from collections.abc import Callable, Iterator
from typing import Any, Final

from airlock.sdk.basis.states import TaskInstanceState
from airlock.sdk.definitions.context import Context, running
from airlock.sdk.execution_time import log as sdk_log
from airlock_runner.callback.deadline import call_deadline
from airlock_runner.callback.loading import Subject
from airlock_runner.channel import Channel
from airlock_runner.listeners import Listeners
from airlock_runner.load import failure_of
from airlock_runner.logs import Logs
from airlock_runner.mail.addresses import is_wanted
from airlock_wire.protocol import callbacks as wire

#: The option of a DAG, and that of a task, by the state that it ended in.
_OF_DAG: Final = {"success": "on_success_callback", "failed": "on_failure_callback"}
_OF_TASK: Final = {"failed": "on_failure_callback", "up_for_retry": "on_retry_callback"}

#: A call with its name for the log.
_Named = tuple[str, Callable[[], object]]


def run(request: wire.CallbackRequest, channel: Channel, root: str, logs: Logs) -> wire.CallbackResult:
    """Calls the callbacks of a request; returns what became of them."""
    sdk_log.install(lambda level, text, logger: logs.write(level, text, logger=logger))
    if isinstance(request.call, wire.RunListeners):
        about, listeners = request.call, Listeners(root, logs)
        called = listeners.call(f"on_dag_run_{about.state}", dag_run=about.dag_run, msg=about.message)
        return wire.CallbackResult(called=called, errors=listeners.errors)
    pid, called, errors = os.getpid(), 0, []
    try:
        for what, call in _calls(request.call, Subject(request, channel, root), logs):
            called += 1
            logs.write("info", f"calling {what}")
            try:
                call()
            except BaseException as e:
                if os.getpid() != pid:
                    raise
                logs.write("error", f"{what} failed: {type(e).__name__}: {e}", error=e)
                errors.append(failure_of(e, root))
    except BaseException as e:
        if os.getpid() != pid:
            raise
        logs.write("error", f"the callbacks of DAG {request.dag_id} are not called: {e}", error=e)
        errors.append(failure_of(e, root))
    return wire.CallbackResult(called=called, errors=errors)


def _calls(
    call: wire.DagCallbacks | wire.TaskCallbacks | wire.DeadlineCallbacks, subject: Subject, logs: Logs
) -> Iterator[_Named]:
    """Yields each call. Raises LoadError, or what the file raises."""
    match call:
        case wire.DeadlineCallbacks():
            yield f"the callback of a deadline, {call.path}", lambda: call_deadline(call, subject)
        case wire.DagCallbacks():
            context = subject.context
            context["reason"] = call.reason
            yield from _bound(subject.dag, _OF_DAG[call.state], f"DAG {subject.request.dag_id}", context)
        case wire.TaskCallbacks():
            context = subject.context
            context["exception"] = error = RuntimeError(call.error)
            task = subject.task
            context["ti"].state = TaskInstanceState(call.state)
            yield from _bound(task, _OF_TASK[call.state], f"task {task.task_id}", context)
            if is_wanted(task, call.state):
                from airlock_runner.mail import alert  # deferred: it loads what sends mail

                yield f"the mail about task {task.task_id}", lambda: alert.send(task, call.state, context, error, logs)


def _bound(owner: Any, option: str, whose: str, context: Context) -> Iterator[_Named]:
    def bound(callback: Any) -> Callable[[], object]:
        def call_back() -> object:
            with running(context):
                return callback(context)

        return call_back

    callbacks = getattr(owner, option, None) or ()
    for callback in callbacks if isinstance(callbacks, list | tuple) else [callbacks]:
        named = getattr(callback, "__name__", None) or type(callback).__name__
        yield f"{option} of {whose}: {named}", bound(callback)
