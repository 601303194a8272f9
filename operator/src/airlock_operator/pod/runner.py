"""
Builds the runner's container, its volumes, and the container that fetches its bundle. Pure.
"""

import json
from collections.abc import Mapping
from typing import Any

from airlock_operator.observe.podfacts import RUNNER
from airlock_operator.observe.taskrun import TaskRun
from airlock_operator.pod import bundle, launcher
from airlock_operator.pod.allowances import limits, proxies, requests
from airlock_operator.pod.bundle import BUNDLE_DIR
from airlock_operator.pod.expansion import unexpanded
from airlock_operator.pod.security import security
from airlock_operator.pod.sidecar import SOCKET_DIR
from airlock_operator.pod.workload import INLINE, SOURCE_FILE
from airlock_operator.settings import Pods, resources
from airlock_wire import pod as shared

Json = dict[str, Any]

SOURCE_ANNOTATION = "airlock.dev/source"
#: The folder of an image's bundles, by default: each in a folder of its name below this one.
BUNDLES_ROOT = "/opt/airlock/bundles"
#: The runner's only writable folder that is not a volume of the author's.
TMP_DIR = "/tmp"  # noqa: S108 - the container's own
#: The fields of a TaskRun's pod settings that are the runner container's.
RUNNER_FIELDS = ("resources", "env", "envFrom", "imagePullPolicy")

_LOCAL_BUNDLE = "airflow.dag_processing.bundles.local.LocalDagBundle"


def container(run: TaskRun, settings: Pods, trace: Mapping[str, str] | None = None) -> Json:
    """Returns the container that user code runs in. ``trace`` are the variables that say which trace it is part of."""
    pod_spec = run.spec.pod
    fetched = bundle.fetched(run, settings.bundles)
    mounts: list[Json] = [
        {"name": "airlock-socket", "mountPath": SOCKET_DIR, "readOnly": True},
        {"name": "airlock-tmp", "mountPath": TMP_DIR},
    ]
    if run.spec.source is not None:
        mounts.append({"name": "airlock-source", "mountPath": BUNDLE_DIR, "readOnly": True})
    if fetched is not None:
        mounts.append({"name": bundle.BUNDLE_VOLUME, "mountPath": BUNDLE_DIR, "readOnly": True})
    if run.airflow:
        mounts.append(launcher.mount())
    fields = {name: pod_spec[name] for name in RUNNER_FIELDS if name in pod_spec}
    if not fields.get("resources") and settings.runner_resources:
        fields["resources"] = resources(settings.runner_resources)
    if not run.spec.image:
        fields.setdefault("imagePullPolicy", settings.sidecar_pull_policy)
    return fields | {
        "name": RUNNER,
        "image": run.spec.image or settings.runner_image,
        "command": _command(run),
        "args": _arguments(run, settings),
        "env": [*_environment(run, settings, trace or {}), *pod_spec.get("env", [])],
        "securityContext": security(shared.RUNNER_UID),
        "volumeMounts": [*mounts, *pod_spec.get("volumeMounts", [])],
    }


def init_containers(run: TaskRun, settings: Pods) -> list[Json]:
    """
    Returns the init container that fetches the bundle, if one is to be fetched.

    The last line of it is its termination message, so that the operator can quote it.
    """
    fetched = bundle.fetched(run, settings.bundles)
    if fetched is None:
        return []
    resources = {"requests": requests(settings, "50m", "192Mi"), "limits": limits(settings, "1Gi")}
    return [bundle.container(run, fetched, resources, proxies(settings))]


def volumes(run: TaskRun, settings: Pods) -> list[Json]:
    """Builds the runner's own volumes, beside those of its author."""
    fetched = bundle.fetched(run, settings.bundles)
    own_volumes: list[Json] = [{"name": "airlock-tmp", "emptyDir": {"sizeLimit": settings.scratch_size_limit}}]
    if run.spec.source is not None:
        item = {"path": SOURCE_FILE, "fieldRef": {"fieldPath": f"metadata.annotations['{SOURCE_ANNOTATION}']"}}
        own_volumes.append({"name": "airlock-source", "downwardAPI": {"defaultMode": 0o444, "items": [item]}})
    if fetched is not None:
        own_volumes += bundle.volumes(fetched)
    return own_volumes


def bundle_root(run: TaskRun, settings: Pods) -> str:
    """Returns the folder of the DAG files, in the runner's container."""
    bundle_spec, fetched = run.spec.bundle, bundle.fetched(run, settings.bundles)
    if bundle_spec is None:
        return BUNDLE_DIR
    if fetched is not None:
        return bundle.root(fetched)
    return bundle_spec.path or f"{BUNDLES_ROOT}/{bundle_spec.name}"


def _command(run: TaskRun) -> list[str]:
    return launcher.command() if run.airflow else ["python", "-P", "-m", "airlock_runner"]


def _arguments(run: TaskRun, settings: Pods) -> list[str]:
    grace = f"{run.durations.grace_period:g}"
    bundle = [] if run.airflow else ["--bundle-root", bundle_root(run, settings)]
    return ["--socket-dir", SOCKET_DIR, *map(unexpanded, bundle), "--grace-seconds", grace]


def _environment(run: TaskRun, settings: Pods, trace: Mapping[str, str]) -> list[Json]:
    """Returns our variables, except those that the author sets too; the author's follow them."""
    variables = {"HOME": TMP_DIR, **trace}
    if run.airflow:
        bundle = {
            "name": run.spec.bundle.name if run.spec.bundle is not None else INLINE,
            "classpath": _LOCAL_BUNDLE,
            "kwargs": {"path": bundle_root(run, settings)},
        }
        variables |= {
            "AIRFLOW_HOME": f"{TMP_DIR}/airflow",
            "AIRFLOW__CORE__LOAD_EXAMPLES": "False",
            "AIRFLOW__DAG_PROCESSOR__DAG_BUNDLE_CONFIG_LIST": json.dumps([bundle]),
        }
    elif settings.xcom_store:
        variables |= {
            shared.XCOM_STORE: settings.xcom_store,
            shared.XCOM_STORE_THRESHOLD: str(settings.xcom_store_threshold_bytes),
            shared.XCOM_STORE_COMPRESSION: settings.xcom_store_compression,
        }
    author_names = {each["name"] for each in run.spec.pod.get("env", [])}
    return [{"name": name, "value": unexpanded(value)} for name, value in variables.items() if name not in author_names]
