"""Finds the launches of task instances that an earlier scheduler left: by a list of TaskRuns, or without one."""

from collections.abc import Set as AbstractSet
from typing import Any

from airflow.utils.state import TaskInstanceState

from airlock_executor.kube.api import Cluster
from airlock_executor.launch import identity
from airlock_executor.launch.following import Launch
from airlock_executor.launch.observed import Observed
from airlock_executor.settings import Settings


async def taskruns(cluster: Cluster, settings: Settings, ids: AbstractSet[str]) -> dict[str, list[Observed]]:
    """Returns the TaskRuns of these task instances, by their ids. Raises errors.KubernetesError."""
    by_id: dict[str, list[Observed]] = {}
    for namespace in settings.namespaces:
        async for page, _ in cluster.pages(namespace, identity.selector(settings.name)):
            for each in page:
                if each.spec.task_instance_id in ids:
                    by_id.setdefault(each.spec.task_instance_id, []).append(each)
    return by_id


def presumed(ti: Any, settings: Settings) -> Launch | None:
    """
    Returns the launch that a running task instance has, by what its scheduler wrote down. None for one that is queued,
    and may have none.
    """
    if ti.state == TaskInstanceState.QUEUED:
        return None
    try:
        name = identity.taskrun_name(ti.dag_id, ti.task_id, ti.external_executor_id or "")
    except ValueError:
        return None
    namespace = settings.of_queue(ti.queue).namespace or settings.namespace
    return Launch(ti.key, namespace, name, str(ti.id), begun=True, resumed=True)
