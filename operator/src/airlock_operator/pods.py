"""
The pod of an attempt: a TaskRun in, a manifest out. Pure.

The trust line as Kubernetes enforces it: the sidecar alone mounts the pod's token and the state folder; the runner
mounts the socket's folder read-only, has a user of its own, no service-account token and no name of a secret. Every
pod meets the ``restricted`` Pod Security level. The names that begin with ``airlock-`` are reserved for the volumes
made here; the admission policies (charts/airlock) refuse them to anybody else.
"""

from typing import Any

import msgspec

from airlock_operator.durations import seconds
from airlock_operator.podfacts import ATTEMPT_LABEL, RUN_LABEL, RUNNER, SIDECAR
from airlock_operator.settings import Pods
from airlock_operator.taskrun import TaskRun
from airlock_wire import pod as shared
from airlock_wire.messages import BundleInfo, TaskInstance
from airlock_wire.workload import Execute, log_path

MANAGED_BY = "airlock"
SOURCE_ANNOTATION = "airlock.dev/source"
SOURCE_FILE = "dag.py"
SOCKET_DIR = "/airlock/socket"
STATE_DIR = "/airlock/state"
LOG_DIR = "/airlock/log"
BUNDLE_DIR = "/airlock/bundle"
TOKEN_DIR = "/var/run/airlock"  # noqa: S105 - a folder's name
#: Where an image has its bundles, unless the TaskRun says otherwise: a folder of the bundle's name below this one.
BUNDLES_ROOT = "/opt/airlock/bundles"
#: The runner's only writable folder that is not a volume of the author's.
TMP_DIR = "/tmp"  # noqa: S108 - the container's own
#: How long a sidecar waits for its runner: longer than any image takes to be pulled. The launcher counts its own
#: minute from its own start, and the operator all the rest.
_CONNECT_SECONDS = 24 * 3600

#: What a TaskRun's pod settings may say of the pod as a whole, and of the runner's container.
POD_FIELDS = (
    "tolerations", "nodeSelector", "affinity", "priorityClassName", "serviceAccountName", "runtimeClassName",
)  # fmt: skip
RUNNER_FIELDS = ("resources", "env", "envFrom", "imagePullPolicy")


def manifest(run: TaskRun, attempt: int, settings: Pods, ca_pem: str) -> dict[str, Any]:
    """The pod of an attempt, as JSON for the API server."""
    asked = run.spec.pod
    inline = run.spec.source is not None
    spec: dict[str, Any] = {name: asked[name] for name in POD_FIELDS if name in asked}
    secrets = [*asked.get("imagePullSecrets", []), *({"name": n} for n in settings.pull_secrets.split(",") if n)]
    spec.setdefault("serviceAccountName", "default")
    spec |= {
        "restartPolicy": "Never",
        "automountServiceAccountToken": False,
        "enableServiceLinks": False,
        "shareProcessNamespace": False,
        "terminationGracePeriodSeconds": max(1, round(seconds(run.spec.grace_period))),
        "securityContext": _pod_security(asked),
        "initContainers": [_sidecar(run, settings, ca_pem)],
        "containers": [_runner(run)],
        "volumes": [*_volumes(settings, inline=inline), *asked.get("volumes", [])],
    }
    if secrets:
        spec["imagePullSecrets"] = secrets
    annotations = {**asked.get("annotations", {}), "kubectl.kubernetes.io/default-container": SIDECAR}
    if run.spec.source is not None:
        annotations[SOURCE_ANNOTATION] = run.spec.source.inline
    labels = {
        **asked.get("labels", {}),
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
                    "apiVersion": "airlock.dev/v1alpha1",
                    "kind": "TaskRun",
                    "name": run.name,
                    "uid": run.uid,
                    "controller": True,
                    "blockOwnerDeletion": False,
                }
            ],
        },
        "spec": spec,
    }


def _pod_security(asked: dict[str, Any]) -> dict[str, Any]:
    security: dict[str, Any] = {"runAsNonRoot": True, "seccompProfile": {"type": "RuntimeDefault"}}
    if asked.get("volumes"):
        # What the author mounts must be writable for the runner's user. Without such volumes nothing needs it.
        security |= {"fsGroup": shared.RUNNER_UID, "fsGroupChangePolicy": "OnRootMismatch"}
    return security


def _security(uid: int) -> dict[str, Any]:
    return {
        "runAsUser": uid,
        "runAsGroup": uid,
        "runAsNonRoot": True,
        "allowPrivilegeEscalation": False,
        "readOnlyRootFilesystem": True,
        "capabilities": {"drop": ["ALL"]},
        "seccompProfile": {"type": "RuntimeDefault"},
    }


def _sidecar(run: TaskRun, settings: Pods, ca_pem: str) -> dict[str, Any]:
    set_to = {
        "API__URL": settings.api_url,
        "API__EXCHANGE_URL": settings.exchange_url,
        "API__CA_PEM": ca_pem,
        "SIDECAR__WORKLOAD": msgspec.json.encode(workload(run)).decode(),
        "SIDECAR__POD_TOKEN_FILE": f"{TOKEN_DIR}/token",
        "SIDECAR__SOCKET_DIR": SOCKET_DIR,
        "SIDECAR__STATE_DIR": STATE_DIR,
        "SIDECAR__LOG_DIR": LOG_DIR,
        "SIDECAR__RUNNER_UID": str(shared.RUNNER_UID),
        "SIDECAR__HEARTBEAT_SECONDS": f"{settings.heartbeat_seconds:g}",
        "SIDECAR__CONNECT_SECONDS": str(_CONNECT_SECONDS),
    }
    # A dollar sign that a kubelet is not to expand is written twice.
    env: list[dict[str, Any]] = [
        {"name": f"AIRLOCK__{name}", "value": value.replace("$(", "$$(")} for name, value in set_to.items()
    ]
    for name, path in (("POD_NAME", "metadata.name"), ("POD_UID", "metadata.uid")):
        env.append({"name": f"AIRLOCK__SIDECAR__{name}", "valueFrom": {"fieldRef": {"fieldPath": path}}})
    return {
        "name": SIDECAR,
        "image": settings.sidecar_image,
        "imagePullPolicy": settings.sidecar_pull_policy,
        "restartPolicy": "Always",
        "command": ["python", "-m", "airlock_sidecar"],
        "env": env,
        "securityContext": _security(shared.SIDECAR_UID),
        "resources": {
            "requests": {"cpu": settings.sidecar_cpu, "memory": settings.sidecar_memory},
            "limits": {"memory": settings.sidecar_memory_limit},
        },
        "terminationMessagePolicy": "File",
        "volumeMounts": [
            {"name": "airlock-socket", "mountPath": SOCKET_DIR},
            {"name": "airlock-state", "mountPath": STATE_DIR},
            {"name": "airlock-log", "mountPath": LOG_DIR},
            {"name": "airlock-token", "mountPath": TOKEN_DIR, "readOnly": True},
        ],
    }


def _runner(run: TaskRun) -> dict[str, Any]:
    asked = run.spec.pod
    grace = f"{seconds(run.spec.grace_period):g}"
    mounts = [
        {"name": "airlock-socket", "mountPath": SOCKET_DIR, "readOnly": True},
        {"name": "airlock-tmp", "mountPath": TMP_DIR},
    ]
    if run.spec.source is not None:
        mounts.append({"name": "airlock-source", "mountPath": BUNDLE_DIR, "readOnly": True})
    container = {name: asked[name] for name in RUNNER_FIELDS if name in asked}
    return container | {
        "name": RUNNER,
        "image": run.spec.image,
        "command": ["python", "-P", "-m", "airlock_runner"],
        "args": ["--socket-dir", SOCKET_DIR, "--bundle-root", bundle_root(run), "--grace-seconds", grace],
        "env": [{"name": "HOME", "value": TMP_DIR}, *asked.get("env", [])],
        "securityContext": _security(shared.RUNNER_UID),
        "volumeMounts": [*mounts, *asked.get("volumeMounts", [])],
    }


def _volumes(settings: Pods, *, inline: bool) -> list[dict[str, Any]]:
    # Readable for all, since the kubelet makes it root's unless the pod has one user or a group. Only the sidecar
    # mounts it.
    token = {"audience": shared.TOKEN_AUDIENCE, "expirationSeconds": settings.token_seconds, "path": "token"}
    volumes: list[dict[str, Any]] = [
        {"name": "airlock-socket", "emptyDir": {"medium": "Memory", "sizeLimit": "1Mi"}},
        {"name": "airlock-state", "emptyDir": {"medium": "Memory", "sizeLimit": "32Mi"}},
        {"name": "airlock-log", "emptyDir": {"sizeLimit": "1Gi"}},
        {"name": "airlock-tmp", "emptyDir": {}},
        {"name": "airlock-token", "projected": {"defaultMode": 0o444, "sources": [{"serviceAccountToken": token}]}},
    ]
    if inline:
        item = {"path": SOURCE_FILE, "fieldRef": {"fieldPath": f"metadata.annotations['{SOURCE_ANNOTATION}']"}}
        volumes.append({"name": "airlock-source", "downwardAPI": {"defaultMode": 0o444, "items": [item]}})
    return volumes


def bundle_root(run: TaskRun) -> str:
    """The folder of the DAG files, in the runner's container."""
    bundle = run.spec.bundle
    if bundle is None:
        return BUNDLE_DIR
    return bundle.path or f"{BUNDLES_ROOT}/{bundle.name}"


def workload(run: TaskRun) -> Execute:
    """What the sidecar is to run. The ids that the server gives come with the token."""
    spec, try_number = run.spec, run.status.try_number
    bundle = spec.bundle
    limit = spec.execution_timeout
    return Execute(
        ti=TaskInstance(
            id="",
            dag_version_id="",
            dag_id=spec.dag_id,
            task_id=spec.task_id,
            run_id=run.run_id,
            map_index=spec.map_index,
            try_number=try_number,
        ),
        dag_rel_path=spec.file if bundle is not None else SOURCE_FILE,
        bundle_info=BundleInfo(name=bundle.name if bundle else "inline", version=bundle.version if bundle else None),
        log_path=log_path(spec.dag_id, run.run_id, spec.task_id, spec.map_index, try_number),
        execution_timeout_seconds=seconds(limit) if limit is not None else None,
    )
