"""
The runner's container, and how the launcher comes into an image that has none (docs/adr/0013). Pure.
"""

import json
from typing import Any

from airlock_operator.durations import seconds
from airlock_operator.podfacts import LAUNCHER, RUNNER
from airlock_operator.security import security
from airlock_operator.settings import BY_IMAGE, Pods
from airlock_operator.sidecars import SOCKET_DIR
from airlock_operator.taskrun import TaskRun
from airlock_operator.workloads import INLINE, SOURCE_FILE
from airlock_wire import pod as shared

Json = dict[str, Any]

SOURCE_ANNOTATION = "airlock.dev/source"
BUNDLE_DIR = "/airlock/bundle"
#: Where an image has its bundles, unless the TaskRun says otherwise: a folder of the bundle's name below this one.
BUNDLES_ROOT = "/opt/airlock/bundles"
#: The runner's only writable folder that is not a volume of the author's.
TMP_DIR = "/tmp"  # noqa: S108 - the container's own
#: What a TaskRun's pod settings may say of the runner's container.
RUNNER_FIELDS = ("resources", "env", "envFrom", "imagePullPolicy")

_LOCAL_BUNDLE = "airflow.dag_processing.bundles.local.LocalDagBundle"
_LAUNCHER_VOLUME = "airlock-launcher"


def container(run: TaskRun) -> Json:
    """The container that user code runs in."""
    asked = run.spec.pod
    mounts: list[Json] = [
        {"name": "airlock-socket", "mountPath": SOCKET_DIR, "readOnly": True},
        {"name": "airlock-tmp", "mountPath": TMP_DIR},
    ]
    if run.spec.source is not None:
        mounts.append({"name": "airlock-source", "mountPath": BUNDLE_DIR, "readOnly": True})
    if run.airflow:
        mounts.append({"name": _LAUNCHER_VOLUME, "mountPath": shared.LAUNCHER_PARENT, "readOnly": True})
    made = {name: asked[name] for name in RUNNER_FIELDS if name in asked}
    return made | {
        "name": RUNNER,
        "image": run.spec.image,
        "command": _command(run),
        "args": _arguments(run),
        "env": [*_environment(run), *asked.get("env", [])],
        "securityContext": security(shared.RUNNER_UID),
        "volumeMounts": [*mounts, *asked.get("volumeMounts", [])],
    }


def launcher_containers(run: TaskRun, settings: Pods) -> list[Json]:
    """
    The init container that brings the launcher into the runner's image, or that looks whether an image volume did.

    Only the mount itself can say so: a cluster that does not know image volumes may leave an empty one in place. Its
    last line is its termination message, so that the operator can quote it.
    """
    if not run.airflow:
        return []
    by_image = settings.launcher_by == BY_IMAGE
    mount: Json = {"name": _LAUNCHER_VOLUME, "mountPath": shared.LAUNCHER_PARENT}
    return [
        {
            "name": LAUNCHER,
            "image": settings.launcher_image,
            "imagePullPolicy": settings.sidecar_pull_policy,
            "args": ["check" if by_image else "copy", shared.LAUNCHER_PARENT],
            "securityContext": security(shared.RUNNER_UID),
            "resources": {"requests": {"cpu": "10m", "memory": "16Mi"}, "limits": {"memory": "64Mi"}},
            "terminationMessagePolicy": "FallbackToLogsOnError",
            "volumeMounts": [mount | {"readOnly": True} if by_image else mount],
        }
    ]


def volumes(run: TaskRun, settings: Pods) -> list[Json]:
    """The runner's own volumes, beside those of its author."""
    made: list[Json] = [{"name": "airlock-tmp", "emptyDir": {}}]
    if run.spec.source is not None:
        item = {"path": SOURCE_FILE, "fieldRef": {"fieldPath": f"metadata.annotations['{SOURCE_ANNOTATION}']"}}
        made.append({"name": "airlock-source", "downwardAPI": {"defaultMode": 0o444, "items": [item]}})
    if run.airflow and settings.launcher_by == BY_IMAGE:
        image = {"reference": settings.launcher_image, "pullPolicy": settings.sidecar_pull_policy}
        made.append({"name": _LAUNCHER_VOLUME, "image": image})
    elif run.airflow:
        made.append({"name": _LAUNCHER_VOLUME, "emptyDir": {"sizeLimit": "16Mi"}})
    return made


def bundle_root(run: TaskRun) -> str:
    """The folder of the DAG files, in the runner's container."""
    bundle = run.spec.bundle
    if bundle is None:
        return BUNDLE_DIR
    return bundle.path or f"{BUNDLES_ROOT}/{bundle.name}"


def _command(run: TaskRun) -> list[str]:
    # Airflow's images may have Python 3.10, which does not know -P; the launcher's folder is all that it would hide.
    return ["python", shared.LAUNCHER_DIR] if run.airflow else ["python", "-P", "-m", "airlock_runner"]


def _arguments(run: TaskRun) -> list[str]:
    grace = f"{seconds(run.spec.grace_period):g}"
    bundle = [] if run.airflow else ["--bundle-root", bundle_root(run)]
    return ["--socket-dir", SOCKET_DIR, *bundle, "--grace-seconds", grace]


def _environment(run: TaskRun) -> list[Json]:
    """What the author's own variables come after; of the same name theirs alone is there."""
    ours = {"HOME": TMP_DIR}
    if run.airflow:
        bundle = {
            "name": run.spec.bundle.name if run.spec.bundle is not None else INLINE,
            "classpath": _LOCAL_BUNDLE,
            "kwargs": {"path": bundle_root(run)},
        }
        ours |= {
            "AIRFLOW_HOME": f"{TMP_DIR}/airflow",
            "AIRFLOW__CORE__LOAD_EXAMPLES": "False",
            "AIRFLOW__DAG_PROCESSOR__DAG_BUNDLE_CONFIG_LIST": json.dumps([bundle]),
        }
    theirs = {each["name"] for each in run.spec.pod.get("env", [])}
    return [{"name": name, "value": value} for name, value in ours.items() if name not in theirs]
