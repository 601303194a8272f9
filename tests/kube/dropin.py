"""
A real Airflow whose executor is ours, as the guide installs it: API server, scheduler, DAG processor and triggerer on
PostgreSQL, with Airflow's own two executors beside ours. What it did is read from its database, past its own code.
"""

from __future__ import annotations

import json
import secrets
import time
from collections.abc import Callable
from typing import Any

import psycopg
from kube.airflow import ASK
from kube.kubectl import Kubectl
from kube.objects import config_map, restricted, service

#: Airflow's image with the wheels of our executor in it.
IMAGE = "docker.io/airlock/test-airflow-executor:0.1.0"
ACCOUNT = "airflow"
PORT = 8080
COMPONENTS = ("api-server", "scheduler", "dag-processor", "triggerer")
EXECUTORS = {
    "taskrun": "airlock_executor.TaskRunExecutor",
    "kubernetes": "KubernetesExecutor",
    "local": "LocalExecutor",
}
PASSWORD = "zoo-password-42"
#: What the server does not know: the scheduler has it in its environment, as KubernetesExecutor's pods have.
LOOKUPS = {
    "AIRFLOW_CONN_ZOO_DB": json.dumps({"conn_type": "generic", "host": "db.zoo", "password": PASSWORD}),
    "AIRFLOW_VAR_ZOO_GREETING": "good day",
}
_HOME = "/airflow"
_DAGS = "/dags"
_TEMPLATE = "/template/pod.yaml"
_START_SECONDS = 180.0
_MIGRATE = """
import subprocess, sys
for words in (["db", "migrate"], ["pools", "set", "zoo_pool", "1", "one at a time"]):
    subprocess.run([sys.executable, "-m", "airflow", *words], check=True)
"""
_TRIGGER = """
import json, sys, urllib.request
for dag_id in sys.argv[2:]:
    body = json.dumps({"dag_run_id": sys.argv[1], "logical_date": None}).encode()
    request = urllib.request.Request(f"http://127.0.0.1:8080/api/v2/dags/{dag_id}/dagRuns", body,
                                     headers={"Content-Type": "application/json"})
    urllib.request.urlopen(request, timeout=60).close()
"""


class DropIn:
    """
    One Airflow in the namespace of ``team``. ``dags`` are its DAG files' texts by their names; ``executors`` the short
    names of those that it has, the default one first; ``database`` its URL as pods reach it, and ``read`` as this
    process does.
    """

    def __init__(
        self, team: Kubectl, dags: dict[str, str], executors: list[str], database: str, read: str, **settings: str
    ) -> None:
        self.team, self.executors = team, executors
        self._dags, self._database, self._read, self._settings = dags, database, read, settings
        self._keys = {"API__SECRET_KEY": secrets.token_hex(32), "API_AUTH__JWT_SECRET": secrets.token_hex(64)}

    @property
    def values(self) -> dict[str, object]:
        """What our chart is told of it."""
        return {
            "airflow.apiUrl": f"http://airflow.{self.team.namespace}.svc:{PORT}/execution",
            "airflow.executorAccounts": [f"system:serviceaccount:{self.team.namespace}:{ACCOUNT}"],
            "airflow.assetEvents": ["*"],
        }

    def start(self) -> DropIn:
        """Starts everything, and waits until all parts are healthy."""
        template = json.dumps(self._template())
        self.team.apply(
            [
                config_map("dags", self._dags),
                config_map("template", {"pod.yaml": template}),
                *_rights(),
                self._pod(),
                service("airflow", PORT),
            ]
        )
        limit = f"--timeout={_START_SECONDS:g}s"
        self.team("wait", "--for=condition=Ready", "pod/airflow", limit, seconds=_START_SECONDS + 10)
        self.until(self._healthy, _START_SECONDS, "a healthy Airflow")
        return self

    def _healthy(self) -> bool:
        status, health = self.asked("GET", "/api/v2/monitor/health")
        parts = ("scheduler", "triggerer", "dag_processor")
        return status == 200 and all((health.get(name) or {}).get("status") == "healthy" for name in parts)

    # --- its public API ---

    def ask(self, method: str, path: str, body: Any = None) -> Any:
        """Returns what the public API answers."""
        status, answer = self.asked(method, f"/api/v2{path}", body)
        assert 200 == status, f"{method} {path}: {status} {answer}"
        return answer

    def asked(self, method: str, path: str, body: Any = None) -> tuple[int, Any]:
        """Returns the status and the answer of its API server."""
        text = json.dumps(body) if body is not None else ""
        words = ("exec", "airflow", "-c", "api-server", "--", "python", "-c", ASK, method, path, text)
        status, answer = json.loads(self.team(*words))
        return status, answer

    def trigger(self, dag_id: str, run_id: str, conf: dict[str, Any] | None = None) -> None:
        """Starts a DAG run."""
        self.ask("POST", f"/dags/{dag_id}/dagRuns", {"dag_run_id": run_id, "logical_date": None, "conf": conf or {}})

    def trigger_all(self, dag_ids: list[str], run_id: str) -> None:
        """Starts a run of each DAG, by one program in its pod."""
        words = ("exec", "airflow", "-c", "api-server", "--", "python", "-c", _TRIGGER, run_id, *dag_ids)
        self.team(*words, seconds=300)

    # --- what it did ---

    def rows(self, sql: str, *values: Any) -> list[tuple[Any, ...]]:
        """Returns rows of its database."""
        with psycopg.connect(self._read, autocommit=True, connect_timeout=10) as connection:
            return connection.execute(sql.encode(), values).fetchall()

    def runs(self) -> dict[str, str]:
        """Returns the state of each DAG's newest run."""
        return dict(self.rows("SELECT dag_id, state FROM dag_run ORDER BY id"))

    def tasks(self, dag_id: str) -> dict[str, tuple[str | None, int]]:
        """Returns state and try number of each task instance of a DAG, by task and map index."""
        sql = "SELECT task_id, map_index, state, try_number FROM task_instance WHERE dag_id = %s"
        rows = self.rows(sql, dag_id)
        return {f"{task}[{index}]" if index >= 0 else task: (state, number) for task, index, state, number in rows}

    def ended(self, dag_id: str, seconds: float) -> str:
        """Returns the state of a DAG's run once it has ended."""
        self.until(lambda: self.runs().get(dag_id) in ("success", "failed"), seconds, f"end of {dag_id}")
        return self.runs()[dag_id]

    def taskruns(self, dag_id: str) -> list[dict[str, Any]]:
        """Returns the TaskRuns of a DAG, the oldest first."""
        runs = [run for run in self.team.list("taskruns") if run["spec"]["dagId"] == dag_id]
        return sorted(runs, key=lambda run: (run["metadata"]["creationTimestamp"], run["metadata"]["name"]))

    def until(self, true: Callable[[], Any], seconds: float, what: str) -> None:
        """Waits; says what the scheduler and the TaskRuns say where it does not come."""
        ends = time.monotonic() + seconds
        while not true():
            if time.monotonic() > ends:
                print(self.team("logs", "airflow", "-c", "scheduler", "--tail=60", check=False))
                print(self.team("get", "taskruns", "-o", "wide", check=False))
                raise AssertionError(f"no {what} in {seconds:g} s")
            time.sleep(0.5)

    # --- its objects ---

    def _pod(self) -> dict[str, Any]:
        mounts = [
            {"name": "home", "mountPath": _HOME},
            *self._dag_mounts(),
            {"name": "template", "mountPath": "/template", "readOnly": True},
        ]
        environment = [{"name": name, "value": value} for name, value in self.environment().items()]
        base = {"image": IMAGE, "env": environment, "securityContext": restricted(50000), "volumeMounts": mounts}
        ready = {"tcpSocket": {"port": PORT}, "periodSeconds": 1, "failureThreshold": 3}
        own = [{"name": name, "value": value} for name, value in LOOKUPS.items()]
        more: dict[str, dict[str, Any]] = {
            "api-server": {"readinessProbe": ready},
            "scheduler": {"env": [*environment, *own]},
        }
        words = {"api-server": ["--workers", "1"]}
        containers = [
            base
            | {"name": name, "command": ["python", "-m", "airflow", name, *words.get(name, [])]}
            | more.get(name, {})
            for name in COMPONENTS
        ]
        return {
            "apiVersion": "v1",
            "kind": "Pod",
            "metadata": {"name": "airflow", "labels": {"app": "airflow"}},
            "spec": {
                "serviceAccountName": ACCOUNT,
                "terminationGracePeriodSeconds": 1,
                "initContainers": [base | {"name": "prepare", "command": ["python", "-c", _MIGRATE]}],
                "containers": containers,
                "volumes": [
                    {"name": "home", "emptyDir": {}},
                    {"name": "dags", "configMap": {"name": "dags"}},
                    {"name": "template", "configMap": {"name": "template"}},
                ],
            },
        }

    def _dag_mounts(self) -> list[dict[str, Any]]:
        """Returns a mount for each file: a ConfigMap's folder has links that Airflow's search takes for a loop."""
        return [
            {"name": "dags", "mountPath": f"{_DAGS}/{name}", "subPath": name, "readOnly": True} for name in self._dags
        ]

    def _template(self) -> dict[str, Any]:
        """Returns the pod template of both executors that make pods: the DAG files, as a user mounts them."""
        secret = ("AIRFLOW__DATABASE", "AIRFLOW__API", "AIRFLOW_HOME")
        pods = {name: value for name, value in self.environment().items() if not name.startswith(secret)} | LOOKUPS
        return {
            "apiVersion": "v1",
            "kind": "Pod",
            "metadata": {"name": "task"},
            "spec": {
                "containers": [
                    {
                        "name": "base",
                        "image": IMAGE,
                        "env": [{"name": name, "value": value} for name, value in pods.items()],
                        "securityContext": restricted(50000),
                        "volumeMounts": self._dag_mounts(),
                    }
                ],
                "automountServiceAccountToken": False,
                "restartPolicy": "Never",
                "volumes": [{"name": "dags", "configMap": {"name": "dags"}}],
            },
        }

    def environment(self) -> dict[str, str]:
        """Returns the environment of every component."""
        bundle = {
            "name": "zoo",
            "classpath": "airflow.dag_processing.bundles.local.LocalDagBundle",
            "kwargs": {"path": _DAGS},
        }
        namespace = self.team.namespace
        settings = (
            {
                "CORE__EXECUTOR": ",".join(EXECUTORS[name] for name in self.executors),
                "CORE__PARALLELISM": "12",
                "CORE__LOAD_EXAMPLES": "False",
                "CORE__DAGS_ARE_PAUSED_AT_CREATION": "False",
                "CORE__FERNET_KEY": _fernet(namespace),
                "CORE__SIMPLE_AUTH_MANAGER_ALL_ADMINS": "True",
                "CORE__EXECUTION_API_SERVER_URL": f"http://airflow.{namespace}.svc:{PORT}/execution/",
                "API__PORT": str(PORT),
                "DATABASE__SQL_ALCHEMY_CONN": self._database,
                "DAG_PROCESSOR__DAG_BUNDLE_CONFIG_LIST": json.dumps([bundle]),
                "DAG_PROCESSOR__REFRESH_INTERVAL": "5",
                "SCHEDULER__SCHEDULER_IDLE_SLEEP_TIME": "0.5",
                "SCHEDULER__SCHEDULER_HEARTBEAT_SEC": "1",
                # A scheduler that was killed is found so much sooner.
                "SCHEDULER__ORPHANED_TASKS_CHECK_INTERVAL": "15",
                "TRIGGERER__JOB_HEARTBEAT_SEC": "1",
                "USAGE_DATA_COLLECTION__ENABLED": "False",
                "LOGGING__BASE_LOG_FOLDER": "/tmp/logs",
                "KUBERNETES_EXECUTOR__NAMESPACE": namespace,
                "KUBERNETES_EXECUTOR__POD_TEMPLATE_FILE": _TEMPLATE,
                "KUBERNETES_EXECUTOR__WORKER_CONTAINER_REPOSITORY": IMAGE.rpartition(":")[0],
                "KUBERNETES_EXECUTOR__WORKER_CONTAINER_TAG": IMAGE.rpartition(":")[2],
                # One a loop by default, which takes a loop's pause for each pod.
                "KUBERNETES_EXECUTOR__WORKER_PODS_CREATION_BATCH_SIZE": "16",
                # Their output is read for the comparison.
                "KUBERNETES_EXECUTOR__DELETE_WORKER_PODS": "False",
                "AIRLOCK__BUNDLES": json.dumps({"zoo": _DAGS}),
            }
            | self._keys
            | self._settings
        )
        named = {f"AIRFLOW__{name}": value for name, value in settings.items()}
        return {
            "AIRFLOW_HOME": _HOME,
            "HOME": _HOME,
            # As Airflow's chart sets it for every component.
            "AIRFLOW_CONN_AIRFLOW_DB": self._database,
            "PYTHONPATH": _DAGS,
            "ZOO_EXECUTORS": ",".join(self.executors),
        } | named


def _fernet(namespace: str) -> str:
    import base64

    return base64.urlsafe_b64encode(namespace.ljust(32, "-")[:32].encode()).decode()


def _rights() -> list[dict[str, Any]]:
    """What the scheduler's account may: what the guide says for our executor, and pods for KubernetesExecutor."""
    rules = [
        {
            "apiGroups": ["airlock.dev"],
            "resources": ["taskruns"],
            "verbs": ["create", "get", "list", "watch", "patch", "delete"],
        },
        {"apiGroups": [""], "resources": ["secrets"], "verbs": ["create", "patch", "delete", "get"]},
        {
            "apiGroups": [""],
            "resources": ["pods", "pods/log", "events"],
            "verbs": ["create", "get", "list", "watch", "patch", "delete"],
        },
    ]
    rbac = "rbac.authorization.k8s.io"
    return [
        {"apiVersion": "v1", "kind": "ServiceAccount", "metadata": {"name": ACCOUNT}},
        {"apiVersion": f"{rbac}/v1", "kind": "Role", "metadata": {"name": ACCOUNT}, "rules": rules},
        {
            "apiVersion": f"{rbac}/v1",
            "kind": "RoleBinding",
            "metadata": {"name": ACCOUNT},
            "roleRef": {"apiGroup": rbac, "kind": "Role", "name": ACCOUNT},
            "subjects": [{"kind": "ServiceAccount", "name": ACCOUNT}],
        },
    ]
