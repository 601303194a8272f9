"""Launches as a script says: each moves its task instance through the store as a runner's calls do, without processes."""

import threading
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import msgspec

from airlock_server.rules.transitions import Caller
from airlock_server.store import task_instances, tries, xcoms
from airlock_server.store.engine.types import now
from airlock_server.store.task_instances import Report
from airlock_wire.dags.task import SerializedTask
from airlock_wire.identity import TaskInstanceKey
from airlock_wire.states import TaskInstanceState as S


class Launch:
    """One launch for its script: which task instance it is, how it goes on, and what it can do."""

    def __init__(self, launches: "Launches", ti_id: str, context: dict[str, Any]) -> None:
        self._launches = launches
        self.ti_id = ti_id
        self.row = launches.db.read(lambda conn: tries.outcome(conn, ti_id))
        assert self.row is not None
        self.key: TaskInstanceKey = self.row.key
        self.try_number: int = self.row.try_number
        self.context = context

    def push(self, value: Any, key: str = "return_value", length: int | None = None) -> None:
        where = xcoms.XComKey(self.key.dag_id, self.key.run_id, self.key.task_id, key)
        data = msgspec.json.encode(value)
        self._launches.db.write(lambda conn: xcoms.put(conn, where, self.key.map_index, data, mapped_length=length))

    def wait_until_moved(self) -> None:
        """Waits until somebody has moved the task instance away from running, for ten seconds at most."""
        for _ in range(1000):
            row = self._launches.db.read(lambda conn: tries.outcome(conn, self.ti_id))
            if row is None or row.state is not S.RUNNING or self._launches.stopping:
                return
            threading.Event().wait(0.01)
        raise AssertionError("nobody moved the task instance")


Script = Callable[[Launch], Report | None]


class Launches:
    """
    Stands in for the local executor. ``script`` is called for each launch; what it returns is reported, success
    without it.
    """

    def __init__(self, db: Any, script: Script = lambda _: None) -> None:
        self.db = db
        self.stopping = False
        self.names: list[str] = []
        self.at_once = self.most = 0
        self._script = script
        self._lock = threading.Lock()

    def run(self, ti_id: str, file: str, task: SerializedTask) -> tuple[Any, None]:
        caller = Caller("host", "user", hash(ti_id) % 30000)
        answer = self.db.write(lambda conn: task_instances.run(conn, ti_id, caller, now()))
        launch = Launch(self, ti_id, answer.context or {})
        with self._lock:
            self.names.append(
                f"{launch.key.task_id}[{launch.key.map_index}]" if launch.key.map_index >= 0 else launch.key.task_id
            )
            self.at_once += 1
            self.most = max(self.most, self.at_once)
        report = self._script(launch) or success()
        self.db.write(lambda conn: task_instances.report(conn, ti_id, report))
        with self._lock:
            self.at_once -= 1
        return self.db.read(lambda conn: tries.outcome(conn, ti_id)), None


def success() -> Report:
    return ended(S.SUCCESS)


def ended(state: S) -> Report:
    return Report(state=state, values={"end_date": now(), "next_method": None, "next_kwargs": None})


def rescheduled(seconds: float) -> Report:
    dates = {"reschedule_date": now() + timedelta(seconds=seconds), "end_date": now()}
    return Report(state=S.UP_FOR_RESCHEDULE, values=dates | {"next_method": None, "next_kwargs": None})


def deferred(classpath: str, kwargs: Any, method: str, next_kwargs: dict[str, Any]) -> Report:
    return Report(
        state=S.DEFERRED,
        values={"next_method": method, "next_kwargs": next_kwargs},
        record={"classpath": classpath, "trigger_kwargs": kwargs, "queue": None},
    )
