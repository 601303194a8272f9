"""Builds the context of a task: what its function, its templates and get_current_context() see."""

from typing import Any

from airlock.sdk import Connection, Context, Variable
from airlock.sdk._task import Task
from airlock.sdk._variable import NO_DEFAULT
from airlock_runner.task.state_store import DEFAULTS, StoreSettings, TaskStateStore
from airlock_runner.task.task_instance import RunningTaskInstance
from airlock_wire.protocol.messages import DagRun


def context_of(
    task: Task, ti: RunningTaskInstance, dag_run: DagRun, store_settings: StoreSettings = DEFAULTS
) -> Context:
    """
    Returns the context. It has entries about dates only if the DAG run has the dates, and about assets only if the
    task has inlets or outlets.

    ``params`` are the DAG's, overridden by the run's configuration; ``conf`` is that configuration.
    """
    conf = dict(dag_run.conf or {})
    states = TaskStateStore(ti.id, (ti.dag_id, ti.run_id, ti.task_id, ti.map_index), store_settings)
    context = Context(
        dag=task.dag,
        task=task,
        ti=ti,
        task_instance=ti,
        dag_run=dag_run,
        run_id=dag_run.run_id,
        try_number=ti.try_number,
        map_index=ti.map_index,
        params={**task.dag.params, **conf},
        conf=conf,
        var=Variables(),
        conn=Connections(),
        task_state_store=states,
        # Its name in Airflow before 3.3.2.
        task_state=states,
    )
    if (logical := dag_run.logical_date) is not None:
        ds, ts = logical.strftime("%Y-%m-%d"), logical.isoformat()
        context.update(
            logical_date=logical,
            ds=ds,
            ds_nodash=ds.replace("-", ""),
            ts=ts,
            ts_nodash=logical.strftime("%Y%m%dT%H%M%S"),
            ts_nodash_with_tz=ts.replace("-", "").replace(":", ""),
        )
    if dag_run.data_interval_start is not None:
        context["data_interval_start"] = dag_run.data_interval_start
    if dag_run.data_interval_end is not None:
        context["data_interval_end"] = dag_run.data_interval_end
    date = context.get("ds_nodash", dag_run.run_id)
    if task.inlets or task.outlets:
        from airlock_runner.task import asset_context  # deferred: most tasks have no assets

        asset_context.add(context, task, ti, store_settings)
    context["task_instance_key_str"] = f"{ti.dag_id}__{ti.task_id}__{date}"
    return context


class _Lookup:
    """Looks names up as attributes when they are used: ``x.name``, ``x.get("name")``."""

    def get(self, name: str) -> Any:
        """Returns what the name stands for."""
        raise NotImplementedError

    def __getattr__(self, name: str) -> Any:
        """Returns what the name stands for; raises AttributeError for names of Python's own protocols."""
        if name.startswith("__"):
            raise AttributeError(name)
        return self.get(name)


class _Values(_Lookup):
    def __init__(self, *, json: bool) -> None:
        self._json = json

    def get(self, name: str, default: Any = NO_DEFAULT) -> Any:
        return Variable.get(name, default, deserialize_json=self._json)


class Variables:
    """``var.value.name`` is a variable's text, ``var.json.name`` what its JSON holds."""

    def __init__(self) -> None:
        """Makes both lookups without asking the platform."""
        self.value = _Values(json=False)
        self.json = _Values(json=True)


class Connections(_Lookup):
    """``conn.name`` is the connection of that id."""

    def get(self, name: str) -> Connection:
        """Returns the connection of this id."""
        return Connection.get(name)
