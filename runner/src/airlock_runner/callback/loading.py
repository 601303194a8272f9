"""What callbacks are about: a DAG, and mostly a task instance of its run, whose context they get."""

from functools import cached_property
from typing import Any

import msgspec

from airlock.sdk._names import near
from airlock.sdk.definitions.context import Context
from airlock.sdk.exceptions import LoadError
from airlock_runner.channel import Channel
from airlock_runner.load import load_dags
from airlock_runner.task.context import context_of
from airlock_runner.task.stores.state_store import settings_in
from airlock_runner.task.task_instance import RunningTaskInstance
from airlock_wire.protocol.callbacks import CallbackRequest
from airlock_wire.protocol.messages import TIRunContext


class Subject:
    """The DAG of a request, and its task instance. The file is loaded once, where something needs it."""

    def __init__(self, request: CallbackRequest, channel: Channel, root: str) -> None:
        self.request = request
        self.root = root
        self._channel = channel

    @cached_property
    def dag(self) -> Any:
        """The DAG. Raises LoadError."""
        file, dag_id = self.request.file, self.request.dag_id
        dags = load_dags(self.root, file)
        dag = dags.get(dag_id)
        if dag is None:
            raise LoadError(f"{file}: no DAG {dag_id!r} in this file; {near(dag_id, dags)}")
        return dag

    @property
    def task(self) -> Any:
        """The task of the context. Raises LoadError if the DAG does not have it any more."""
        task = self.context.get("task")
        if task is None:
            raise LoadError(f"{self.request.file}: DAG {self.request.dag_id!r} does not have the task any more")
        return task

    @cached_property
    def context(self) -> Context:
        """The context of the task instance; without one, or without its task, the DAG and the run alone."""
        startup, dag = self.request.startup, self.dag
        task = None if startup is None else dag.task_dict.get(startup.ti.task_id)
        if startup is None or task is None:
            return Context(dag=dag, run_id=self.request.run_id)
        server = msgspec.convert(startup.ti_context, TIRunContext)
        ti = RunningTaskInstance(startup, task, self._channel, server.max_tries, server.dag_run)
        return context_of(task, ti, server, settings_in(startup.ti_context))
