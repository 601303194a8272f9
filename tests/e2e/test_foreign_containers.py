"""
Containers that others add to the pods of TaskRuns: a service mesh, a vault's agent. They come before or after ours, run for
ever, and are sidecars of Kubernetes or ordinary containers. A TaskRun ends as its task did all the same.
"""

import json
import time
from contextlib import contextmanager

import pytest
from kube.namespaces import namespace
from kube.story import Story
from kube.taskruns import outcome, over, taskrun

pytestmark = pytest.mark.timeout(400)

CONTAINER = {
    "name": "mesh",
    "image": "airlock/runner:0.1.0",
    "command": ["python", "-c", "import signal; signal.signal(15, lambda *_: exit()); signal.pause()"],
    "securityContext": {
        "allowPrivilegeEscalation": False, "runAsNonRoot": True, "runAsUser": 65534,
        "capabilities": {"drop": ["ALL"]}, "seccompProfile": {"type": "RuntimeDefault"},
    },
}  # fmt: skip
NATIVE = CONTAINER | {"restartPolicy": "Always"}
#: Places in a pod, and what is added there.
ADDED = {
    "after": [("/spec/containers/-", CONTAINER)],
    "before": [("/spec/containers/0", CONTAINER)],
    "native, before": [("/spec/initContainers/0", NATIVE)],
    "native, after": [("/spec/initContainers/-", NATIVE)],
    "native and not, before": [
        ("/spec/initContainers/0", NATIVE | {"name": "mesh-proxy"}),
        ("/spec/containers/0", CONTAINER),
    ],
}


@contextmanager
def meshed(cluster, added):
    """A namespace to whose pods a mutating policy adds containers."""
    with namespace(cluster, "mesh") as team:
        patches = ", ".join(f'JSONPatch{{op: "add", path: "{path}", value: {_cel(value)}}}' for path, value in added)
        name = team.namespace
        policy = {
            "apiVersion": "admissionregistration.k8s.io/v1",
            "kind": "MutatingAdmissionPolicy",
            "metadata": {"name": name},
            "spec": {
                "matchConstraints": {
                    "namespaceSelector": {"matchLabels": {"kubernetes.io/metadata.name": name}},
                    "resourceRules": [
                        {"apiGroups": [""], "apiVersions": ["v1"], "operations": ["CREATE"], "resources": ["pods"]}
                    ],
                },
                "failurePolicy": "Fail",
                "reinvocationPolicy": "Never",
                "mutations": [{"patchType": "JSONPatch", "jsonPatch": {"expression": f"[{patches}]"}}],
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
        try:
            yield team
        finally:
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


def soak(*values):
    return pytest.param(*values, marks=pytest.mark.soak)


@pytest.mark.parametrize(
    ("places", "body", "expected"),
    [
        soak("after", "print('done')", ("success", "Succeeded", 1, 1)),
        soak("before", "print('done')", ("success", "Succeeded", 1, 1)),
        soak("native, before", "print('done')", ("success", "Succeeded", 1, 1)),
        soak("native, after", "print('done')", ("success", "Succeeded", 1, 1)),
        ("native and not, before", "print('done')", ("success", "Succeeded", 1, 1)),
        soak("after", "raise ValueError('no')", ("failed", "Failed", 1, 1)),
        soak("native and not, before", "raise ValueError('no')", ("failed", "Failed", 1, 1)),
    ],
)
def test_a_container_of_others_that_never_ends_keeps_no_taskrun_from_its_end(cluster, places, body, expected):
    with meshed(cluster, ADDED[places]) as team:
        team.apply(taskrun("meshed", body))
        run = Story(team, "meshed").until(over, 90)
        pod = team.wait("pod", "meshed-1", ends, 60)
        parts = [pod.get("spec", {}).get(part, []) for part in ("initContainers", "containers")]

    assert expected == outcome(run)
    assert not pod or {each["name"] for _, each in ADDED[places]} < {each["name"] for part in parts for each in part}


def ends(pod):
    return not pod or "deletionTimestamp" in pod["metadata"] or pod["status"]["phase"] in ("Succeeded", "Failed")
