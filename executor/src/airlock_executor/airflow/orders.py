"""Reads what Airflow orders: its workloads, the tags of a DAG, an administrator's ``pod_mutation_hook``."""

import time
import uuid
from collections.abc import Callable
from typing import Any

from airlock_executor.kube import models
from airlock_executor.launch.order import Order

Json = dict[str, Any]

#: Tags change when a DAG file is parsed again, which is not often.
_TAGS_SECONDS = 60.0
_tags: dict[str, tuple[float, frozenset[str]]] = {}
_MAX_TAGS = 10_000


def of_workload(workload: Any) -> Order:
    """Returns a workload as plain data, without its token: the executor mints its own."""
    ti = workload.ti
    carrier = ti.context_carrier or {}
    return Order(
        launch_id=_launch_id(ti.external_executor_id),
        ti_id=str(ti.id),
        dag_version_id=str(ti.dag_version_id),
        dag_id=ti.dag_id,
        task_id=ti.task_id,
        run_id=ti.run_id,
        try_number=ti.try_number,
        map_index=ti.map_index,
        queue=ti.queue,
        priority=ti.priority_weight,
        bundle_name=workload.bundle_info.name,
        bundle_version=workload.bundle_info.version,
        file=str(workload.dag_rel_path),
        context_carrier={name: text for name, text in carrier.items() if isinstance(text, str)},
        # The server writes a host down when a launch begins, and forgets it when the next try gets its id. A launch
        # before it was most likely deferred; what else is known of it counts more.
        resumed=bool(ti.hostname),
    )


def _launch_id(external_executor_id: str | None) -> str:
    try:
        return str(uuid.UUID(external_executor_id))
    except (TypeError, ValueError):
        return str(uuid.uuid4())


def tags(dag_id: str) -> frozenset[str]:
    """Returns a DAG's tags as Airflow has them."""
    now = time.monotonic()
    known = _tags.get(dag_id)
    if known is not None and now - known[0] < _TAGS_SECONDS:
        return known[1]
    from airflow.models.dag import DagTag
    from airflow.utils.session import create_session
    from sqlalchemy import select

    # A session of its own: the scheduler's holds its locks, and must not be committed here.
    with create_session(scoped=False) as session:
        names = frozenset(session.scalars(select(DagTag.name).where(DagTag.dag_id == dag_id)))
    if len(_tags) >= _MAX_TAGS:
        _tags.clear()
    _tags[dag_id] = (now, names)
    return names


def mutation_hook() -> Callable[[Json], Json] | None:
    """Returns the administrator's hook as a function of plain data; None if there is no hook, which costs nothing."""
    from airflow import settings

    if not settings.get_policy_plugin_manager().hook.pod_mutation_hook.get_hookimpls():
        return None

    def mutated(pod: Json) -> Json:
        model = models.model(pod)
        settings.pod_mutation_hook(model)
        return models.plain(model)

    return mutated
