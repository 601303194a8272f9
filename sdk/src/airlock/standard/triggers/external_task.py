"""Triggers of other DAGs: their tasks, task groups and runs."""

import datetime as dt
from collections.abc import AsyncIterator, Collection, Mapping
from typing import Any, Final

from airlock.sdk import _channel
from airlock.sdk.bases.trigger import BaseTrigger, TriggerEvent
from airlock_wire.protocol import lookups

_PATH: Final = "airflow.providers.standard.triggers.external_task"


async def _ask(message: Any) -> Any:
    import asyncio  # deferred: a task that defers has no use for it

    return await asyncio.to_thread(_channel.ask, message, "a trigger of another DAG")


class WorkflowTrigger(BaseTrigger):
    """
    An event when another DAG's tasks, a task group of it, or its runs are in states that are waited for.

    The payload is ``{"status": "success"}`` when all are in ``allowed_states``. It is ``failed`` or ``skipped`` as soon
    as one is in ``failed_states`` or ``skipped_states``. ``poke_interval`` is in seconds.
    """

    def __init__(
        self,
        external_dag_id: str,
        run_ids: list[str] | None = None,
        execution_dates: list[dt.datetime] | None = None,
        logical_dates: list[dt.datetime] | None = None,
        external_task_ids: Collection[str] | None = None,
        external_task_group_id: str | None = None,
        failed_states: Collection[str] | None = None,
        skipped_states: Collection[str] | None = None,
        allowed_states: Collection[str] | None = None,
        poke_interval: float = 2.0,
        soft_fail: bool = False,
        **kwargs: Any,
    ) -> None:
        """Takes the runs as ``run_ids`` or ``logical_dates``; ``execution_dates`` is Airflow 2's word."""
        super().__init__(**kwargs)
        self.external_dag_id = external_dag_id
        self.run_ids = run_ids
        self.execution_dates = execution_dates
        self.logical_dates = logical_dates
        self.external_task_ids = external_task_ids
        self.external_task_group_id = external_task_group_id
        self.failed_states = failed_states
        self.skipped_states = skipped_states
        self.allowed_states = allowed_states
        self.poke_interval = poke_interval
        self.soft_fail = soft_fail

    def serialize(self) -> tuple[str, dict[str, Any]]:
        """Returns Airflow's path of the class, which its triggerer knows too, and the arguments."""
        fields = (
            "external_dag_id", "external_task_ids", "external_task_group_id", "failed_states", "skipped_states",
            "allowed_states", "poke_interval", "soft_fail", "run_ids", "logical_dates",
        )  # fmt: skip
        return f"{_PATH}.WorkflowTrigger", {field: getattr(self, field) for field in fields}

    async def run(self) -> AsyncIterator[TriggerEvent]:
        """Yields one event: success, or the first state of the others that is met."""
        import asyncio  # deferred: a task that defers has no use for it

        runs = len(self.run_ids or self.logical_dates or [])
        while True:
            for status, states in (("failed", self.failed_states), ("skipped", self.skipped_states)):
                if states and await self._count(states) > 0:
                    yield TriggerEvent({"status": status})
                    return
            if await self._count(self.allowed_states) == runs:
                yield TriggerEvent({"status": "success"})
                return
            await asyncio.sleep(self.poke_interval)

    async def _count(self, states: Collection[str] | None) -> int:
        """Returns how many of the runs are in one of the states, with all of the tasks that are waited for."""
        which: dict[str, Any] = {
            "dag_id": self.external_dag_id,
            "logical_dates": self.logical_dates,
            "run_ids": self.run_ids,
        }
        listed = [getattr(state, "value", state) for state in states] if states else None
        if self.external_task_ids:
            task_ids = list(self.external_task_ids)
            answer = await _ask(lookups.GetTICount(**which, task_ids=task_ids, states=listed))
            return int(answer.count / len(task_ids))
        if self.external_task_group_id:
            answer = await _ask(lookups.GetTaskStates(**which, task_group_id=self.external_task_group_id))
            return runs_in(answer.task_states, states or ())
        answer = await _ask(lookups.GetDRCount(**which, states=listed))
        return int(answer.count)


def runs_in(task_states: Mapping[str, Mapping[str, str]], states: Collection[str]) -> int:
    """Returns in how many runs each task of a group is in one of the states. A run without a task does not count."""
    return sum(bool(of_run) and all(state in states for state in of_run.values()) for of_run in task_states.values())


class DagStateTrigger(BaseTrigger):
    """
    An event when all of some runs of another DAG are in one of the states.

    The payload is the trigger's path and arguments, with the state of each run by its id. ``poll_interval`` is in
    seconds.
    """

    def __init__(
        self,
        dag_id: str,
        states: list[str],
        run_ids: list[str] | None = None,
        execution_dates: list[dt.datetime] | None = None,
        poll_interval: float = 5.0,
    ) -> None:
        """``execution_dates`` are logical dates, if there are no ids."""
        super().__init__()
        self.dag_id = dag_id
        self.states = states
        self.run_ids = run_ids
        self.execution_dates = execution_dates
        self.poll_interval = poll_interval

    def serialize(self) -> tuple[str, dict[str, Any]]:
        """Returns Airflow's path of the class, which its triggerer knows too, and the arguments."""
        fields = ("dag_id", "states", "poll_interval", "run_ids", "execution_dates")
        return f"{_PATH}.DagStateTrigger", {field: getattr(self, field) for field in fields}

    async def run(self) -> AsyncIterator[TriggerEvent]:
        """Yields one event when all runs are in one of the states."""
        import asyncio  # deferred: a task that defers has no use for it

        states = [getattr(state, "value", state) for state in self.states]
        question = lookups.GetDRCount(
            dag_id=self.dag_id, run_ids=self.run_ids, states=states, logical_dates=self.execution_dates
        )
        runs = len(self.run_ids or self.execution_dates or [])
        while (await _ask(question)).count != runs:  # noqa: ASYNC110 - the state is another process's
            await asyncio.sleep(self.poll_interval)
        path, arguments = self.serialize()
        for run_id in self.run_ids or []:
            arguments[run_id] = (await _ask(lookups.GetDagRunState(dag_id=self.dag_id, run_id=run_id))).state
        yield TriggerEvent((path, arguments))
