"""DAG files in a ConfigMap, and the live tokens of a launch, read from the node where user code cannot be."""

import hashlib
import json
import re
import time
from pathlib import Path

import pytest
from kube.processes import process_id
from kube.taskruns import RUNNER_IMAGE, SESSION, dag_id, finished, outcome
from kube.witness import query

HERE = Path(__file__).parent
JWT = re.compile(r"eyJ[\w-]+\.[\w-]+\.[\w-]+")
SEARCH = HERE.parents[1] / "component/isolation/dags/search.py"


def fingerprint(token):
    return {"sha256": hashlib.sha256(token).hexdigest(), "length": len(token)}


class Isolation:
    """Runs the searching and the probing task in pods of one namespace."""

    def __init__(self, team, system, hooks):
        self.team, self.system, self.hooks = team, system, hooks
        files = {
            path.name: path.read_text().replace(f'DAG("{path.stem}")', f'DAG("{dag_id(path.stem)}")')
            for path in (SEARCH, HERE / "dags/probe.py")
        }
        team.apply({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "dags"}, "data": files})
        self.airlock("grants", "add", "variable", "wanted*", "--namespace", team.namespace)

    def airlock(self, *words):
        return self.system("exec", "deploy/airlock-server", "--", "airlock", *words)

    def taskrun(self, name, task, conf, **pod):
        volumes = [{"name": "dags", "configMap": {"name": "dags"}}, *pod.pop("volumes", [])]
        mounts = [{"name": "dags", "mountPath": "/dags"}, *pod.pop("volumeMounts", [])]
        spec = {
            "dagId": dag_id(task), "taskId": task, "image": RUNNER_IMAGE, "runId": name, "conf": conf, "file": f"{task}.py",
            "bundle": {"name": "tests", "path": "/dags"}, "executionTimeout": "3m",
            "pod": {"volumes": volumes, "volumeMounts": mounts} | pod,
        }  # fmt: skip
        made = {"apiVersion": "airlock.dev/v1alpha1", "kind": "TaskRun", "metadata": {"name": name}, "spec": spec}
        self.team.apply(made)

    def result(self, name):
        run = finished(self.team, name, 240)
        assert outcome(run)[:2] == ("success", "Succeeded"), self.team("logs", f"{name}-1")
        # By the DAG too: its id is this session's own, and an earlier session's reports may still be there.
        sql = "SELECT CAST(value AS TEXT) FROM xcom WHERE dag_id = ?1 AND run_id = ?2 AND key = 'return_value'"
        rows = query(self.system, sql, run["spec"]["dagId"], name)
        return json.loads(rows[0][0])

    def live_tokens(self, name):
        """The pod's own token and the task's, as the node's root reads them in the sidecar's container."""
        ends = time.monotonic() + 40
        pid = process_id(self.hooks, self.team, f"{name}-1", "sidecar")
        while True:
            # Not by /var/run, which is a link and would lead out of the container.
            mine = self._read(pid, "/run/airlock/token").strip()
            state = self._read(pid, "/airlock/state/state")
            found = set(JWT.findall(state))
            if mine and found:
                return [mine.encode(), *(token.encode() for token in found)]
            assert time.monotonic() < ends, f"no token in the sidecar's state: {len(state)} bytes"
            time.sleep(0.2)

    def _read(self, pid, path):
        done = self.hooks.node_exec("sh", "-c", f"tr -d '\\000' < /proc/{pid}/root{path} | strings -n 20", check=False)
        return done.stdout

    def search(self, name, *, planted=b"", canary=b"", **pod):
        """The report of user code that looks for the live tokens and a canary everywhere it can."""
        # Of this session, as the DAGs are: user code would take an earlier session's list for its own.
        variable = f"wanted-{SESSION}-{name}"
        conf = {"since": time.time() - 1, "planted": bytes(b ^ 1 for b in planted).hex(), "wanted": variable}
        self.taskrun(name, "search", conf, **pod)
        self.team.wait("pod", f"{name}-1", self._runs, 60)
        live = self.live_tokens(name)
        wanted = [fingerprint(token) for token in (*live, canary) if token]
        self.airlock("variables", "set", variable, json.dumps(wanted))
        return self.result(name), [entry["sha256"] for entry in wanted]

    @staticmethod
    def _runs(pod):
        statuses = pod.get("status", {}).get("containerStatuses", [])
        return bool(statuses) and "running" in statuses[0].get("state", {})


@pytest.fixture(scope="module")
def isolation(team, system, hooks):
    return Isolation(team, system, hooks)
