"""Builds the context of a task: what its function, its templates and get_current_context() see."""

import os
from datetime import datetime
from typing import Any

from airlock.sdk._proxy import Proxy
from airlock.sdk.definitions.context import Context, Later
from airlock_runner.task.stores.state_store import DEFAULTS, StoreSettings, TaskStateStore
from airlock_runner.task.task_instance import RunningTaskInstance
from airlock_wire.protocol.messages import TIRunContext


def context_of(
    task: Any, ti: RunningTaskInstance, server: TIRunContext, store_settings: StoreSettings = DEFAULTS
) -> Context:
    """
    Returns the context. It has entries about dates only if the DAG run has the dates. Without inlets and outlets the
    events of assets are empty.

    ``params`` are the DAG's and the task's, overridden by the run's configuration unless a setting says otherwise;
    ``conf`` is that configuration.
    """
    dag_run = server.dag_run
    conf = dict(dag_run.conf or {})
    states = TaskStateStore(ti.id, (ti.dag_id, ti.run_id, ti.task_id, ti.map_index), store_settings)
    context = Context(
        dag=task.get_dag(),
        task=task,
        ti=ti,
        task_instance=ti,
        dag_run=dag_run,
        run_id=dag_run.run_id,
        try_number=ti.try_number,
        map_index=ti.map_index,
        map_index_template=task.map_index_template,
        task_reschedule_count=server.task_reschedule_count,
        params=params_of(task, conf),
        conf=conf,
        inlets=task.inlets,
        outlets=task.outlets,
        partition_key=dag_run.partition_key,
        partition_date=dag_run.partition_date,
        var=Proxy(_variables),
        conn=Proxy(_connections),
        macros=Proxy(_macros),
        triggering_asset_events=Proxy(lambda: _triggering_events(dag_run.consumed_asset_events)),
        prev_start_date_success=Proxy(lambda: ti.previous_success("start_date")),
        prev_end_date_success=Proxy(lambda: ti.previous_success("end_date")),
        task_state_store=states,
        # Its name in Airflow before 3.3.2.
        task_state=states,
    )
    if ti.map_index >= 0:
        context["expanded_ti_count"] = Proxy(ti.expanded_count)
    if (logical := dag_run.logical_date) is not None:
        ds, ts = logical.strftime("%Y-%m-%d"), logical.isoformat()
        context.update(
            logical_date=_date(logical),
            ds=ds,
            ds_nodash=ds.replace("-", ""),
            ts=ts,
            ts_nodash=logical.strftime("%Y%m%dT%H%M%S"),
            ts_nodash_with_tz=ts.replace("-", "").replace(":", ""),
            prev_data_interval_start_success=Proxy(lambda: ti.previous_success("data_interval_start")),
            prev_data_interval_end_success=Proxy(lambda: ti.previous_success("data_interval_end")),
        )
    if dag_run.data_interval_start is not None:
        context["data_interval_start"] = _date(dag_run.data_interval_start)
    if dag_run.data_interval_end is not None:
        context["data_interval_end"] = _date(dag_run.data_interval_end)
    date = context.get("ds_nodash", dag_run.run_id)
    if task.inlets or task.outlets:
        from airlock_runner.task.assets import context as asset_context  # deferred: most tasks have no assets

        asset_context.add(context, task, ti, store_settings)
    else:
        # Code that many tasks share may read them: nothing happened, and what is said goes nowhere.
        context["inlet_events"], context["outlet_events"] = Proxy(_no_inlet_events), Proxy(_outlet_events)
    context["task_instance_key_str"] = f"{ti.dag_id}__{ti.task_id}__{date}"
    return context


def _date(value: datetime) -> Later:
    """Returns a date as pendulum's, where it is installed. Only who reads one waits for the import."""

    def make() -> datetime:
        from airlock.sdk.timezone import coerce_datetime  # deferred: it imports zoneinfo

        return coerce_datetime(value)

    return Later(make)


def tell_environment(task: Any, ti: RunningTaskInstance, context: Context) -> None:
    """Puts who the task is into the environment of this process, and so of those that it starts."""
    os.environ |= {
        "AIRFLOW_CTX_DAG_ID": ti.dag_id,
        "AIRFLOW_CTX_TASK_ID": ti.task_id,
        "AIRFLOW_CTX_DAG_RUN_ID": ti.run_id,
        "AIRFLOW_CTX_TRY_NUMBER": str(ti.try_number),
        "AIRFLOW_CTX_DAG_OWNER": str(task.owner),
        "AIRFLOW_CTX_LOGICAL_DATE": context.get("ts", ""),
    }


def params_of(task: Any, conf: dict[str, Any]) -> dict[str, Any]:
    """Returns what ``params`` is for a task. Raises ParamValidationError, which names the param that is refused."""
    if not task.params and not conf:
        return {}
    from airlock.sdk.definitions.param import process_params  # deferred: many tasks have none

    return process_params(task.get_dag(), task, conf, suppress_exception=False)


def _variables() -> Any:
    from airlock_runner.task.accessors import Variables

    return Variables()


def _connections() -> Any:
    from airlock_runner.task.accessors import Connections

    return Connections()


def _macros() -> Any:
    from airlock.sdk.execution_time import macros

    return macros


def _no_inlet_events() -> Any:
    from airlock_runner.task.assets.events import InletEvents

    return InletEvents(())


def _outlet_events() -> Any:
    from airlock_runner.task.assets.events import OutletEvents

    return OutletEvents()


def _triggering_events(events: list[Any]) -> Any:
    from airlock_runner.task.assets.triggering import TriggeringAssetEvents

    return TriggeringAssetEvents(events)
