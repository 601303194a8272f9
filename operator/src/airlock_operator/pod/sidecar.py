"""
Builds the sidecar's container, which alone mounts the token, its state, the log and the store's credentials. Pure.

It also brings the launcher into the pod, where an image of other containers lacks it.
"""

from typing import Any

import msgspec

from airlock_operator.observe.podfacts import SIDECAR
from airlock_operator.observe.taskrun import TaskRun
from airlock_operator.pod import bundle, launcher
from airlock_operator.pod.allowances import limits, proxies, requests
from airlock_operator.pod.expansion import unexpanded
from airlock_operator.pod.security import security
from airlock_operator.pod.workload import workload
from airlock_operator.settings import Logs, Pods
from airlock_wire import pod as shared
from airlock_wire import sidecar_settings as names
from airlock_wire.taskrun import LOOKUPS_KEY, TOKEN_KEY, TOKEN_SECRET_PREFIX

Json = dict[str, Any]

SOCKET_DIR = "/airlock/socket"
STATE_DIR = "/airlock/state"
LOG_DIR = "/airlock/log"
TOKEN_DIR = "/var/run/airlock"  # noqa: S105 - a folder's name
CREDENTIALS_DIR = "/var/run/airlock-logs"
#: How long a sidecar waits for its runner: longer than any image takes to be pulled. The launcher's own limit starts
#: with the launcher, and the operator limits everything before that.
_CONNECT_SECONDS = 24 * 3600
#: How much of a log that nobody reads stays in the pod: well below the limit of its volume.
_LOG_KEEP_MIB = 128


def impossible(run: TaskRun, settings: Pods) -> str:
    """Says in a sentence why no sidecar can serve this TaskRun here; empty if a sidecar can."""
    if run.by_secret and not settings.airflow_api_url:
        return (
            "spec.token is Secret, and this operator was not told where that Airflow's API is: an administrator sets "
            "airflow.apiUrl in the chart's values"
        )
    return ""


def ca_file(run: TaskRun, settings: Pods) -> str:
    """Returns the file of the authorities that this TaskRun's sidecar trusts; empty for the system's."""
    return settings.airflow_ca_file if run.by_secret else settings.ca_file


def container(run: TaskRun, settings: Pods, logs: Logs, ca_pem: str) -> Json:
    """Returns the sidecar's container, a native sidecar."""
    set_to = {
        **_api(run, settings),
        names.API_CA_PEM: ca_pem,
        names.WORKLOAD: msgspec.json.encode(workload(run, settings)).decode(),
        names.SOCKET_DIR: SOCKET_DIR,
        names.STATE_DIR: STATE_DIR,
        names.LOG_DIR: LOG_DIR,
        names.LOG_KEEP_MIB: str(_LOG_KEEP_MIB),
        names.RUNNER_UID: str(shared.RUNNER_UID),
        names.HEARTBEAT_SECONDS: f"{settings.heartbeat_seconds:g}",
        names.CONNECT_SECONDS: str(_CONNECT_SECONDS),
        **_logs(logs),
    }
    brings = _brings_launcher(run, settings)
    if brings:
        set_to[names.LAUNCHER_PARENT] = shared.LAUNCHER_PARENT
    env: list[Json] = [{"name": name, "value": unexpanded(value)} for name, value in set_to.items()]
    env += proxies(settings)
    for name, path in ((names.POD_NAME, "metadata.name"), (names.POD_UID, "metadata.uid")):
        env.append({"name": name, "valueFrom": {"fieldRef": {"fieldPath": path}}})
    mounts: list[Json] = [
        {"name": "airlock-socket", "mountPath": SOCKET_DIR},
        {"name": "airlock-state", "mountPath": STATE_DIR},
        {"name": "airlock-log", "mountPath": LOG_DIR},
        {"name": "airlock-token", "mountPath": TOKEN_DIR, "readOnly": True},
    ]
    if brings:
        mounts.append(launcher.mount(read_only=False))
    if logs.credentials_secret:
        mounts.append({"name": "airlock-log-credentials", "mountPath": CREDENTIALS_DIR, "readOnly": True})
    return {
        "name": SIDECAR,
        "image": settings.sidecar_image,
        "imagePullPolicy": settings.sidecar_pull_policy,
        "restartPolicy": "Always",
        "command": ["python", "-I", "-m", "airlock_sidecar"],
        "env": env,
        "securityContext": security(shared.SIDECAR_UID),
        "resources": {
            "requests": requests(settings, settings.sidecar_cpu, settings.sidecar_memory),
            "limits": limits(settings, settings.sidecar_memory_limit),
        },
        "terminationMessagePolicy": "File",
        "volumeMounts": mounts,
    }


def volumes(run: TaskRun, settings: Pods, logs: Logs) -> list[Json]:
    """Returns the sidecar's volumes, of which other containers mount the socket's and the launcher's, read-only."""
    own_volumes: list[Json] = [
        {"name": "airlock-socket", "emptyDir": {"medium": "Memory", "sizeLimit": "1Mi"}},
        {"name": "airlock-state", "emptyDir": {"medium": "Memory", "sizeLimit": "32Mi"}},
        {"name": "airlock-log", "emptyDir": {"sizeLimit": "1Gi"}},
        {"name": "airlock-token"} | _token(run, settings),
    ]
    if _brings_launcher(run, settings):
        own_volumes.append(launcher.volume())
    if logs.credentials_secret:
        secret = {"secretName": logs.credentials_secret, "defaultMode": 0o444}
        own_volumes.append({"name": "airlock-log-credentials", "secret": secret})
    return own_volumes


def _brings_launcher(run: TaskRun, settings: Pods) -> bool:
    """Tells whether another container runs the launcher: a foreign runner, or what fetches the bundle."""
    return run.airflow or bundle.fetched(run, settings.bundles) is not None


def _token(run: TaskRun, settings: Pods) -> Json:
    # Readable for all, since the kubelet makes it root's unless the pod has one user or a group. Only the sidecar
    # mounts it.
    if run.by_secret:
        # Its executor may have put connections and variables beside the token, for the sidecar to answer with.
        return {"secret": {"secretName": TOKEN_SECRET_PREFIX + run.name, "defaultMode": 0o444}}
    token = {"audience": shared.TOKEN_AUDIENCE, "expirationSeconds": settings.token_seconds, "path": "token"}
    return {"projected": {"defaultMode": 0o444, "sources": [{"serviceAccountToken": token}]}}


def _api(run: TaskRun, settings: Pods) -> dict[str, str]:
    """Returns the address that the sidecar sends its token to; the TaskRun never chooses it."""
    if run.by_secret:
        return {
            names.API_URL: settings.airflow_api_url,
            names.TOKEN_FILE: f"{TOKEN_DIR}/{TOKEN_KEY}",
            names.LOOKUPS_FILE: f"{TOKEN_DIR}/{LOOKUPS_KEY}",
        }
    return {
        names.API_URL: settings.api_url,
        names.API_EXCHANGE_URL: settings.exchange_url,
        names.POD_TOKEN_FILE: f"{TOKEN_DIR}/token",
    }


def _logs(logs: Logs) -> dict[str, str]:
    if not logs.store:
        return {}
    set_to = {
        names.LOGS_STORE: logs.store,
        names.LOGS_ENDPOINT: logs.endpoint,
        names.LOGS_REGION: logs.region,
        names.LOGS_CREDENTIALS_DIR: CREDENTIALS_DIR if logs.credentials_secret else "",
        names.LOGS_CA_FILE: f"{CREDENTIALS_DIR}/{logs.ca_key}" if logs.ca_key else "",
        names.LOGS_CHUNK_SECONDS: f"{logs.chunk_seconds:g}",
        names.LOGS_SEGMENT_MIB: str(logs.segment_mib),
        names.LOGS_LOCAL_MIB: str(logs.local_mib),
        names.LOGS_FINAL_SECONDS: f"{logs.final_seconds:g}",
    }
    return {name: value for name, value in set_to.items() if value}
