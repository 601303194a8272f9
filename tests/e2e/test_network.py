"""What the chart's NetworkPolicies let through, where the cluster's network enforces them: kind's does."""

import pytest
from kube.objects import restricted
from kube.taskruns import RUNNER_IMAGE, finished, outcome, taskrun

HOST, PORT = "airlock-server.airlock-system.svc", 8443
_TRY = f"""
import socket
try:
    socket.create_connection(("{HOST}", {PORT}), timeout=5).close()
    print("reached")
except OSError as e:
    print("refused", type(e).__name__)
"""


@pytest.fixture(autouse=True)
def enforcing(hooks):
    if not hooks.enforces_policies:
        pytest.skip("not run: this cluster's network enforces no NetworkPolicy")


def tried(kubectl, name, labels):
    """What a pod of these labels says of the server."""
    container = {
        "name": "c",
        "image": RUNNER_IMAGE,
        "command": ["python", "-c", _TRY],
        "securityContext": restricted(50009),
    }
    spec = {"restartPolicy": "Never", "automountServiceAccountToken": False, "containers": [container]}
    kubectl.apply({"apiVersion": "v1", "kind": "Pod", "metadata": {"name": name, "labels": labels}, "spec": spec})
    kubectl.wait("pod", name, lambda pod: pod.get("status", {}).get("phase") in ("Succeeded", "Failed"), 120)
    return kubectl("logs", name).split()[0]


@pytest.mark.parametrize(
    "labels", [{}, {"app.kubernetes.io/managed-by": "airlock"}, {"app.kubernetes.io/name": "airlock"}]
)
def test_a_pod_that_the_operator_did_not_make_does_not_reach_the_server(team, labels):
    assert "refused" == tried(team, f"outsider-{len(''.join(labels))}", labels)


def test_a_taskruns_sidecar_reaches_the_server(team):
    team.apply(taskrun("insider"))

    assert ("success", "Succeeded", 1, 1) == outcome(finished(team, "insider"))


def test_a_pod_of_airlocks_own_namespace_reaches_the_server(system):
    """The positive control: the same pod, where a policy lets it."""
    try:
        assert "reached" == tried(system, "neighbour", {})
    finally:
        system("delete", "pod", "neighbour", "--ignore-not-found", "--wait=false")
