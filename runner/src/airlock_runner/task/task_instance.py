"""The task instance as user code sees it: `context["ti"]`."""

import os
from collections.abc import Iterable
from datetime import datetime
from functools import cached_property
from typing import TYPE_CHECKING, Any

import msgspec

from airlock.sdk._channel import Channel
from airlock.sdk._task import Task
from airlock.sdk._xcom import RETURN_VALUE
from airlock.sdk.exceptions import PermissionDenied, reason_in
from airlock_runner.json_values import plain
from airlock_wire.pod import XCOM_STORE
from airlock_wire.protocol.messages import GetXCom, SetXCom, StartupDetails, XComResult

if TYPE_CHECKING:
    from logging import Logger

    from airlock_runner.task.xcom_store import XComStore


class RunningTaskInstance:
    """One try of a task, while it runs."""

    def __init__(self, startup: StartupDetails, task: Task, channel: Channel, max_tries: int) -> None:
        """``startup`` says who it is, ``channel`` carries its XComs."""
        self._channel = channel
        self.task = task
        self.id = startup.ti.id
        self.dag_id = startup.ti.dag_id
        self.task_id = startup.ti.task_id
        self.run_id = startup.ti.run_id
        self.map_index = startup.ti.map_index
        self.try_number = startup.ti.try_number
        self.max_tries = max_tries
        self.hostname = startup.ti.hostname
        self.queue = startup.ti.queue
        self.dag_version_id = startup.ti.dag_version_id
        self.start_date: datetime = startup.start_date
        self._json_values = startup.json_values is True

    @property
    def log(self) -> "Logger":
        """The task's logger."""
        import logging  # deferred: a task that does not log does not pay for it

        return logging.getLogger("airlock.task")

    @cached_property
    def _xcom_store(self) -> "XComStore | None":
        if not os.environ.get(XCOM_STORE):
            return None
        from airlock_runner.task import xcom_store  # deferred: few installations keep XComs in a store

        return xcom_store.of_environment(os.environ)

    def xcom_push(self, key: str, value: Any) -> None:
        """Stores a JSON value for the tasks after this one. Raises NotJson, or FrameTooLarge for over 16 MiB."""
        if not isinstance(key, str) or not key:
            raise TypeError(f"task {self.task_id!r}: the key of an XCom must be text and not empty, not {key!r}")
        self.push_plain(key, plain(value, f"task {self.task_id!r}: the XCom {key!r}"))

    def push_plain(self, key: str, value: Any) -> None:
        """Does the same for a value that is known to be plain JSON. It is encoded here where the sidecar agreed."""
        if self._xcom_store is not None:
            value = self._xcom_store.keep(value, (self.dag_id, self.run_id, self.task_id, self.map_index, key))
        self._channel.ask(
            SetXCom(
                key=key,
                value=msgspec.json.encode(value) if self._json_values else value,
                dag_id=self.dag_id,
                run_id=self.run_id,
                task_id=self.task_id,
                map_index=self.map_index,
            )
        )

    def xcom_pull(
        self,
        task_ids: str | Iterable[str] | None = None,
        *,
        key: str = RETURN_VALUE,
        dag_id: str | None = None,
        run_id: str | None = None,
        map_indexes: int | Iterable[int] | None = None,
        include_prior_dates: bool = False,
        default: Any = None,
    ) -> Any:
        """
        Returns the value that a task stored under ``key``, or ``default`` if no such XCom exists.

        With several ``task_ids`` or ``map_indexes`` it returns a list, in their order. Without ``task_ids`` it reads
        this task's own XCom.
        """
        tasks = [self.task_id] if task_ids is None else [task_ids] if isinstance(task_ids, str) else list(task_ids)
        if task_ids is None and map_indexes is None:
            # Without a map index the server takes the task instance that is not mapped.
            map_indexes = self.map_index
        indexes = [map_indexes] if map_indexes is None or isinstance(map_indexes, int) else list(map_indexes)
        values = [
            self._pull(
                GetXCom(
                    key=key,
                    dag_id=dag_id or self.dag_id,
                    run_id=run_id or self.run_id,
                    task_id=task_id,
                    map_index=index,
                    include_prior_dates=include_prior_dates,
                ),
                default,
            )
            for task_id in tasks
            for index in indexes
        ]
        one_task = task_ids is None or isinstance(task_ids, str)
        one_index = map_indexes is None or isinstance(map_indexes, int)
        return values[0] if one_task and one_index else values

    def _pull(self, message: GetXCom, default: Any) -> Any:
        try:
            answer = self._channel.ask(message)
        except PermissionDenied as e:
            where = f"{message.dag_id}.{message.task_id}"
            text = f"the XCom {message.key!r} of {where} was refused: {reason_in(e.error)}"
            raise PermissionDenied(e.error, text) from None
        value = answer.value if isinstance(answer, XComResult) else None
        if self._json_values and isinstance(value, bytes):
            value = msgspec.json.decode(value)
        if self._xcom_store is not None:
            value = self._xcom_store.read(value)
        return default if value is None else value

    def __repr__(self) -> str:
        """Returns the ids and the try."""
        return f"<TaskInstance {self.dag_id}.{self.task_id} {self.run_id} try {self.try_number}>"
