"""Airflow's own runner in an image of Airflow's, with tokens that a real Airflow mints and an executor brings."""

import base64
import json
import time

import pytest
from kube.airflow import IMAGE, LEEWAY_SECONDS, TOKEN_SECONDS
from kube.taskruns import finished, outcome, reason, status

pytestmark = pytest.mark.timeout(500)
LATE_IMAGE = "localhost:5000/test-late:0.1.0"
LABEL = "airlock.dev/test-later"


@pytest.fixture(scope="module", autouse=True)
def queued(airflow, hooks):
    """Two that wait longer than their first token lives, for a node and for their image: their names, and that token."""
    node = hooks.nodes()[0]
    airflow.trigger("late_by_node", "late-by-node", pod={"nodeSelector": {LABEL: "yes"}})
    airflow.trigger("late_by_image", "late-by-image", image=LATE_IMAGE)
    names, tokens = {}, {}
    for dag in ("late_by_node", "late_by_image"):
        airflow.until(lambda dag=dag: airflow.taskruns(dag), 30, f"TaskRun of {dag}")
        names[dag] = airflow.taskruns(dag)[0]["metadata"]["name"]
        secret = airflow.team.wait("secret", f"airlock-token-{names[dag]}", lambda secret: secret, 10)
        tokens[dag] = base64.b64decode(secret["data"]["token"]).decode()
    airflow.team.wait("taskrun", names["late_by_node"], lambda run: reason(run) == "Unschedulable", 20)
    airflow.team.wait("taskrun", names["late_by_image"], lambda run: reason(run) == "ImagePull", 30)
    yield names, tokens, time.monotonic()
    airflow.team("label", "node", node, f"{LABEL}-")
    hooks.node_exec("ctr", "-n", "k8s.io", "images", "rm", LATE_IMAGE, check=False)


@pytest.fixture(scope="module")
def late(queued, airflow, hooks):
    """The same after they have got what they waited for. The tests above ran meanwhile."""
    names, tokens, since = queued
    time.sleep(max(0, since + TOKEN_SECONDS + LEEWAY_SECONDS + 2 - time.monotonic()))
    airflow.team("label", "node", hooks.nodes()[0], f"{LABEL}=yes")
    hooks.node_exec("ctr", "-n", "k8s.io", "images", "tag", "--force", IMAGE, LATE_IMAGE)
    for dag in names:
        airflow.ended(dag, dag.replace("_", "-"), 240)
    return names, tokens


def test_a_dag_of_a_real_airflow_runs_in_its_own_image(airflow):
    airflow.variable("greeting", "good day")
    airflow.trigger("modes", "once", {"n": 3})

    assert "success" == airflow.ended("modes", "once", 120)
    assert {"asked": {"n": 3}, "greeting": "good day"} == airflow.result("modes", "once", "first")
    assert "good day, again" == airflow.result("modes", "once", "second")
    runs = airflow.ended_taskruns("modes")
    assert [("success", "Succeeded", 1, 1)] * 2 == [outcome(run) for run in runs]
    assert ["airflow", "Secret"] == [runs[0]["spec"][field] for field in ("runner", "token")]


def test_nothing_of_airlocks_own_token_is_in_such_a_pod(airflow):
    name = airflow.taskruns("modes")[0]["metadata"]["name"]
    pod = airflow.team.get("pod", f"{name}-1")
    volumes = {each["name"]: each for each in pod["spec"]["volumes"]}

    assert f"airlock-token-{name}" == volumes["airlock-token"]["secret"]["secretName"]
    assert [] == [each for each in volumes.values() if "projected" in each]
    mounts = {
        each["name"]: [mount["name"] for mount in each.get("volumeMounts", [])]
        for each in [*pod["spec"]["initContainers"], *pod["spec"]["containers"]]
    }
    assert ["sidecar"] == [name for name, mounted in mounts.items() if "airlock-token" in mounted]


def test_the_secret_goes_with_its_taskrun(airflow):
    name = airflow.taskruns("modes")[0]["metadata"]["name"]
    airflow.team("delete", "taskrun", name, "--wait=true")

    airflow.team.wait("secret", f"airlock-token-{name}", lambda secret: not secret, 30)


def test_only_the_executors_account_may_name_a_task_instance(airflow):
    (run, *_) = airflow.taskruns("modes")
    copy = {"apiVersion": run["apiVersion"], "kind": "TaskRun", "metadata": {"name": "copied"}, "spec": run["spec"]}
    said = airflow.team.as_user("--as=system:serviceaccount:default:somebody", "--as-group=system:masters")(
        "create", "-f", "-", stdin=json.dumps(copy), check=False
    )

    assert "spec.taskInstanceId: only a scheduler of this namespace may name a task instance" in said


@pytest.mark.parametrize("dag", ["late_by_node", "late_by_image"])
def test_a_wait_longer_than_the_tokens_life_still_succeeds(airflow, late, dag):
    names, tokens = late
    run = finished(airflow.team, names[dag])

    assert ("success", "Succeeded", 1, 1) == outcome(run)
    assert "success" == airflow.state(dag, dag.replace("_", "-"), "late")
    # The token that it was queued with would not have done: Airflow itself refuses it, whatever it is asked.
    assert 403 == refused_by_airflow(airflow, tokens[dag], run["spec"]["taskInstanceId"])
    assert TOKEN_SECONDS < status(run)["timeline"]["serverSaidRun"]


def refused_by_airflow(airflow, token, ti_id):
    """The status that its Execution API answers `/run` with."""
    ask = f"""
import json, urllib.error, urllib.request
body = {{"state": "running", "hostname": "h", "unixname": "u", "pid": 1, "start_date": "2026-01-01T00:00:00Z"}}
request = urllib.request.Request("http://127.0.0.1:8080/execution/task-instances/{ti_id}/run", method="PATCH",
    data=json.dumps(body).encode(), headers={{"Content-Type": "application/json", "Authorization": "Bearer {token}"}})
try:
    print(urllib.request.urlopen(request).status)
except urllib.error.HTTPError as e:
    print(e.code)
"""
    return int(airflow.team("exec", "airflow", "-c", "api-server", "--", "python", "-c", ask))
