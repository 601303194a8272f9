"""What a TaskRun leaves to its task, and tasks that are stopped and answer as if nothing had been."""

import json

import pytest
from kube.kubectl import Refused
from kube.taskruns import finished, outcome, reason, taskrun

pytestmark = pytest.mark.timeout(300)

#: on_kill ends the wait, and the task returns as if it had done its work.
RETURNS = {
    "source": {
        "inline": """
import time
from airlock.sdk import DAG, task
gone = []
with DAG("{dag}"):
    @task(on_kill=lambda: gone.append("remote job deleted"))
    def work():
        print("waiting", flush=True)
        while not gone:
            time.sleep(0.1)
        return "done"
    work()
"""
    }
}


def stoppable(name, **spec):
    run = taskrun(name, **spec)
    run["spec"]["source"] = {"inline": RETURNS["source"]["inline"].format(dag=run["spec"]["dagId"])}
    return run


def waiting(team, name, **spec):
    team.apply(stoppable(name, **spec))
    team.wait("taskrun", name, lambda run: reason(run) == "Running", 60)
    team.wait("pod", f"{name}-1", lambda _: "waiting" in team("logs", f"{name}-1"), 30)


def test_a_task_that_is_cancelled_and_returns_is_cancelled(team):
    waiting(team, "returns-cancelled", retries=1)
    team("patch", "taskrun", "returns-cancelled", "--type=merge", "-p", '{"spec":{"cancel":true}}')

    assert ("failed", "Cancelled") == outcome(finished(team, "returns-cancelled"))[:2]


def evict(team, pod):
    eviction = {"apiVersion": "policy/v1", "kind": "Eviction", "metadata": {"name": pod}}
    path = f"/api/v1/namespaces/{team.namespace}/pods/{pod}/eviction"
    team("create", "--raw", path, "-f", "-", stdin=json.dumps(eviction))


def test_a_task_that_is_evicted_and_returns_is_evicted(team):
    waiting(team, "returns-evicted")
    evict(team, "returns-evicted-1")

    assert ("failed", "Evicted") == outcome(finished(team, "returns-evicted"))[:2]


def test_the_options_of_the_task_count_where_the_taskrun_says_nothing(team):
    run = taskrun("options")
    run["spec"]["source"] = {
        "inline": f"""
import time
from airlock.sdk import DAG, task
with DAG("{run["spec"]["dagId"]}"):
    @task(retries=1, retry_delay=1, execution_timeout=4)
    def work(ti):
        if ti.try_number < 2:
            raise RuntimeError("first")
        time.sleep(30)
    work()
"""
    }
    team.apply(run)
    ended = finished(team, "options")
    status = ended["status"]

    assert ("failed", "TimedOut", 2) == outcome(ended)[:3]
    assert {
        "retries": {"value": "1", "from": "Task"},
        "retryDelay": {"value": "1s", "from": "Task"},
        "executionTimeout": {"value": "4s", "from": "Task"},
    } == status["options"]
    assert "execution_timeout of 4 s" in status["message"]


def test_no_eviction_ends_a_running_task_where_the_administrator_says_so(team, install):
    value = f"runner.disruptionBudget.namespaces={{{team.namespace}}}"
    team.apply(install.helm("template", "airlock", "charts/airlock", "-s", "templates/disruption.yaml", "--set", value))
    try:
        waiting(team, "stays")
        team.wait("pdb", "airlock-taskruns", lambda pdb: pdb["status"].get("currentHealthy", 0) > 0, 30)
        with pytest.raises(Refused, match="disruption budget"):
            evict(team, "stays-1")
        assert "Running" == reason(team.get("taskrun", "stays"))
    finally:
        team("delete", "pdb", "airlock-taskruns", "--ignore-not-found")
    evict(team, "stays-1")

    assert ("failed", "Evicted") == outcome(finished(team, "stays"))[:2]


def test_a_pod_that_has_ended_leaves_its_claim_to_the_next_task_and_its_taskrun_to_whoever_deletes_the_claim(team):
    spec = {"accessModes": ["ReadWriteOncePod"], "resources": {"requests": {"storage": "1Mi"}}}
    claim = {"apiVersion": "v1", "kind": "PersistentVolumeClaim", "metadata": {"name": "reports"}, "spec": spec}
    mounted = {
        "volumes": [{"name": "reports", "persistentVolumeClaim": {"claimName": "reports"}}],
        "volumeMounts": [{"name": "reports", "mountPath": "/reports"}],
    }
    team.apply(claim)
    ended = []
    for name, body in (("writes", "open('/reports/a', 'w').write('1')"), ("reads", "assert open('/reports/a').read()")):
        team.apply(taskrun(name, body, pod=mounted))
        ended.append(outcome(finished(team, name)))
    # Kubernetes keeps a claim as long as a pod names it, also one that has ended.
    team("delete", "pvc", "reports", "--wait=false")
    assert team.get("pvc", "reports")
    team("delete", "taskrun", "writes", "reads")
    team("wait", "--for=delete", "pvc/reports", "--timeout=60s", seconds=70)

    assert [("success", "Succeeded", 1, 1)] * 2 == ended
