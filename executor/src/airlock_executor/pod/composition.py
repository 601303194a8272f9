"""
Composes the pod of a task: what all tasks get, the template, what the task says, and an administrator's hook. Pure but
for that hook, which is given.
"""

from collections.abc import Callable, Mapping
from typing import Any

from airlock_executor.pod.merging import merged
from airlock_executor.pod.translation import Refused, Translation, translated
from airlock_executor.settings import Queue

Json = dict[str, Any]

#: The keys of a task's ``executor_config`` that KubernetesExecutor reads, too.
OVERRIDE, TEMPLATE = "pod_override", "pod_template_file"
_LEGACY = "KubernetesExecutor"


def base(environ: Mapping[str, str], queue: Queue) -> Json:
    """Returns what every task of a queue begins with: the scheduler's settings, and what its queue says."""
    container = {"name": "base", "env": [{"name": name, "value": value} for name, value in environ.items()]}
    spec: Json = {"containers": [container]}
    if queue.priority_class_name:
        spec["priorityClassName"] = queue.priority_class_name
    if queue.node_selector:
        spec["nodeSelector"] = dict(queue.node_selector)
    if queue.tolerations:
        spec["tolerations"] = list(queue.tolerations)
    return {"metadata": {}, "spec": spec}


def composed(
    begins: Json,
    template: Json,
    executor_config: Mapping[str, Any],
    plain: Callable[[Any], Json],
    hook: Callable[[Json], Json] | None,
    namespaces: tuple[str, ...],
    withheld: Callable[[str], str | None],
) -> Translation:
    """
    Returns what a TaskRun says of a task's pod. ``plain`` makes data of a ``V1Pod``. Raises Refused with what a
    TaskRun's pod cannot have, and where it comes from.
    """
    if _LEGACY in executor_config:
        raise Refused([f"executor_config[{_LEGACY}]: write {OVERRIDE}, as Airflow 2 and newer have it"])
    override: Json = {}
    if executor_config.get(OVERRIDE) is not None:
        try:
            override = plain(executor_config[OVERRIDE])
        except TypeError as e:
            raise Refused([f"executor_config[{OVERRIDE}]: {e}"]) from e
    pod = merged(merged(begins, template), override)
    if hook is not None:
        pod = hook(pod)
    return translated(pod, namespaces, withheld)
