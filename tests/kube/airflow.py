"""
A real Airflow in a namespace of the cluster: API server, scheduler and triggerer in one pod, on SQLite, whose executor
makes TaskRuns with the tokens that Airflow mints (tests/e2e/airflow/drivers). What it left is read by plain sqlite3.
"""

from __future__ import annotations

import json
import secrets
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from kube.kubectl import Kubectl
from kube.objects import config_map, restricted, service
from kube.taskruns import over

IMAGE = "docker.io/airlock/test-airflow:0.1.0"
#: How long a token lives that its executor mints. Airflow's own take 600 s, and no test should.
TOKEN_SECONDS = 30
#: What a verifier of Airflow's adds to that.
LEEWAY_SECONDS = 10
ACCOUNT = "airflow"
PORT = 8080
_HERE = Path(__file__).resolve().parents[1] / "e2e/airflow"
_HOME = "/airflow"
_START_SECONDS = 150.0

#: A ConfigMap's folder has links that Airflow's search for DAG files takes for a loop, so its files are copied.
#: Triggers are numbered once: SQLite gives a deleted row's number to another, and a triggerer that had one of this
#: number passes the new one over, so that a task instance stays deferred for ever.
_PREPARE = """
import pathlib, re, shutil, sqlite3, subprocess, sys
pathlib.Path("/airflow/dags").mkdir(exist_ok=True)
for path in pathlib.Path("/dags").glob("*.py"):
    shutil.copy(path, "/airflow/dags")
subprocess.run([sys.executable, "-m", "airflow", "db", "migrate"], check=True)
db = sqlite3.connect("/airflow/airflow.db")
sql = [row[0] for row in db.execute("SELECT sql FROM sqlite_master WHERE tbl_name = 'trigger' AND sql != ''")]
table = sql[0].replace("id INTEGER NOT NULL", "id INTEGER PRIMARY KEY AUTOINCREMENT", 1)
for statement in ('DROP TABLE "trigger"', re.sub(r"CONSTRAINT \\w+ PRIMARY KEY \\(id\\),", "", table), *sql[1:]):
    db.execute(statement)
db.commit()
db.close()
subprocess.run([sys.executable, "-m", "airflow", "dags", "reserialize"], check=True)
"""
#: Asks the public API of an Airflow in its own container: method, path, body; prints the status and the answer.
ASK = """
import json, sys, urllib.error, urllib.request
method, path, body = sys.argv[1:]
request = urllib.request.Request("http://127.0.0.1:8080" + path, method=method, data=body.encode() or None,
                                 headers={"Content-Type": "application/json"})
try:
    print(json.dumps([200, json.load(urllib.request.urlopen(request, timeout=30))]))
except urllib.error.HTTPError as e:
    print(json.dumps([e.code, e.read().decode()]))
except OSError as e:
    print(json.dumps([0, str(e)]))
"""
_QUERY = """
import json, sqlite3, sys
db = sqlite3.connect("file:/airflow/airflow.db?mode=ro", uri=True, timeout=30)
print(json.dumps(db.execute(sys.argv[1], sys.argv[2:]).fetchall()))
"""
#: Waits where the database is: an exec for every look is a kubectl, a process of the runtime and an interpreter.
_ENDED = """
import json, sqlite3, sys, time
db = sqlite3.connect("file:/airflow/airflow.db?mode=ro", uri=True, timeout=30)
ends = time.monotonic() + 20
while True:
    sql = "SELECT state FROM dag_run WHERE dag_id = ?1 AND run_id = ?2"
    ((state,),) = db.execute(sql, sys.argv[1:]).fetchall()
    if state in ("success", "failed") or time.monotonic() > ends:
        break
    time.sleep(0.5)
print(json.dumps(state))
"""


class Airflow:
    """One Airflow, in the namespace of ``team``; ``dags`` are its DAG files' texts by their names."""

    def __init__(self, team: Kubectl, dags: dict[str, str]) -> None:
        self.team = team
        self._dags = dags

    @property
    def values(self) -> dict[str, object]:
        """What the chart is told of it."""
        return {"airflow.apiUrl": self.api_url, "airflow.executorAccounts": [self.account]}

    @property
    def api_url(self) -> str:
        """Its Execution API, as a pod reaches it."""
        return f"http://airflow.{self.team.namespace}.svc:{PORT}/execution"

    @property
    def account(self) -> str:
        """Its executor, as the API server knows it."""
        return f"system:serviceaccount:{self.team.namespace}:{ACCOUNT}"

    def start(self) -> Airflow:
        """Everything, until all three are healthy and every DAG is known."""
        drivers = {path.name: path.read_text() for path in (_HERE / "drivers").glob("*.py")}
        self.team.apply(
            [
                config_map("dags", self._dags),
                config_map("drivers", drivers),
                *_rights(),
                _pod(),
                service("airflow", PORT),
            ]
        )
        self.team(
            "wait",
            "--for=condition=Ready",
            "pod/airflow",
            f"--timeout={_START_SECONDS:g}s",
            seconds=_START_SECONDS + 10,
        )
        self.until(self._healthy, _START_SECONDS, "a healthy Airflow")
        return self

    def _healthy(self) -> bool:
        status, found = self._asked("GET", "/api/v2/monitor/health", "")
        return status == 200 and all(found[name]["status"] == "healthy" for name in ("scheduler", "triggerer"))

    # --- the public API, as a user's browser asks it ---

    def ask(self, method: str, path: str, body: Any = None) -> Any:
        for _ in range(10):
            status, answer = self._asked(method, f"/api/v2{path}", json.dumps(body) if body is not None else "")
            # SQLite has one writer: what finds it locked is answered with 500 and wrote nothing.
            if status != 500:
                break
            time.sleep(0.5)
        assert 200 == status, f"{method} {path}: {status} {answer}"
        return answer

    def _asked(self, method: str, path: str, body: str) -> tuple[int, Any]:
        status, answer = json.loads(self._python("api-server", ASK, method, path, body))
        return status, answer

    def trigger(self, dag_id: str, run_id: str, conf: dict[str, Any] | None = None, **settings: Any) -> None:
        """A DAG run, whose TaskRuns have these settings of the executor: ``pod``, ``image``."""
        if settings:
            self.team.apply(config_map(f"pod-{run_id}", {"settings": json.dumps(settings)}))
        self.ask("POST", f"/dags/{dag_id}/dagRuns", {"dag_run_id": run_id, "logical_date": None, "conf": conf or {}})

    def variable(self, key: str, value: str) -> None:
        self.ask("POST", "/variables", {"key": key, "value": value})

    # --- what it left ---

    def rows(self, sql: str, *values: str) -> list[list[Any]]:
        """Rows of its database, read past its own code."""
        found: list[list[Any]] = json.loads(self._python("api-server", _QUERY, sql, *values))
        return found

    def state(self, dag_id: str, run_id: str, task_id: str) -> str:
        """A task instance's state."""
        sql = "SELECT state FROM task_instance WHERE dag_id = ?1 AND run_id = ?2 AND task_id = ?3"
        ((state,),) = self.rows(sql, dag_id, run_id, task_id)
        return state or ""

    def result(self, dag_id: str, run_id: str, task_id: str) -> Any:
        """What a task returned."""
        sql = "SELECT value FROM xcom WHERE dag_id = ?1 AND run_id = ?2 AND task_id = ?3 AND key = 'return_value'"
        ((value,),) = self.rows(sql, dag_id, run_id, task_id)
        return json.loads(value) if isinstance(value, str) else value

    def ended(self, dag_id: str, run_id: str, seconds: float) -> str:
        """The DAG run's state once it has ended."""
        state = ""

        def known() -> bool:
            nonlocal state
            state = json.loads(self._python("api-server", _ENDED, dag_id, run_id))
            return state in ("success", "failed")

        self.until(known, seconds, f"end of {run_id}")
        return state

    def taskruns(self, dag_id: str) -> list[dict[str, Any]]:
        """The TaskRuns that its executor made for a DAG, oldest first."""
        return sorted(
            self.team.list("taskruns", f"dag={dag_id}"), key=lambda run: int(run["metadata"]["name"].rsplit("-", 1)[1])
        )

    def ended_taskruns(self, dag_id: str) -> list[dict[str, Any]]:
        """The same, once all of them are over, which is a moment after Airflow knows how they ended."""
        self.until(lambda: all(map(over, self.taskruns(dag_id))), 60, f"end of the TaskRuns of {dag_id}")
        return self.taskruns(dag_id)

    def until(self, true: Callable[[], Any], seconds: float, what: str) -> None:
        """Waits; says what the scheduler and the TaskRuns say where it does not come."""
        ends = time.monotonic() + seconds
        while not true():
            if time.monotonic() > ends:
                print(self.team("logs", "airflow", "-c", "scheduler", "--tail=40", check=False))
                print(self.team("get", "taskruns", "-o", "wide", check=False))
                raise AssertionError(f"no {what} in {seconds:g} s")
            time.sleep(0.5)

    def _python(self, container: str, code: str, *arguments: str) -> str:
        return self.team("exec", "airflow", "-c", container, "--", "python", "-c", code, *arguments)


def _rights() -> list[dict[str, Any]]:
    """What an executor needs: TaskRuns, and the Secrets that they own."""
    rules = [
        {"apiGroups": ["airlock.dev"], "resources": ["taskruns"], "verbs": ["create", "get", "patch"]},
        {"apiGroups": [""], "resources": ["secrets"], "verbs": ["create", "patch"]},
        {"apiGroups": [""], "resources": ["configmaps"], "verbs": ["get"]},
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


def _pod() -> dict[str, Any]:
    mounts = [
        {"name": "home", "mountPath": _HOME},
        {"name": "dags", "mountPath": "/dags", "readOnly": True},
        {"name": "drivers", "mountPath": "/drivers", "readOnly": True},
    ]
    base = {"image": IMAGE, "env": _environment(), "securityContext": restricted(50000), "volumeMounts": mounts}

    def airflow(name: str, *words: str, **more: Any) -> dict[str, Any]:
        return base | {"name": name, "command": ["python", "-m", "airflow", name, *words]} | more

    ready = {"tcpSocket": {"port": PORT}, "periodSeconds": 1, "failureThreshold": 3}
    return {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {"name": "airflow", "labels": {"app": "airflow"}},
        "spec": {
            "serviceAccountName": ACCOUNT,
            "terminationGracePeriodSeconds": 1,
            "initContainers": [base | {"name": "prepare", "command": ["python", "-c", _PREPARE]}],
            "containers": [
                airflow("api-server", "--workers", "1", readinessProbe=ready),
                airflow("scheduler"),
                airflow("triggerer"),
            ],
            "volumes": [
                {"name": "home", "emptyDir": {}},
                {"name": "dags", "configMap": {"name": "dags"}},
                {"name": "drivers", "configMap": {"name": "drivers"}},
            ],
        },
    }


def _environment() -> list[dict[str, str]]:
    bundle = {
        "name": "tests",
        "classpath": "airflow.dag_processing.bundles.local.LocalDagBundle",
        "kwargs": {"path": f"{_HOME}/dags"},
    }
    settings = {
        "CORE__EXECUTOR": "taskruns.TaskRuns",
        "CORE__PARALLELISM": "8",
        "CORE__LOAD_EXAMPLES": "False",
        "CORE__DAGS_ARE_PAUSED_AT_CREATION": "False",
        "CORE__FERNET_KEY": "cGVlci1wZWVyLXBlZXItcGVlci1wZWVyLXBlZXItMTI=",
        "CORE__SIMPLE_AUTH_MANAGER_ALL_ADMINS": "True",
        "API__PORT": str(PORT),
        "API__SECRET_KEY": secrets.token_hex(32),
        "API_AUTH__JWT_SECRET": secrets.token_hex(64),
        "DATABASE__SQL_ALCHEMY_CONN": f"sqlite:///{_HOME}/airflow.db",
        "DAG_PROCESSOR__DAG_BUNDLE_CONFIG_LIST": json.dumps([bundle]),
        "SCHEDULER__SCHEDULER_IDLE_SLEEP_TIME": "0.5",
        "SCHEDULER__SCHEDULER_HEARTBEAT_SEC": "1",
        "TRIGGERER__JOB_HEARTBEAT_SEC": "1",
        "USAGE_DATA_COLLECTION__ENABLED": "False",
    }
    own = {
        "AIRFLOW_HOME": _HOME,
        "HOME": _HOME,
        "PYTHONPATH": "/drivers",
        "DAGS_CONFIG_MAP": "dags",
        "RUNNER_IMAGE": IMAGE,
        "TOKEN_SECONDS": str(TOKEN_SECONDS),
    }
    named = own | {f"AIRFLOW__{name}": value for name, value in settings.items()}
    return [{"name": name, "value": value} for name, value in named.items()]
