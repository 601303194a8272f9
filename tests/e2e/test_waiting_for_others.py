"""A TaskRun that somebody else holds up: a queueing system by a scheduling gate, an API server that has too much to do."""

import csv
import json
import threading
import time

import pytest
from kube.kubectl import Refused
from kube.objects import restricted
from kube.taskruns import finished, outcome, reason, status, taskrun

SOON = 10
GATE = "airlock.dev/test-gate"
_ADMISSION = "admissionregistration.k8s.io/v1"
_FLOW = "flowcontrol.apiserver.k8s.io/v1"


def says(team, name, word):
    run = team.wait("taskrun", name, lambda run: reason(run) == word, SOON)
    return status(run)["message"]


@pytest.fixture
def gated(team):
    """Every pod of the namespace comes with a scheduling gate, as Kueue gives them."""
    name = f"gate-{team.namespace}"
    gate = f'Object{{spec: Object.spec{{schedulingGates: [Object.spec.schedulingGates{{name: "{GATE}"}}]}}}}'
    rule = {"apiGroups": [""], "apiVersions": ["v1"], "operations": ["CREATE"], "resources": ["pods"]}
    policy = {
        "apiVersion": _ADMISSION,
        "kind": "MutatingAdmissionPolicy",
        "metadata": {"name": name},
        "spec": {
            "failurePolicy": "Fail",
            "reinvocationPolicy": "IfNeeded",
            "matchConstraints": {"resourceRules": [rule]},
            "mutations": [{"patchType": "ApplyConfiguration", "applyConfiguration": {"expression": gate}}],
        },
    }
    where = {"namespaceSelector": {"matchLabels": {"kubernetes.io/metadata.name": team.namespace}}}
    binding = {
        "apiVersion": _ADMISSION,
        "kind": "MutatingAdmissionPolicyBinding",
        "metadata": {"name": name},
        "spec": {"policyName": name, "matchResources": where},
    }
    try:
        team.apply([policy, binding])
    except Refused as e:
        if "no matches for kind" in str(e):
            pytest.skip("not run: this cluster has no MutatingAdmissionPolicy (Kubernetes 1.36)")
        raise
    _until_it_holds(team)
    yield
    team("delete", "mutatingadmissionpolicybinding", name)
    team("delete", "mutatingadmissionpolicy", name)


def _until_it_holds(team):
    """An API server takes a moment to act by a new policy."""
    spec = {"containers": [{"name": "c", "image": "airlock/pause:1", "securityContext": restricted(65534)}]}
    pod = {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "tried"}, "spec": spec}
    ends = time.monotonic() + 30
    while GATE not in team("create", "--dry-run=server", "-o", "json", "-f", "-", stdin=json.dumps(pod)):
        assert time.monotonic() < ends, "the policy that gates pods has no effect"
        time.sleep(0.3)


def test_a_scheduling_gate(team, gated):
    team.apply(taskrun("gated"))
    message = says(team, "gated", "SchedulingGated")
    lift = '[{"op": "remove", "path": "/spec/schedulingGates"}]'
    team("patch", "pod", "gated-1", "--type=json", "-p", lift)

    assert "gate" in message
    assert ("success", "Succeeded", 1, 1) == outcome(finished(team, "gated"))


@pytest.fixture
def busy(team, system):
    """The API server has no seat for pods that the operator makes in this namespace: it answers 429."""
    name = f"busy-{team.namespace}"
    none = {"nominalConcurrencyShares": 0, "lendablePercent": 0, "borrowingLimitPercent": 0}
    level = {
        "apiVersion": _FLOW,
        "kind": "PriorityLevelConfiguration",
        "metadata": {"name": name},
        "spec": {"type": "Limited", "limited": none | {"limitResponse": {"type": "Reject"}}},
    }
    account = {"name": "airlock-operator", "namespace": system.namespace}
    calls = {
        "verbs": ["create", "list"], "apiGroups": [""], "resources": ["pods"], "namespaces": [team.namespace],
    }  # fmt: skip
    schema = {
        "apiVersion": _FLOW,
        "kind": "FlowSchema",
        "metadata": {"name": name},
        "spec": {
            "priorityLevelConfiguration": {"name": name},
            "matchingPrecedence": 50,
            "rules": [{"subjects": [{"kind": "ServiceAccount", "serviceAccount": account}], "resourceRules": [calls]}],
        },
    }
    team.apply([level, schema])
    team.wait("flowschema", name, lambda found: found["status"]["conditions"][0]["status"] == "False")
    over = threading.Event()
    occupant = threading.Thread(target=_occupy, args=(team, f"{system.namespace}:airlock-operator", over))
    occupant.start()
    try:
        _until_somebody_is_served(team, name)
        yield over.set
    finally:
        over.set()
        occupant.join()
        team("delete", "flowschema", name)
        team("delete", "prioritylevelconfiguration", name)


def _occupy(team, account, over):
    """
    Has a request of the operator's account served all the time: a list as of a version that is not there yet.

    A level without a seat would still serve one request while it serves no other.
    """
    path = f"/api/v1/namespaces/{team.namespace}/pods?resourceVersion=999999999&resourceVersionMatch=NotOlderThan"
    operator = team.as_user(f"--as=system:serviceaccount:{account}")
    # The API server itself would give the list up after three seconds.
    while not over.is_set():
        operator("get", "--raw", path, "--request-timeout=2s", check=False)


def _until_somebody_is_served(team, level):
    ends = time.monotonic() + 30
    while True:
        rows = csv.DictReader(
            team("get", "--raw", "/debug/api_priority_and_fairness/dump_priority_levels").splitlines(),
            skipinitialspace=True,
        )
        if any(row["PriorityLevelName"] == level and row["ExecutingRequests"] == "1" for row in rows):
            return
        assert time.monotonic() < ends, "no request holds the level's place"
        time.sleep(0.1)


def test_an_api_server_that_is_busy(team, busy):
    team.apply(taskrun("turned-away"))
    message = says(team, "turned-away", "ApiBusy")
    busy()

    assert "429" in message
    assert ("success", "Succeeded", 1, 1) == outcome(finished(team, "turned-away"))
