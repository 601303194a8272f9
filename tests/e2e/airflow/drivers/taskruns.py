"""
The executor of the tests' Airflow, imported by its scheduler and API server: what a drop-in executor does, at its
least. For each workload it makes a suspended TaskRun, the Secret that the TaskRun owns, and then lets it go; until the
runner has connected it mints the token anew before it expires. It is a user of Airlock like any other: the rights of
its service account, and the fields of the resource.
"""

import base64
import json
import os
import re
import ssl
import time
import urllib.error
import urllib.request
from pathlib import Path

from airflow.executors.base_executor import BaseExecutor
from airflow.utils.state import TaskInstanceState

ACCOUNT = Path("/var/run/secrets/kubernetes.io/serviceaccount")
CORE, OURS = "/api/v1", "/apis/airlock.dev/v1alpha1"
#: Ends after which the task instance has the state that its runner reported, or is another launch's.
ORDERLY = {"Succeeded", "Skipped", "Failed", "Retry", "Deferred", "Rescheduled", "AwaitingInput"}
ORDERLY |= {"Superseded", "AlreadyFinished"}


class Kubernetes:
    """The API server, as a pod of this namespace reaches it."""

    def __init__(self):
        self._context = ssl.create_default_context(cafile=ACCOUNT / "ca.crt")
        self.namespace = (ACCOUNT / "namespace").read_text()

    def __call__(self, method, group, plural, name="", body=None, kind="application/json"):
        """The answer's object; None for a 404."""
        path = "/".join(filter(None, (group, "namespaces", self.namespace, plural, name)))
        headers = {"Authorization": f"Bearer {(ACCOUNT / 'token').read_text()}", "Content-Type": kind}
        request = urllib.request.Request(
            f"https://kubernetes.default.svc{path}?fieldValidation=Strict" if body else f"https://kubernetes.default.svc{path}",
            method=method, headers=headers, data=json.dumps(body).encode() if body else None,
        )  # fmt: skip
        try:
            with urllib.request.urlopen(request, timeout=30, context=self._context) as answer:
                return json.load(answer)
        except urllib.error.HTTPError as e:
            if method == "GET" and e.code == 404:
                return None
            raise RuntimeError(f"{method} {path}: {e.code} {e.read().decode()}") from e


class Launch:
    """A TaskRun and what its token is made with."""

    def __init__(self, workload, name, token, expires):
        self.workload, self.name, self.token, self.expires = workload, name, token, expires

    def taskrun(self, settings):
        ti = self.workload.ti
        volume = {"name": "dags", "configMap": {"name": os.environ["DAGS_CONFIG_MAP"]}}
        mount = {"name": "dags", "mountPath": "/dags", "readOnly": True}
        pod = dict(settings.get("pod", {}))
        pod["volumes"] = [volume, *pod.get("volumes", [])]
        pod["volumeMounts"] = [mount, *pod.get("volumeMounts", [])]
        return {
            "apiVersion": "airlock.dev/v1alpha1",
            "kind": "TaskRun",
            "metadata": {"name": self.name, "labels": {"dag": ti.dag_id, "try": str(ti.try_number)}},
            "spec": {
                "dagId": ti.dag_id,
                "taskId": ti.task_id,
                "runId": ti.run_id,
                "mapIndex": ti.map_index,
                "tryNumber": ti.try_number,
                "runner": "airflow",
                "token": "Secret",
                "taskInstanceId": str(ti.id),
                "dagVersionId": str(ti.dag_version_id),
                "queue": ti.queue,
                "image": settings.get("image", os.environ["RUNNER_IMAGE"]),
                "bundle": {"name": self.workload.bundle_info.name, "path": "/dags"},
                "file": str(self.workload.dag_rel_path),
                # Airflow's runner goes on after SIGTERM, so all of it is waited for.
                "gracePeriod": "15s",
                "suspend": True,
                "pod": pod,
            },
        }

    def secret(self, owner):
        return {
            "apiVersion": "v1",
            "kind": "Secret",
            "metadata": {
                "name": f"airlock-token-{self.name}",
                "ownerReferences": [
                    {key: owner[key] for key in ("apiVersion", "kind")}
                    | {key: owner["metadata"][key] for key in ("name", "uid")}
                ],
            },
            "data": self.data(),
        }

    def data(self):
        return {"token": base64.b64encode(self.token.encode()).decode()}


class TaskRuns(BaseExecutor):
    """Every task instance is a TaskRun."""

    def start(self):
        self.kubernetes = Kubernetes()
        self.launches = {}
        self.older = 0

    def _mint(self, workload):
        seconds = float(os.environ["TOKEN_SECONDS"])
        extras = {"sub": str(workload.ti.id), "scope": "workload"}
        return self.jwt_generator.generate(extras=extras, valid_for=seconds), time.time() + seconds

    def _process_workloads(self, workload_list):
        for workload in workload_list:
            del self.queued_tasks[workload.key]
            self.running.add(workload.key)
            self.launches[workload.key] = self._launch(workload)

    def _launch(self, workload):
        ti = workload.ti
        # The same task instance and try is launched again after a deferral.
        self.older += 1
        name = re.sub(r"[^a-z0-9-]", "-", f"{ti.dag_id}-{ti.task_id}-{ti.try_number}-{self.older}".lower())
        launch = Launch(workload, name, *self._mint(workload))
        given = self.kubernetes("GET", CORE, "configmaps", f"pod-{ti.run_id}")
        settings = dict(ti.executor_config or {}) | (json.loads(given["data"]["settings"]) if given else {})
        made = self.kubernetes("POST", OURS, "taskruns", body=launch.taskrun(settings))
        self.kubernetes("POST", CORE, "secrets", body=launch.secret(made))
        self._merge(OURS, "taskruns", name, {"spec": {"suspend": False}})
        return launch

    def _merge(self, group, plural, name, change):
        self.kubernetes("PATCH", group, plural, name, body=change, kind="application/merge-patch+json")

    def sync(self):
        for key, launch in list(self.launches.items()):
            run = self.kubernetes("GET", OURS, "taskruns", launch.name) or {}
            status = run.get("status") or {}
            if not run or status.get("finishedAt"):
                del self.launches[key]
                orderly = status.get("reason") in ORDERLY
                self.change_state(key, TaskInstanceState.SUCCESS if orderly else TaskInstanceState.FAILED)
            elif (
                status.get("reason") != "Running"
                and launch.expires - time.time() < float(os.environ["TOKEN_SECONDS"]) / 2
            ):
                launch.token, launch.expires = self._mint(launch.workload)
                self._merge(CORE, "secrets", f"airlock-token-{launch.name}", {"data": launch.data()})

    def end(self):
        self.launches.clear()
