"""
Makes the TaskRun of a launch, the Secret of its token, and the TaskRun of a launch that follows a lost one. Pure.

The TaskRun is made suspended. It is let go once its Secret, which it owns, is there.
"""

import base64
from typing import Any

import msgspec

from airlock_executor.launch import identity
from airlock_executor.launch.observed import Observed
from airlock_executor.launch.order import Order
from airlock_executor.settings import Settings
from airlock_wire.taskrun import API_VERSION, KIND, LOOKUPS_KEY, TOKEN_KEY, TOKEN_SECRET_PREFIX, Access

Json = dict[str, Any]

_MAX_PRIORITY = 1_000_000
_MAX_CARRIER, _MAX_CARRIER_TEXT = 16, 1024


class PodSettings(msgspec.Struct, frozen=True):
    """What of a pod a TaskRun can say: ``spec.pod``, and what is a field of the spec itself."""

    pod: Json = {}
    image: str = ""
    namespace: str = ""
    grace_period: str = ""
    execution_timeout: str = ""


def taskrun(
    order: Order, settings: Settings, pod: PodSettings, bundle_path: str, access: Access | None = None
) -> tuple[str, Json]:
    """Returns the namespace and the body of a launch's TaskRun. ``bundle_path`` is empty for one that is fetched."""
    queue = settings.of_queue(order.queue)
    bundle = {"name": order.bundle_name, "path": bundle_path} if bundle_path else {"name": order.bundle_name}
    if order.bundle_version and not bundle_path:
        bundle["version"] = order.bundle_version
    carrier = {
        name: text
        for name, text in list(order.context_carrier.items())[:_MAX_CARRIER]
        if len(text) <= _MAX_CARRIER_TEXT
    }
    optional: Json = {
        "queue": order.queue,
        "contextCarrier": carrier,
        "executionTimeout": pod.execution_timeout,
        "access": given(access),
        "pod": pod.pod,
    }
    name = identity.taskrun_name(order.dag_id, order.task_id, order.launch_id)
    spec: Json = {
        "dagId": order.dag_id,
        "taskId": order.task_id,
        "runId": order.run_id,
        "mapIndex": order.map_index,
        "tryNumber": order.try_number,
        "runner": "airflow",
        "token": "Secret",
        "taskInstanceId": order.ti_id,
        "dagVersionId": order.dag_version_id,
        "priority": max(-_MAX_PRIORITY, min(_MAX_PRIORITY, order.priority)),
        "image": pod.image or queue.image or settings.image,
        "bundle": bundle,
        "file": order.file,
        "infraBudget": settings.infra_budget,
        "pendingTimeout": settings.pending_timeout,
        "imagePullTimeout": settings.image_pull_timeout,
        "gracePeriod": pod.grace_period or settings.grace_period,
        "ttlAfterSuccess": settings.ttl_after_success,
        "ttlAfterFailure": settings.ttl_after_failure,
        "suspend": True,
    }
    spec |= {field: value for field, value in optional.items() if value}
    labels = identity.labels(settings.name, order)
    annotations = identity.annotations(resumed=order.resumed, losses=order.losses)
    namespace = pod.namespace or queue.namespace or settings.namespace
    return namespace, _body({"name": name, "labels": labels, "annotations": annotations}, spec)


def again(before: Json, launch_id: str) -> Json:
    """Returns the body of a launch that takes the place of a lost one: the same spec under another name."""
    metadata = before["metadata"]
    known = metadata.get("annotations") or {}
    spec = {field: value for field, value in before["spec"].items() if field not in ("suspend", "cancel")}
    name = identity.taskrun_name(spec["dagId"], spec["taskId"], launch_id)
    labels = dict(metadata.get("labels") or {}) | {identity.LAUNCH: launch_id}
    annotations = identity.annotations(resumed=identity.resumed(known), losses=identity.losses(known) + 1)
    return _body({"name": name, "labels": labels, "annotations": annotations}, spec | {"suspend": True})


def secret(owner: Observed, token: str, given: bytes = b"") -> Json:
    """
    Returns the Secret of a TaskRun's token, which goes with its TaskRun. ``given`` is what its sidecar answers with.

    It cannot be ``immutable``: a kubelet never reads such a Secret again, and a pod may wait for its image longer than
    a token lives.
    """
    reference = {"apiVersion": API_VERSION, "kind": KIND, "name": owner.metadata.name, "uid": owner.metadata.uid}
    return {
        "apiVersion": "v1",
        "kind": "Secret",
        "metadata": {"name": TOKEN_SECRET_PREFIX + owner.metadata.name, "ownerReferences": [reference]},
        "type": "Opaque",
        "data": secret_data(token) | ({LOOKUPS_KEY: base64.b64encode(given).decode()} if given else {}),
    }


def secret_data(token: str) -> dict[str, str]:
    """Returns a token as a Secret holds it."""
    return {TOKEN_KEY: base64.b64encode(token.encode()).decode()}


def given(access: Access | None) -> Json:
    """Returns the lists of a policy that it has, as a TaskRun writes them."""
    if access is None:
        return {}
    lists: Json = msgspec.to_builtins(access)
    return {name: patterns for name, patterns in lists.items() if patterns is not None}


def _body(metadata: Json, spec: Json) -> Json:
    return {"apiVersion": API_VERSION, "kind": KIND, "metadata": metadata, "spec": spec}
