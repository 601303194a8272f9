"""What is lost while tasks of a real Airflow run: its scheduler, our operator, its API server, a pod, the room for one."""

import json
import os
import signal
import time

import pytest
from kube import operators, processes
from kube.witness import Witness

pytestmark = pytest.mark.timeout(900)
#: How many run at once, how long each takes, more than it takes to start all, and how long the API server is away.
LONG = bool(os.environ.get("AIRLOCK_SOAK"))
COUNT = 30 if LONG else 8
SLEEP_SECONDS = 150 if LONG else 25
AWAY_SECONDS = 300 if LONG else 30


def starts(airflow, run_id, dag_id="sleepers"):
    """Returns the numbers of the tasks whose user code began, once for each time."""
    mark = f"noted /{dag_id}/start/{run_id}/"
    lines = Witness(airflow.team).lines()
    return [int(line.removeprefix(mark).split("/")[0]) for line in lines if line.startswith(mark)]


def running(airflow, run_id, count=COUNT):
    airflow.trigger("sleepers", run_id, {"count": count, "seconds": SLEEP_SECONDS})
    airflow.until(lambda: len(starts(airflow, run_id)) == count, 240, f"{count} tasks that run")
    assert ("running", 1, count) in states(airflow, "sleepers", run_id)


def states(airflow, dag_id, run_id):
    sql = "SELECT state, try_number, count(*) FROM task_instance WHERE dag_id = %s AND run_id = %s GROUP BY 1, 2"
    return sorted(airflow.rows(sql, dag_id, run_id))


def ended(airflow, dag_id, run_id, seconds):
    sql = "SELECT state FROM dag_run WHERE dag_id = %s AND run_id = %s"
    over = ("success", "failed")
    airflow.until(lambda: airflow.rows(sql, dag_id, run_id)[0][0] in over, seconds, f"end of {dag_id}, {run_id}")
    return airflow.rows(sql, dag_id, run_id)[0][0]


def assert_each_ran_once(airflow, run_id, count=COUNT):
    assert "success" == ended(airflow, "sleepers", run_id, 400)
    assert list(range(count)) == sorted(starts(airflow, run_id))
    assert [("success", 1, count + 1)] == states(airflow, "sleepers", run_id)


def test_a_scheduler_that_was_killed_finds_its_taskruns_again_and_none_runs_twice(dropin, hooks):
    running(dropin, "scheduler-killed")
    processes.kill(hooks, dropin.team, "airflow", "scheduler")

    assert_each_ran_once(dropin, "scheduler-killed")


def test_an_operator_that_was_killed_changes_nothing_for_airflow(dropin, hooks, system):
    running(dropin, "operator-killed")
    processes.kill(hooks, system, operators.leader(system), "operator")

    assert_each_ran_once(dropin, "operator-killed")


def test_an_api_server_that_is_away_is_waited_for(dropin, hooks):
    running(dropin, "api-away")
    pid = str(processes.process_id(hooks, dropin.team, "airflow", "api-server"))
    children = hooks.node_exec("pgrep", "-P", pid, check=False).stdout.split()
    for each in (pid, *children):
        hooks.node_exec("kill", f"-{signal.SIGSTOP.value}", each)
    time.sleep(AWAY_SECONDS)
    for each in (*children, pid):
        hooks.node_exec("kill", f"-{signal.SIGCONT.value}", each)

    assert_each_ran_once(dropin, "api-away")


def test_an_end_that_comes_late_does_not_fail_the_launch_after_it(dropin, hooks, system):
    """The operator stands still from a launch's end until the next launch of the same try is there."""
    dropin.trigger("late_ends", "late")
    dropin.until(lambda: "deferred" in {state for state, _ in dropin.tasks("late_ends").values()}, 120, "deferral")
    pid = str(processes.process_id(hooks, system, operators.leader(system), "operator"))
    hooks.node_exec("kill", f"-{signal.SIGSTOP.value}", pid)
    try:
        dropin.until(lambda: len(dropin.taskruns("late_ends")) >= 3, 60, "next launch")
        time.sleep(10)
    finally:
        hooks.node_exec("kill", f"-{signal.SIGCONT.value}", pid)

    assert "success" == ended(dropin, "late_ends", "late", 300)
    assert {("success", 1)} == set(dropin.tasks("late_ends").values())


def test_an_evicted_task_runs_again_on_the_same_try(dropin):
    dropin.trigger("one_sleeper", "evicted", {"seconds": 15})
    dropin.until(lambda: starts(dropin, "evicted", "one_sleeper"), 120, "start")
    pod = f"{dropin.taskruns('one_sleeper')[-1]['metadata']['name']}-1"
    namespace = dropin.team.namespace
    eviction = {"apiVersion": "policy/v1", "kind": "Eviction", "metadata": {"name": pod, "namespace": namespace}}
    path = f"/api/v1/namespaces/{namespace}/pods/{pod}/eviction"
    dropin.team("create", "--raw", path, "-f", "-", stdin=json.dumps(eviction))

    assert "success" == ended(dropin, "one_sleeper", "evicted", 300)
    assert [("success", 1, 1)] == states(dropin, "one_sleeper", "evicted")
    assert [1, 1] == starts(dropin, "evicted", "one_sleeper")


@pytest.fixture
def full(dropin):
    """The namespace is full: no pod more. Removed by the test, or after it."""
    quota = {"apiVersion": "v1", "kind": "ResourceQuota", "metadata": {"name": "full"}, "spec": {"hard": {"pods": "1"}}}
    dropin.team.apply(quota)
    dropin.team.wait("resourcequota", "full", lambda found: (found.get("status") or {}).get("used"), 30)
    yield lambda: dropin.team("delete", "resourcequota", "full", "--ignore-not-found")
    dropin.team("delete", "resourcequota", "full", "--ignore-not-found")


def test_a_quota_that_blocks_a_task_does_not_fail_it_and_the_tasks_log_says_why(dropin, full):
    dropin.trigger("blocked", "blocked", {"seconds": 1})
    dropin.until(lambda: dropin.taskruns("blocked"), 60, "TaskRun")
    name = dropin.taskruns("blocked")[0]["metadata"]["name"]
    dropin.team.wait("taskrun", name, lambda run: (run.get("status") or {}).get("reason") == "QuotaExceeded", 30)
    events = "SELECT extra FROM log WHERE dag_id = 'blocked'"
    dropin.until(lambda: "QuotaExceeded" in str(dropin.rows(events)), 10, "reason in the task's event log")
    # Longer than Airflow's own sweep of what is stuck in queued takes here.
    time.sleep(60 if LONG else 25)
    between = states(dropin, "blocked", "blocked")
    full()

    assert [("queued", 1, 1)] == between
    assert "success" == ended(dropin, "blocked", "blocked", 200)
    assert [("success", 1, 1)] == states(dropin, "blocked", "blocked")
