"""
Messages of a runner in callback mode: which callbacks of the author's it calls, and what became of them. Airlock's own.

A task's own runner calls the task's callbacks. The others come from here: those of a DAG run, of a deadline, and of a
task whose runner was lost. Airflow calls them in its DAG processor, its triggerer or an executor.
"""

from typing import Any, Literal, TypeAlias

import msgspec

from airlock_wire.dags.moments import Moment
from airlock_wire.protocol.messages import DagRun, Message, StartupDetails


class _Call(msgspec.Struct, frozen=True, kw_only=True, tag_field="of"):
    """What tells the calls apart."""


class DagCallbacks(_Call, frozen=True, kw_only=True, tag="dag"):
    """
    Those of a DAG whose run ended in a state. ``reason`` is Airflow's word for why, which their context has. The rest
    of the context is that of the request's task instance.
    """

    state: Literal["success", "failed"]
    reason: str


class TaskCallbacks(_Call, frozen=True, kw_only=True, tag="task"):
    """
    Those of the request's task instance, which ended outside its runner. ``error`` says how, and is their exception.
    """

    state: Literal["failed", "up_for_retry"]
    error: str


class DeadlineCallbacks(_Call, frozen=True, kw_only=True, tag="deadline"):
    """
    The one of a deadline that has passed: a function or a notifier by its path, with its arguments as they were
    serialized. An async one is awaited.
    """

    kind: Literal["async", "sync"]
    path: str
    kwargs: dict[str, Any] = {}
    deadline_id: str
    deadline_time: Moment
    dag_run: DagRun


class RunListeners(_Call, frozen=True, kw_only=True, tag="listeners"):
    """The listeners of the bundle's plugins, of what became of a DAG run. ``message`` is Airflow's word for why."""

    state: Literal["running", "success", "failed"]
    message: str
    dag_run: DagRun


Call: TypeAlias = DagCallbacks | TaskCallbacks | DeadlineCallbacks | RunListeners


class CallbackRequest(Message, frozen=True, kw_only=True):
    """
    The message that starts a runner in callback mode; it answers with ``CallbackResult``.

    ``startup`` is of the task instance whose context and rights the callbacks have; without one they have the DAG, the
    run's id, and no right to ask the server. ``file`` is below the bundle's root.
    """

    call: Call
    bundle_name: str
    file: str
    dag_id: str
    run_id: str
    startup: StartupDetails | None = None


class CallbackResult(Message, frozen=True, kw_only=True):
    """How many callbacks were called, and what went wrong: a line with file and line for each that failed."""

    called: int
    errors: list[str]
