"""
A TaskRun ends as its task did: also where another's container never ends, where its pod went while nobody watched, and
where the server is away. What `kubectl get taskruns` said and when is printed.
"""

import json
import time

import pytest
from kube.story import Story
from kube.taskruns import conditions, finished, outcome, over, reason, status, taskrun

pytestmark = pytest.mark.timeout(400)


@pytest.mark.alone
@pytest.mark.parametrize(
    ("body", "expected"),
    [
        ("print('done')", ("success", "Succeeded", 1, 1)),
        pytest.param("raise ValueError('no')", ("failed", "Failed", 1, 1), marks=pytest.mark.soak),
    ],
    ids=["success", "failed"],
)
def test_a_pod_that_went_while_the_operator_was_away_ended_as_the_server_says(team, system, body, expected, request):
    name = f"unseen-{request.node.callspec.id}"
    team.apply(taskrun(name, f"time.sleep(6)\n{body}"))
    team.wait("taskrun", name, lambda run: reason(run) == "Running", 60)
    system("scale", "deployment/airlock-operator", "--replicas=0")
    system("wait", "--for=delete", "pod", "-l", "app.kubernetes.io/component=operator", "--timeout=60s", seconds=70)
    try:
        team.wait("pod", f"{name}-1", lambda pod: pod["status"]["phase"] in ("Succeeded", "Failed"), 60)
        team("delete", "pod", f"{name}-1", "--grace-period=0", "--force")
    finally:
        system("scale", "deployment/airlock-operator", "--replicas=2")

    assert expected == outcome(Story(team, name).until(over, 120))


@pytest.mark.alone
def test_a_taskrun_says_that_the_server_is_away_and_loses_none_of_its_time(team, system):
    """A limit of ten seconds, and a server that is away for half a minute while the task waits for it."""
    body = "time.sleep(3)\nfor n in range(40):\n    ti.xcom_push(key='n', value=n)\n    time.sleep(0.1)"
    team.apply(taskrun("server-away", body, executionTimeout="10s"))
    team.wait("taskrun", "server-away", lambda run: reason(run) == "Running", 60)
    story = Story(team, "server-away")
    system("scale", "deployment/airlock-server", "--replicas=0")
    try:
        run = story.until(lambda run: reason(run) == "ServerAway", 60)
        assert ("running", "False") == (status(run)["state"], conditions(run)["ServerReachable"])
        time.sleep(15)
    finally:
        system("scale", "deployment/airlock-server", "--replicas=1")
        system("rollout", "status", "deployment/airlock-server", "--timeout=90s", seconds=100)
    run = story.until(over, 120)

    assert ("success", "Succeeded", 1, 1) == outcome(run)


@pytest.mark.alone
def test_limits_hold_and_the_others_are_queued_in_words(team, install):
    with install.told(**{"operator.limits.maxActiveIn": {team.namespace: 2}}):
        names = [f"limited-{number}" for number in range(5)]
        team.apply([taskrun(name, "time.sleep(8)", priority=5 if name == "limited-4" else 0) for name in names])
        run = team.wait("taskrun", "limited-3", lambda run: reason(run) == "Queued", 40)
        active = [each for each in team.list("taskruns") if status(each).get("podRef") and not over(each)]
        ended = {name: finished(team, name, 120) for name in names}

    assert f"2 of 2 TaskRuns are under way in namespace {team.namespace}" in status(run)["message"]
    assert len(active) <= 2
    assert {"success"} == {status(each)["state"] for each in ended.values()}


# The policy may outlive its deletion by some seconds, so nothing comes after these.


@pytest.fixture
def meshed(cluster, team):
    """
    A mutating policy that adds a container to each pod of the namespace that never ends by itself, as a service mesh
    without native sidecars does.
    """
    container = {
        "name": "mesh",
        "image": "airlock/runner:0.1.0",
        "command": ["python", "-c", "import signal; signal.signal(15, lambda *_: exit()); signal.pause()"],
        "securityContext": {
            "allowPrivilegeEscalation": False, "runAsNonRoot": True, "runAsUser": 65534,
            "capabilities": {"drop": ["ALL"]}, "seccompProfile": {"type": "RuntimeDefault"},
        },
    }  # fmt: skip
    name = f"mesh-{team.namespace}"
    added = f'[JSONPatch{{op: "add", path: "/spec/containers/-", value: {_cel(container)}}}]'
    policy = {
        "apiVersion": "admissionregistration.k8s.io/v1",
        "kind": "MutatingAdmissionPolicy",
        "metadata": {"name": name},
        "spec": {
            "matchConstraints": {
                "namespaceSelector": {"matchLabels": {"kubernetes.io/metadata.name": team.namespace}},
                "resourceRules": [
                    {"apiGroups": [""], "apiVersions": ["v1"], "operations": ["CREATE"], "resources": ["pods"]}
                ],
            },
            "failurePolicy": "Fail",
            "reinvocationPolicy": "Never",
            "mutations": [{"patchType": "JSONPatch", "jsonPatch": {"expression": added}}],
        },
    }
    binding = {
        "apiVersion": "admissionregistration.k8s.io/v1",
        "kind": "MutatingAdmissionPolicyBinding",
        "metadata": {"name": name},
        "spec": {"policyName": name},
    }
    cluster.apply([policy, binding])
    time.sleep(3)
    yield
    cluster("delete", "mutatingadmissionpolicybinding", name)
    cluster("delete", "mutatingadmissionpolicy", name)


def _cel(value):
    """A value as CEL writes it inside of a JSONPatch."""
    if isinstance(value, dict):
        inner = ", ".join(f"{json.dumps(key)}: dyn({_cel(each)})" for key, each in value.items())
        return "{" + inner + "}"
    if isinstance(value, list):
        return "[" + ", ".join(_cel(each) for each in value) + "]"
    return json.dumps(value)


def test_a_container_of_others_that_never_ends_keeps_no_taskrun_from_its_success(team, meshed):
    team.apply(taskrun("meshed", "print('done')"))
    run = Story(team, "meshed").until(over, 90)
    pod = team.get("pod", "meshed-1")

    assert ("success", "Succeeded", 1, 1) == outcome(run)
    assert pod is None or "deletionTimestamp" in pod["metadata"] or pod["status"]["phase"] in ("Succeeded", "Failed")


@pytest.mark.soak
def test_a_task_of_such_a_pod_that_fails_has_failed(team, meshed):
    team.apply(taskrun("meshed-bad", "raise ValueError('no')"))

    assert ("failed", "Failed", 1, 1) == outcome(Story(team, "meshed-bad").until(over, 90))
