"""
Builds the pod of an attempt: a TaskRun in, a manifest out. Pure.

The trust line as Kubernetes enforces it: the sidecar alone mounts the pod's token and the state folder; the runner
mounts the socket's folder read-only, has a user of its own, no service-account token and no name of a secret. Every
pod meets the ``restricted`` Pod Security level. The names that begin with ``airlock-`` are reserved for the volumes
made here; the admission policies (charts/airlock) refuse them to anybody else.
"""

from collections.abc import Mapping
from typing import Any

from airlock_operator.observe.podfacts import ATTEMPT_LABEL, RUN_LABEL, SIDECAR
from airlock_operator.observe.taskrun import TaskRun
from airlock_operator.pod import bundle, runner, sidecar
from airlock_operator.pod.runner import SOURCE_ANNOTATION
from airlock_operator.settings import NO_STORE, Logs, Pods
from airlock_wire import pod as shared
from airlock_wire.taskrun import API_VERSION, KIND

MANAGED_BY = "airlock"

#: The fields of a TaskRun's pod settings that are the pod's own.
POD_FIELDS = (
    "tolerations", "nodeSelector", "affinity", "priorityClassName", "serviceAccountName", "runtimeClassName",
)  # fmt: skip


def manifest(
    run: TaskRun,
    attempt: int,
    settings: Pods,
    ca_pem: str,
    logs: Logs = NO_STORE,
    trace: Mapping[str, str] | None = None,
) -> dict[str, Any]:
    """
    Returns the pod of an attempt, as JSON for the API server. ``impossible`` must be empty for the TaskRun.
    ``ca_pem`` holds the certificates of ``sidecars.ca_file``. ``trace`` are variables for the runner.
    """
    pod_spec = run.spec.pod
    spec: dict[str, Any] = {name: pod_spec[name] for name in POD_FIELDS if name in pod_spec}
    secrets = [*pod_spec.get("imagePullSecrets", []), *({"name": n} for n in settings.pull_secrets.split(",") if n)]
    spec.setdefault("serviceAccountName", "default")
    spec |= {
        "restartPolicy": "Never",
        "automountServiceAccountToken": False,
        "enableServiceLinks": False,
        "shareProcessNamespace": False,
        "terminationGracePeriodSeconds": max(1, round(run.durations.grace_period)),
        "securityContext": _pod_security(pod_spec),
        "initContainers": [
            sidecar.container(run, settings, logs, ca_pem),
            *runner.init_containers(run, settings),
        ],
        "containers": [runner.container(run, settings, trace)],
        "volumes": [
            *sidecar.volumes(run, settings, logs),
            *runner.volumes(run, settings),
            *(_bounded(each, settings.scratch_size_limit) for each in pod_spec.get("volumes", [])),
        ],
    }
    if secrets:
        spec["imagePullSecrets"] = secrets
    annotations = {**pod_spec.get("annotations", {}), "kubectl.kubernetes.io/default-container": SIDECAR}
    if run.spec.source is not None:
        annotations[SOURCE_ANNOTATION] = run.spec.source.inline
    labels = {
        **pod_spec.get("labels", {}),
        "app.kubernetes.io/managed-by": MANAGED_BY,
        RUN_LABEL: run.name,
        ATTEMPT_LABEL: str(attempt),
    }
    return {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {
            "name": run.pod_name(attempt),
            "namespace": run.namespace,
            "labels": labels,
            "annotations": annotations,
            "ownerReferences": [
                {
                    "apiVersion": API_VERSION,
                    "kind": KIND,
                    "name": run.name,
                    "uid": run.uid,
                    "controller": True,
                    "blockOwnerDeletion": False,
                }
            ],
        },
        "spec": spec,
    }


def impossible(run: TaskRun, settings: Pods) -> str:
    """Says why no pod can serve this TaskRun here, as a sentence; empty where one can."""
    return sidecar.impossible(run, settings) or bundle.impossible(run, settings.bundles)


def _bounded(volume: dict[str, Any], limit: str) -> dict[str, Any]:
    """Returns an author's volume, with a limit for an emptyDir: else it could fill its node's disk or memory."""
    if "emptyDir" not in volume or (volume["emptyDir"] or {}).get("sizeLimit") is not None:
        return volume
    return volume | {"emptyDir": (volume["emptyDir"] or {}) | {"sizeLimit": limit}}


def _pod_security(pod_spec: dict[str, Any]) -> dict[str, Any]:
    security: dict[str, Any] = {"runAsNonRoot": True, "seccompProfile": {"type": "RuntimeDefault"}}
    if pod_spec.get("volumes"):
        # The runner's user must be able to write to the author's volumes. Without such volumes it is not needed.
        security |= {"fsGroup": shared.RUNNER_UID, "fsGroupChangePolicy": "OnRootMismatch"}
    return security
