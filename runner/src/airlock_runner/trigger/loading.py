"""
Makes a trigger of its class's path and arguments, in the author's process.

The path may be one of Airflow's, of a module beside the DAG file, or of the DAG file itself. A task that starts with
its trigger has no arguments yet: the task's own ``start_trigger_args`` are taken, for a mapped task those of this map
index, and fields that are templates are rendered.
"""

import sys
from functools import cached_property
from importlib import import_module
from typing import Any

import msgspec

from airlock import names
from airlock.sdk.definitions.context import Context, running
from airlock.sdk.definitions.template import Rendering
from airlock_runner.channel import Channel
from airlock_runner.json_values import deserialized
from airlock_runner.load import is_dag_file, load_task
from airlock_runner.logs import Logs
from airlock_runner.task.context import context_of
from airlock_runner.task.endings import callbacks
from airlock_runner.task.stores.state_store import settings_in
from airlock_runner.task.task_instance import RunningTaskInstance
from airlock_wire.protocol.messages import TIRunContext
from airlock_wire.protocol.triggers import TriggerRequest


class Waiting:
    """The task instance that waits for a trigger. Its DAG file is loaded only where something needs the task."""

    def __init__(self, request: TriggerRequest, channel: Channel, root: str) -> None:
        self.request = request
        self.channel = channel
        self.root = root
        self._server = msgspec.convert(request.startup.ti_context, TIRunContext)

    def instance(self, task: Any = None) -> RunningTaskInstance:
        """Returns the task instance as a trigger sees it."""
        server = self._server
        return RunningTaskInstance(self.request.startup, task, self.channel, server.max_tries, server.dag_run)

    @cached_property
    def task(self) -> Any:
        """The task of the DAG file. Raises LoadError."""
        ti = self.request.startup.ti
        return load_task(self.root, self.request.startup.dag_rel_path, ti.dag_id, ti.task_id)

    @cached_property
    def operator(self) -> tuple[Any, RunningTaskInstance, Context]:
        """The operator, of a mapped task that of this index, with its instance and context. Raises LoadError."""
        task, ti = self.task, self.instance(self.task)
        context = context_of(task, ti, self._server, settings_in(self.request.startup.ti_context))
        if task.is_mapped:
            task, _ = task.unmap(context)
            ti.task = context["task"] = task
        return task, ti, context

    def call_back(self, state: str, logs: Logs) -> None:
        """Calls the author's callbacks for a task that its trigger has ended. An error in them is logged."""
        if state == "failed" and self._server.should_retry:
            state = "up_for_retry"
        try:
            operator, _, context = self.operator
        except Exception as e:  # noqa: BLE001 - the file may raise anything, and the task has ended
            logs.write("error", f"the task's callbacks are not called: {e}", error=e)
            return
        with running(context):
            callbacks.call(operator, callbacks.OF_STATE[state], context, logs)


def load(waiting: Waiting) -> Any:
    """Returns the trigger. Raises what its import or its constructor raises, and LoadError."""
    if waiting.root not in sys.path:
        sys.path.append(waiting.root)
    names.install()
    request = waiting.request
    kind = _class_of(request.classpath, waiting)
    if not request.starts:
        trigger = kind(**{name: deserialized(value) for name, value in request.kwargs.items()})
        trigger.task_instance = waiting.instance()
        return trigger
    operator, ti, context = waiting.operator
    trigger = kind(**(operator.start_trigger_args.trigger_kwargs or {}))
    trigger.task_instance = ti
    with running(context):
        Rendering(operator, context).fields_of(trigger, trigger.template_fields)
    return trigger


def _class_of(classpath: str, waiting: Waiting) -> Any:
    """Returns the class of a path. The DAG file's own module is loaded as for a task."""
    module_name, _, name = classpath.rpartition(".")
    if is_dag_file(module_name):
        # It is in memory once its task is, and running it twice would define its DAGs twice.
        _ = waiting.task
    module = import_module(module_name)
    try:
        return getattr(module, name)
    except AttributeError as e:
        raise ImportError(f"module {module_name!r} has no trigger {name!r}; serialize() must return its path") from e
