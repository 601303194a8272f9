"""Makes the DAG run that an operator asks for, and waits for its end where it is to."""

import time
from typing import Any

from airlock.sdk import _channel
from airlock.sdk.definitions.variable import refusal
from airlock.sdk.exceptions import (
    AirlockException,
    AirlockFailException,
    AirlockSkipException,
    ChannelError,
    DagRunTriggerException,
    TaskDeferred,
)
from airlock_runner.logs import Logs
from airlock_runner.task.task_instance import RunningTaskInstance
from airlock_wire.protocol.changes import TriggerDagRun
from airlock_wire.protocol.lookups import DagRunStateResult, GetDagRunState
from airlock_wire.protocol.messages import ErrorResponse, ErrorType


def trigger(order: DagRunTriggerException, ti: RunningTaskInstance, logs: Logs) -> None:
    """
    Makes the DAG run. Raises AirlockSkipException or AirlockFailException if it exists already. Raises AirlockException
    if it ended in one of the failed states, and TaskDeferred where a trigger is to wait.
    """
    dag_id, run_id = order.trigger_dag_id, order.dag_run_id
    logs.write("info", f"Triggering DAG run {run_id} of {dag_id}.")
    answer = _channel.ask(
        TriggerDagRun(
            dag_id=dag_id,
            run_id=run_id,
            logical_date=order.logical_date,
            run_after=order.run_after,
            conf=order.conf,
            reset_dag_run=order.reset_dag_run,
            note=order.note,
        ),
        f"the trigger of DAG {dag_id!r}",
    )
    if isinstance(answer, ErrorResponse):
        if answer.error is not ErrorType.DAGRUN_ALREADY_EXISTS:
            raise refusal(answer, f"the trigger of DAG {dag_id!r}")
        text = f"the DAG run {run_id!r} of {dag_id!r} already exists"
        raise AirlockSkipException(text) if order.skip_when_already_exists else AirlockFailException(text)
    ti.xcom_push("trigger_run_id", run_id)
    if order.wait_for_completion:
        _wait(order, logs)


def _wait(order: DagRunTriggerException, logs: Logs) -> None:
    if order.deferrable:
        from airlock.standard.triggers.external_task import DagStateTrigger

        raise TaskDeferred(
            trigger=DagStateTrigger(
                dag_id=order.trigger_dag_id,
                states=order.allowed_states + order.failed_states,
                execution_dates=None,
                run_ids=[order.dag_run_id],
                poll_interval=order.poke_interval,
            ),
            method_name="execute_complete",
        )
    logs.write("info", f"Waiting for the DAG run {order.dag_run_id} to end in {_words(order.allowed_states)}.")
    while True:
        time.sleep(order.poke_interval)
        call = f"the state of the DAG run {order.dag_run_id!r}"
        answer = _channel.ask(GetDagRunState(dag_id=order.trigger_dag_id, run_id=order.dag_run_id), call)
        if isinstance(answer, ErrorResponse):
            raise refusal(answer, call)
        if not isinstance(answer, DagRunStateResult):
            raise ChannelError(f"{call} was answered with {type(answer).__name__}")
        if answer.state in _words(order.failed_states):
            raise AirlockException(f"{order.trigger_dag_id} failed with failed state {answer.state}")
        if answer.state in _words(order.allowed_states):
            return


def _words(states: list[Any]) -> list[str]:
    return [str(getattr(state, "value", state)) for state in states]
