"""
Reads a running task's log from its sidecar, as Kubernetes keeps it, and says why there is nothing yet.

The sidecar writes Airflow's JSON lines to its own output, masked. Airflow's readers take such lines as they are.
"""

from airlock_executor.kube import errors
from airlock_executor.kube.api import Cluster
from airlock_executor.launch import identity
from airlock_executor.launch.observed import Observed

_CONTAINER = "sidecar"


async def task_log(
    cluster: Cluster, namespaces: tuple[str, ...], ti_id: str, try_number: int, lines: int
) -> tuple[list[str], list[str]]:
    """
    Returns the sources and the lines of a task instance's log. Without a TaskRun there is no source, and Airflow looks
    elsewhere.
    """
    newest: Observed | None = None
    for namespace in namespaces:
        async for page, _ in cluster.pages(namespace, identity.selector_of_instance(ti_id)):
            for taskrun in page:
                of_try = taskrun.spec.try_number == try_number
                if of_try and (newest is None or _age(taskrun) > _age(newest)):
                    newest = taskrun
    if newest is None:
        return [], []
    where = f"TaskRun {newest.metadata.namespace}/{newest.metadata.name}"
    pod = newest.now.pod_ref
    if pod is None or not pod.name:
        return [where], [why(newest)]
    try:
        text = await cluster.log(newest.metadata.namespace, pod.name, _CONTAINER, lines)
    except errors.KubernetesError as e:
        return [where], [f"{why(newest)} (its log cannot be read: {e})"]
    return [f"{where}, pod {pod.name}"], text.splitlines() or [why(newest)]


def why(taskrun: Observed) -> str:
    """Returns a line that says how far a TaskRun is."""
    status = taskrun.now
    return f"{status.reason or 'Pending'}: {status.message}".rstrip(": ")


def _age(taskrun: Observed) -> str:
    return taskrun.metadata.creation_timestamp
