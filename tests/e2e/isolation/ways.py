"""
The searching and the probing task in a pod: as a kubectl-made TaskRun with our runner and a token by exchange, and as a
task of a real Airflow, in its own runner and with the token in a Secret. The live tokens are read from the node, where
user code cannot be.
"""

import base64
import hashlib
import json
import re
import time
from pathlib import Path
from typing import ClassVar

from kube.objects import config_map
from kube.processes import process_id
from kube.taskruns import RUNNER_IMAGE, SESSION, dag_id, finished, outcome
from kube.witness import query

HERE = Path(__file__).parent
JWT = re.compile(r"eyJ[\w-]+\.[\w-]+\.[\w-]+")
SEARCH = HERE.parents[1] / "component/isolation/dags/search.py"
OURS, AIRFLOWS = "airlock.sdk", "airflow.sdk"


def dag_files(sdk):
    """The DAG files' texts by name, their DAGs of this session, for one of the two SDKs."""
    return {
        path.name: path.read_text()
        .replace(f'DAG("{path.stem}")', f'DAG("{dag_id(path.stem)}")')
        .replace(f"from {OURS} import", f"from {sdk} import")
        for path in (SEARCH, HERE / "dags/probe.py")
    }


def fingerprint(token):
    return {"sha256": hashlib.sha256(token).hexdigest(), "length": len(token)}


class Isolation:
    """What both ways have in common. ``team`` is the namespace of the pods."""

    #: More of what the probing task is asked to try.
    conf: ClassVar = {}

    def __init__(self, team, hooks):
        self.team, self.hooks = team, hooks

    def launch(self, name, task, conf, pod):
        """Runs a task; ``name`` is the DAG run's id too, and ``pod`` what its TaskRun says of the pod."""
        raise NotImplementedError

    def pod(self, name):
        """The name of its pod, once there is one."""
        raise NotImplementedError

    def tell(self, key, value):
        """Sets a variable that user code waits for."""
        raise NotImplementedError

    def result(self, name, task):
        """What the task returned, once it is over."""
        raise NotImplementedError

    def probed(self):
        self.launch("probe", "probe", self.conf | {"server": "airlock-server.airlock-system.svc", "port": 8443}, {})
        return self.result("probe", "probe")

    def search(self, name, *, planted=b"", canary=b"", **pod):
        """The report of user code that looks for the live tokens and a canary everywhere it can."""
        # Of this session, as the DAGs are: user code would take an earlier session's list for its own.
        variable = f"wanted-{SESSION}-{name}"
        conf = {"since": time.time() - 1, "planted": bytes(b ^ 1 for b in planted).hex(), "wanted": variable}
        self.launch(name, "search", conf, pod)
        live = self.live_tokens(self.pod(name))
        wanted = [fingerprint(token) for token in (*live, canary) if token]
        self.tell(variable, json.dumps(wanted))
        return self.result(name, "search"), [entry["sha256"] for entry in wanted]

    def live_tokens(self, pod):
        """The mounted token and the task's, as the node's root reads them in the sidecar's container."""
        self.team.wait("pod", pod, _runs, 90)
        ends = time.monotonic() + 40
        pid = process_id(self.hooks, self.team, pod, "sidecar")
        while True:
            # Not by /var/run, which is a link and would lead out of the container.
            mine = self._read(pid, "/run/airlock/token").strip()
            state = self._read(pid, "/airlock/state/state")
            found = set(JWT.findall(state))
            if mine and found - {mine}:
                return [token.encode() for token in sorted({mine} | found)]
            assert time.monotonic() < ends, f"no token in the sidecar's state: {len(state)} bytes"
            time.sleep(0.2)

    def _read(self, pid, path):
        # By what every node has; a token is found among other bytes.
        done = self.hooks.node_exec("base64", f"/proc/{pid}/root{path}", check=False)
        return base64.b64decode(done.stdout).replace(b"\0", b"").decode("utf-8", "replace")


class OfOurs(Isolation):
    """A kubectl-made TaskRun, and our server."""

    def __init__(self, team, hooks, system):
        super().__init__(team, hooks)
        self.system = system
        team.apply(config_map("dags", dag_files(OURS)))
        self._airlock("grants", "add", "variable", "wanted*", "--namespace", team.namespace)

    def _airlock(self, *words):
        return self.system("exec", "deploy/airlock-server", "--", "airlock", *words)

    def launch(self, name, task, conf, pod):
        volumes = [{"name": "dags", "configMap": {"name": "dags"}}, *pod.get("volumes", [])]
        mounts = [{"name": "dags", "mountPath": "/dags"}, *pod.get("volumeMounts", [])]
        spec = {
            "dagId": dag_id(task), "taskId": task, "image": RUNNER_IMAGE, "runId": name, "conf": conf, "file": f"{task}.py",
            "bundle": {"name": "tests", "path": "/dags"}, "executionTimeout": "3m",
            "pod": pod | {"volumes": volumes, "volumeMounts": mounts},
        }  # fmt: skip
        made = {"apiVersion": "airlock.dev/v1alpha1", "kind": "TaskRun", "metadata": {"name": name}, "spec": spec}
        self.team.apply(made)

    def pod(self, name):
        return f"{name}-1"

    def tell(self, key, value):
        self._airlock("variables", "set", key, value)

    def result(self, name, task):
        run = finished(self.team, name, 240)
        assert ("success", "Succeeded") == outcome(run)[:2], self.team("logs", f"{name}-1")
        # By the DAG too: its id is this session's own, and an earlier session's reports may still be there.
        sql = (
            "SELECT CAST(value AS TEXT) FROM xcom WHERE dag_id = ?1 AND run_id LIKE '%/' || ?2 AND key = 'return_value'"
        )
        rows = query(self.system, sql, dag_id(task), name)
        return json.loads(rows[0][0])


class OfAirflows(Isolation):
    """A task of a real Airflow."""

    def __init__(self, airflow, hooks):
        super().__init__(airflow.team, hooks)
        self.airflow = airflow
        self.conf = {"airflow": airflow.api_url}

    def launch(self, name, task, conf, pod):
        self.airflow.trigger(dag_id(task), name, conf, **({"pod": pod} if pod else {}))

    def pod(self, name):
        def found():
            runs = [*self.airflow.taskruns(dag_id("search")), *self.airflow.taskruns(dag_id("probe"))]
            return [run["metadata"]["name"] for run in runs if run["spec"]["runId"] == name]

        self.airflow.until(found, 60, f"TaskRun of {name}")
        return f"{found()[0]}-1"

    def tell(self, key, value):
        self.airflow.variable(key, value)

    def result(self, name, task):
        ended = self.airflow.ended(dag_id(task), name, 240)
        assert "success" == ended, self.team("logs", self.pod(name))
        return self.airflow.result(dag_id(task), name, task)


def _runs(pod):
    statuses = pod.get("status", {}).get("containerStatuses", [])
    return bool(statuses) and "running" in statuses[0].get("state", {})
