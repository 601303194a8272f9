"""
User code starts once for each attempt that may start it, its state is written once, and each attempt has one pod:
whatever dies, goes away or comes back meanwhile. The witnesses are not our code (tests/kube/witness.py).
"""

import concurrent.futures
import contextlib
import json
import time

import pytest
from kube.processes import kill
from kube.taskruns import dag_id, finished, outcome, reason, status, taskrun
from kube.witness import START, pods_created, query

from cluster.commands import CommandError

pytestmark = pytest.mark.timeout(400)


def long(seconds):
    """User code that says that it began, and then does what tasks do for so many seconds."""
    return f"""
{START}
ends = time.monotonic() + {seconds}
while time.monotonic() < ends:
    print("working")
    ti.xcom_push(key="at", value=ends)
    time.sleep(0.5)
return "done"
"""


def state_writes(system, name):
    """Every state that the server accepted for a TaskRun's task instances, in order."""
    rows = query(
        system,
        "SELECT to_state FROM state_write WHERE ti_id IN (SELECT id FROM task_instance WHERE dag_id = ?1 UNION "
        "SELECT id FROM task_instance_history WHERE dag_id = ?1) ORDER BY id",
        dag_id(name),
    )
    return [row[0] for row in rows]


@pytest.fixture
def settle(team, system, witness, hooks):
    """What the witnesses saw of a TaskRun that is over: its outcome, starts, final states written, pods made."""

    def seen(name, seconds=120):
        run = finished(team, name, seconds)
        final = [state for state in state_writes(system, name) if state not in ("queued", "running")]
        pods = [pod for pod in pods_created(hooks.audit_log(), team.namespace) if pod.rsplit("-", 1)[0] == name]
        return outcome(run), len(witness.starts(name)), final, pods

    return seen


def running(team, witness, name, **spec):
    team.apply(taskrun(name, **spec))
    witness.wait_for_starts(name)
    team.wait("taskrun", name, lambda run: reason(run) == "Running", 20)


def test_nothing_happens(team, witness, settle):
    team.apply(taskrun("plain", long(1)))

    assert (("success", "Succeeded", 1, 1), 1, ["success"], ["plain-1"]) == settle("plain")


def test_the_sidecar_is_killed(team, witness, hooks, settle):
    running(team, witness, "sidecar-killed", body=long(6))
    kill(hooks, team, "sidecar-killed-1", "sidecar")

    assert (("success", "Succeeded", 1, 1), 1, ["success"], ["sidecar-killed-1"]) == settle("sidecar-killed")


@pytest.mark.parametrize(
    ("spec", "expected", "starts", "written"),
    [
        ({}, ("failed", "PodDeleted", 1, 1), 1, ["failed"]),
        ({"retries": 1}, ("success", "Succeeded", 1, 2), 2, ["success"]),
        ({"rerunAfterStart": True}, ("success", "Succeeded", 1, 2), 2, ["success"]),
    ],
    ids=["once", "retries", "opted-in"],
)
def test_the_pod_is_deleted(team, witness, settle, spec, expected, starts, written, request):
    name = f"deleted-{request.node.callspec.id}"
    running(team, witness, name, body=long(6), gracePeriod="5s", **spec)
    team("delete", "pod", f"{name}-1", "--wait=false")
    pods = [f"{name}-{number}" for number in range(1, expected[3] + 1)]

    seen = settle(name)

    assert (expected, starts, pods) == (seen[0], seen[1], seen[3])


@pytest.mark.parametrize(
    ("spec", "expected", "starts"),
    [
        ({"retries": 0}, ("failed", "Evicted", 1, 1), 1),
        ({"retries": 1}, ("success", "Succeeded", 1, 2), 2),
        ({"rerunAfterStart": True}, ("success", "Succeeded", 1, 2), 2),
    ],
    ids=["once", "retries", "opted-in"],
)
def test_the_pod_is_evicted(team, witness, settle, spec, expected, starts, request):
    name = f"evicted-{request.node.callspec.id}"
    running(team, witness, name, body=long(6), gracePeriod="5s", **spec)
    eviction = {"apiVersion": "policy/v1", "kind": "Eviction", "metadata": {"name": f"{name}-1"}}
    path = f"/api/v1/namespaces/{team.namespace}/pods/{name}-1/eviction"
    team("create", "--raw", path, "-f", "-", stdin=json.dumps(eviction))
    pods = [f"{name}-{number}" for number in range(1, expected[3] + 1)]

    seen = settle(name)

    assert (expected, starts, pods) == (seen[0], seen[1], seen[3])


def test_a_pod_that_is_evicted_before_user_code_began_is_made_again_whatever_retries_say(team, witness, settle):
    """A pod that cannot be scheduled is deleted: nothing began, so the next attempt costs nothing."""
    team.apply(taskrun("not-begun", long(1), pod={"nodeSelector": {"no-such": "node"}}, pendingTimeout="60s"))
    team.wait("taskrun", "not-begun", lambda run: reason(run) == "Unschedulable", 10)
    team("delete", "pod", "not-begun-1", "--wait=false")
    run = team.wait("taskrun", "not-begun", lambda run: status(run).get("attempt") == 2, 10)

    assert (1, 1) == (status(run)["try"], status(run)["infraReruns"])
    team("patch", "taskrun", "not-begun", "--type=merge", "-p", '{"spec":{"cancel":true}}')
    assert (("failed", "Cancelled", 1, 2), 0) == settle("not-begun")[:2]


def test_user_code_takes_all_the_memory(team, witness, settle):
    hog = START + "\nkept = []\nwhile True:\n    kept.append(bytearray(b'x') * 1_000_000)\n"
    limits = {"resources": {"limits": {"memory": "64Mi"}}}
    team.apply(taskrun("hog", hog, retries=1, pod=limits))

    assert (("failed", "OOMKilled", 2, 2), 2, ["up_for_retry", "failed"], ["hog-1", "hog-2"]) == settle("hog")


@pytest.mark.alone
def test_the_kubelet_is_away_for_a_while(team, witness, hooks, settle):
    running(team, witness, "kubelet-away", body=long(12))
    with hooks.stopped("kubelet"):
        time.sleep(8)

    assert (("success", "Succeeded", 1, 1), 1, ["success"], ["kubelet-away-1"]) == settle("kubelet-away")


@pytest.mark.alone
def test_the_api_server_is_restarted(team, cluster, witness, hooks, settle):
    running(team, witness, "api-restarted", body=long(10))
    hooks.restart("apiserver")
    wait_for_api(cluster)

    assert (("success", "Succeeded", 1, 1), 1, ["success"], ["api-restarted-1"]) == settle("api-restarted")


def wait_for_api(cluster):
    ends = time.monotonic() + 60
    while "ok" not in cluster("get", "--raw", "/readyz", check=False):
        assert time.monotonic() < ends
        time.sleep(0.5)


@pytest.mark.alone
def test_the_leaders_watch_is_frozen(team, system, witness, hooks, settle):
    """No packet between the leading operator and the API server, and no connection closed: the other one takes over."""
    leader = system.get("lease", "airlock-operator")["spec"]["holderIdentity"]
    running(team, witness, "frozen-before", body=long(8))
    with hooks.dropped_packets(f"pod/{system.namespace}/{leader}", "apiserver"):
        team.apply(taskrun("frozen-during", long(1)))
        seen = {name: settle(name) for name in ("frozen-before", "frozen-during")}
        follower = system.get("lease", "airlock-operator")["spec"]["holderIdentity"]
    # It comes back with old news and an old belief, while the other leads.
    team.apply(taskrun("frozen-after", long(1)))
    seen["frozen-after"] = settle("frozen-after")

    assert leader != follower
    assert {name: (("success", "Succeeded", 1, 1), 1, ["success"], [f"{name}-1"]) for name in seen} == seen


@pytest.mark.alone
def test_the_server_is_away_for_a_minute(team, system, witness, settle):
    running(team, witness, "server-away", body=long(5))
    system("scale", "deployment/airlock-server", "--replicas=0")
    system("wait", "--for=delete", "pod", "-l", "app.kubernetes.io/component=server", "--timeout=60s", seconds=70)
    time.sleep(60)
    system("scale", "deployment/airlock-server", "--replicas=1")
    system("rollout", "status", "deployment/airlock-server", "--timeout=90s", seconds=100)

    assert (("success", "Succeeded", 1, 1), 1, ["success"], ["server-away-1"]) == settle("server-away", 180)


@pytest.mark.alone
def test_an_operator_is_killed_again_and_again(team, system, witness, hooks, settle):
    """At whatever step it is: every half second, the one that leads, while twelve TaskRuns come and go."""
    names = [f"killed-{number}" for number in range(12)]
    team.apply([taskrun(name, long(1)) for name in names])
    ends = time.monotonic() + 12
    while time.monotonic() < ends:
        lease = system.get("lease", "airlock-operator")
        leader = lease["spec"]["holderIdentity"]
        if leader and system.get("pod", leader):
            # It may be on its way down or up already.
            with contextlib.suppress(AssertionError, KeyError, CommandError):
                kill(hooks, system, leader, "operator")
        time.sleep(0.5)
    with concurrent.futures.ThreadPoolExecutor(2) as pool:
        seen = dict(zip(names, pool.map(lambda name: settle(name, 180), names), strict=True))

    assert {name: (("success", "Succeeded", 1, 1), 1, ["success"], [f"{name}-1"]) for name in names} == seen
