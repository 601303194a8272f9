"""The task instance as user code sees it: `context["ti"]`."""

import os
from collections.abc import Iterable
from datetime import datetime
from functools import cached_property, partial
from typing import TYPE_CHECKING, Any

import msgspec

from airlock.sdk._channel import Channel
from airlock.sdk.basis.notset import NOTSET
from airlock.sdk.basis.settings import setting
from airlock.sdk.basis.states import TaskInstanceState
from airlock.sdk.definitions.xcom_arg import RETURN_VALUE
from airlock.sdk.exceptions import PermissionDenied, reason_in
from airlock_runner.json_values import deserialized, serialized
from airlock_runner.task import upstream
from airlock_wire.pod import XCOM_STORE
from airlock_wire.protocol.messages import DagRun, GetXCom, SetXCom, StartupDetails, XComResult

if TYPE_CHECKING:
    from logging import Logger

    from airlock_runner.task.stores.xcom_backend import XComBackend
    from airlock_runner.task.stores.xcom_store import XComStore


#: What is in the JSON text of a value in Airflow's form: a datetime, a set, a tuple, ...
_CODED = b'"__classname__"'
_MAX_MAP_INDEX_CHARS = 250
#: The web interface of an Airflow whose settings do not say where it is.
_BASE_URL = "http://localhost:8080"


class RunningTaskInstance:
    """One try of a task, while it runs."""

    def __init__(
        self, startup: StartupDetails, task: Any, channel: Channel, max_tries: int, dag_run: DagRun | None = None
    ) -> None:
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
        self.hostname = startup.ti.hostname or os.uname().nodename
        self.queue = startup.ti.queue
        self.dag_version_id = startup.ti.dag_version_id
        self.start_date: datetime = startup.start_date
        self.end_date: datetime | None = None
        self.state: TaskInstanceState | None = None
        self.is_mapped: bool = task is not None and task.is_mapped
        self.dag_run = dag_run
        self.rendered_map_index: str | None = None
        self._json_values = startup.json_values is True
        self._pulled: dict[tuple[str, str], Any] = {}

    @property
    def log(self) -> "Logger":
        """The task's logger."""
        import logging  # deferred: a task that does not log does not pay for it

        return logging.getLogger("airlock.task")

    @property
    def log_url(self) -> str:
        """The page of the web interface that shows this try's log, below ``[api] base_url``."""
        from urllib.parse import quote  # deferred: few tasks tell of their log

        base = (setting("api", "base_url", "") or _BASE_URL).rstrip("/")
        mapped = f"/mapped/{self.map_index}" if self.map_index >= 0 else ""
        place = f"{self.dag_id}/runs/{quote(self.run_id)}/tasks/{self.task_id}{mapped}"
        return f"{base}/dags/{place}?try_number={self.try_number}"

    @property
    def mark_success_url(self) -> str:
        """The page where a person can say that the task succeeded, which is that of its log."""
        return self.log_url

    @cached_property
    def _xcom_store(self) -> "XComStore | None":
        if not os.environ.get(XCOM_STORE):
            return None
        from airlock_runner.task.stores import xcom_store  # deferred: few installations keep XComs in a store

        return xcom_store.of_environment(os.environ)

    @cached_property
    def _xcom_backend(self) -> "XComBackend | None":
        if not setting("core", "xcom_backend", ""):
            return None
        from airlock_runner.task.stores.xcom_backend import XComBackend  # deferred: few installations have one

        return XComBackend(self.dag_id, self.run_id, self.task_id, self.map_index)

    def form_of(self, key: str, value: Any, what: str) -> Any:
        """
        Returns a value as it is kept: as plain JSON. ``what`` names it in a message. Raises NotJson for a value that
        cannot be kept.
        """
        backend = self._xcom_backend
        return serialized(value, what) if backend is None else backend.keep(key, value, what)

    def xcom_push(self, key: str, value: Any) -> None:
        """Stores a JSON value for the tasks after this one. Raises NotJson, or FrameTooLarge for over 16 MiB."""
        if not isinstance(key, str) or not key:
            raise TypeError(f"task {self.task_id!r}: the key of an XCom must be text and not empty, not {key!r}")
        self.push_plain(key, self.form_of(key, value, f"task {self.task_id!r}: the XCom {key!r}"))

    async def axcom_push(self, key: str, value: Any) -> None:
        """Stores a JSON value, without blocking an event loop."""
        import asyncio

        await asyncio.to_thread(self.xcom_push, key, value)

    def push_plain(self, key: str, value: Any, *, mapped_length: int | None = None, dag_result: bool = False) -> None:
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
                mapped_length=mapped_length,
                dag_result=dag_result,
            )
        )

    async def axcom_pull(self, *args: Any, **kwargs: Any) -> Any:
        """Returns what ``xcom_pull`` does, without blocking an event loop."""
        import asyncio

        return await asyncio.to_thread(self.xcom_pull, *args, **kwargs)

    def xcom_pull(
        self,
        task_ids: str | Iterable[str] | None = None,
        dag_id: str | None = None,
        key: str = RETURN_VALUE,
        include_prior_dates: bool = False,  # noqa: FBT001, FBT002 - Airflow's signature
        *,
        map_indexes: int | Iterable[int] | None = None,
        default: Any = None,
        run_id: str | None = None,
    ) -> Any:
        """
        Returns the value that a task stored under ``key``, or ``default`` if no such XCom exists.

        With several ``task_ids`` or ``map_indexes`` it returns a list, in their order. A mapped task gives the values
        of all its indexes, unless one is asked for. Without ``task_ids`` it reads this task's own XCom.
        """
        tasks = [self.task_id] if task_ids is None else [task_ids] if isinstance(task_ids, str) else list(task_ids)
        if task_ids is None and map_indexes is None:
            # Without a map index the server takes the task instance that is not mapped.
            map_indexes = self.map_index
        if map_indexes is None and any(self._is_mapped(task_id, dag_id) for task_id in tasks):
            from airlock_runner.task import all_indexes  # deferred: few DAGs are mapped

            return all_indexes.pull(self, tasks, key, dag_id, run_id, default, one=not _several(task_ids))
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
            coded = _CODED in value
            value = msgspec.json.decode(value)
            return default if value is None else self._from_store(message.key, value, coded=coded)
        return default if value is None else self.read(message.key, value)

    def read(self, key: str, value: Any) -> Any:
        """Returns the author's value for one as it is kept under a key."""
        return self._from_store(key, value, coded=True)

    def _from_store(self, key: str, value: Any, *, coded: bool) -> Any:
        if self._xcom_store is not None:
            value = self._xcom_store.read(value)
            coded = True
        if self._xcom_backend is not None:
            return self._xcom_backend.read(key, value)
        return deserialized(value) if coded else value

    # --- values for arguments ---

    def pull_argument(self, operator: Any, key: str, default: Any = NOTSET) -> Any:
        """
        Returns the value that an XComArg stands for: one, that of the same map index inside a mapped group, or all
        values of a mapped task. Several arguments that use it ask once.
        """
        place = (operator.task_id, key)
        if place not in self._pulled:
            self._pulled[place] = self._argument(operator, key, default)
        return self._pulled[place]

    def _argument(self, operator: Any, key: str, default: Any) -> Any:
        kind = upstream.relation(self.task, operator)
        if kind == upstream.ONE:
            return self.xcom_pull(task_ids=operator.task_id, key=key, map_indexes=-1, default=default)
        if kind == upstream.ALL:
            from airlock.sdk.execution_time.lazy_sequence import LazyXComSequence  # deferred: few DAGs are mapped

            return LazyXComSequence(self.dag_id, self.run_id, operator.task_id, key, partial(self.read, key))
        index = upstream.same_index(self.task, operator, kind, self.map_index)
        return self.xcom_pull(task_ids=operator.task_id, key=key, map_indexes=index, default=default)

    def _is_mapped(self, task_id: str, dag_id: str | None) -> bool:
        """Tells whether a task of the own DAG is mapped. Of another DAG's tasks nothing is known here."""
        if dag_id not in (None, self.dag_id):
            return False
        dag = self.task.get_dag()
        task = dag.task_dict.get(task_id) if dag is not None else None
        return task is not None and (task.is_mapped or task.get_closest_mapped_task_group() is not None)

    # --- the rest of its life ---

    def clear_xcoms(self, keys: list[str]) -> None:
        """Deletes what an earlier try stored."""
        from airlock_wire.protocol.changes import DeleteXCom  # deferred: a first try has stored nothing

        for key in keys:
            if self._xcom_backend is not None:
                self._xcom_backend.delete(key)
                continue
            self._channel.ask(
                DeleteXCom(
                    key=key,
                    dag_id=self.dag_id,
                    run_id=self.run_id,
                    task_id=self.task_id,
                    map_index=self.map_index,
                )
            )

    def skip(self, tasks: Any) -> None:
        """Skips tasks of this DAG run."""
        from airlock_wire.protocol.changes import SkipDownstreamTasks  # deferred: few tasks skip others

        self._channel.ask(
            SkipDownstreamTasks(tasks=[list(each) if isinstance(each, tuple) else each for each in tasks])
        )

    def next_kwargs(self, kwargs: Any) -> dict[str, Any]:
        """Returns the arguments with which a deferred task goes on."""
        if isinstance(kwargs, str):
            kwargs = msgspec.json.decode(kwargs)
        return dict(deserialized(kwargs or {}))

    def render_map_index(self, operator: Any, context: Any) -> None:
        """Renders what people see instead of the map index, where the author wrote a template for it."""
        template = operator.map_index_template
        if template is None or self.map_index < 0:
            return
        from airlock.sdk.definitions.template import Rendering

        text = str(Rendering(operator, context).value(template, "map_index_template"))
        self.rendered_map_index = context["_rendered_map_index"] = text[:_MAX_MAP_INDEX_CHARS]

    def __getattr__(self, name: str) -> Any:
        """Returns one of the questions to the server (``task.questions``): few tasks ask them."""
        if name.startswith("_"):
            raise AttributeError(name)
        from airlock_runner.task import questions

        method = getattr(questions, name, None)
        if method is None or name not in questions.NAMES:
            raise AttributeError(f"the task instance has no {name!r}")
        return lambda *args, **kwargs: method(self, *args, **kwargs)

    def __repr__(self) -> str:
        """Returns the ids and the try."""
        return f"<TaskInstance {self.dag_id}.{self.task_id} {self.run_id} try {self.try_number}>"


def _several(task_ids: Any) -> bool:
    return task_ids is not None and not isinstance(task_ids, str)
