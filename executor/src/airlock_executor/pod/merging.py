"""
Merges pods as KubernetesExecutor does: the template first, then what a task's ``pod_override`` says. Pure.

Lists of the first container and of volumes are put together, labels and annotations are merged, and of everything else
the override's counts. A name that comes twice in such a list is the override's.
"""

from typing import Any

Json = dict[str, Any]

#: Lists that are put together, by the field that tells their entries apart.
_BY = {"env": "name", "volumes": "name", "volumeMounts": "mountPath"}
_TOGETHER = ("envFrom", "initContainers", "ports", "imagePullSecrets")


def merged(template: Json, override: Json) -> Json:
    """Returns the pod that both make. Both are as the API writes them."""
    metadata = _merged(template.get("metadata") or {}, override.get("metadata") or {})
    first, second = template.get("spec") or {}, override.get("spec") or {}
    spec = _merged(first, second)
    containers = [list(each.get("containers") or []) for each in (first, second)]
    if any(containers):
        (base, *others), (over, *more) = ((each or [{}]) for each in containers)
        spec["containers"] = [_merged(base, over), *others, *more]
    return {"metadata": metadata, "spec": spec}


def _merged(base: Json, over: Json) -> Json:
    both = dict(base)
    for field, value in over.items():
        before = base.get(field)
        if value in (None, "", [], {}):
            continue
        if field in _BY and before:
            key = _BY[field]
            later = {entry.get(key) for entry in value}
            both[field] = [entry for entry in before if entry.get(key) not in later] + list(value)
        elif field in _TOGETHER and before:
            both[field] = [*before, *value]
        elif field in ("labels", "annotations", "nodeSelector") and before:
            both[field] = before | value
        else:
            both[field] = value
    return both
