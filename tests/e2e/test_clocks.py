"""
A node whose clock is wrong by minutes fails no task. The node and its kubelet are played: what a kubelet writes about a
pod is written here, with the stamps of a wrong clock, and the real operator reads it.
"""

import json
import time
from datetime import UTC, datetime, timedelta

import pytest
from kube.taskruns import finished, outcome, over, reason, status, taskrun

from airlock_wire.record import Reason, Record, encode

pytestmark = pytest.mark.timeout(300)

NODE = "played-clock"


@pytest.fixture(scope="module")
def made_node(cluster):
    """A node that takes pods and has no kubelet."""
    taint = {"key": "airlock.dev/played", "value": "true", "effect": "NoSchedule"}
    meta = {"name": NODE, "labels": {"kubernetes.io/hostname": NODE}}
    cluster.apply({"apiVersion": "v1", "kind": "Node", "metadata": meta, "spec": {"taints": [taint]}})
    yield NODE
    cluster("delete", "node", NODE)


@pytest.fixture
def node(cluster, made_node):
    """The same, ready now: a node that says nothing for 50 seconds takes no pods."""
    room = {"pods": "100", "cpu": "100", "memory": "100Gi", "ephemeral-storage": "100Gi"}
    # Without a time of its own, the controller of nodes takes a node of this name that was there before for this one.
    ready = {"type": "Ready", "status": "True", "reason": "Played", "lastHeartbeatTime": stamp(0)}
    patch_status(cluster, "node", NODE, {"conditions": [ready], "capacity": room, "allocatable": room})
    return made_node


def patch_status(kubectl, kind, name, wanted):
    kubectl("patch", kind, name, "--subresource=status", "--type=merge", "-p", json.dumps({"status": wanted}))


def on_played_node(name, **spec):
    tolerations = [{"key": "airlock.dev/played", "operator": "Exists"}]
    pod = {"nodeSelector": {"kubernetes.io/hostname": NODE}, "tolerations": tolerations}
    return taskrun(name, pod=pod, **spec)


def stamp(behind):
    return (datetime.now(UTC) - timedelta(seconds=behind)).strftime("%Y-%m-%dT%H:%M:%SZ")


def container(name, state):
    return {"name": name, "state": state, "ready": True, "restartCount": 0, "image": "i", "imageID": "i"}


def kubelet_says(team, name, phase, sidecar, runner):
    wanted = {
        "phase": phase,
        "initContainerStatuses": [container("sidecar", sidecar)],
        "containerStatuses": [container("runner", runner)],
    }
    patch_status(team, "pod", f"{name}-1", wanted)


@pytest.mark.parametrize(
    "behind",
    [125, -125, *(pytest.param(each, marks=pytest.mark.soak) for each in (95, 3600, -3600))],
    ids=lambda each: f"{each} s behind",
)
def test_a_task_on_a_node_whose_clock_is_wrong_ends_as_its_record_says(team, node, behind):
    name = f"clock-{'ahead' if behind < 0 else 'behind'}-{abs(behind)}"
    team.apply(on_played_node(name, executionTimeout="10s"))
    team.wait("pod", f"{name}-1", lambda pod: pod.get("spec", {}).get("nodeName") == NODE, 30)
    started = {"running": {"startedAt": stamp(behind)}}
    kubelet_says(team, name, "Running", started, started)
    team.wait("taskrun", name, lambda run: reason(run) == "Running", 20)
    ended = {
        "terminated": {"exitCode": 0, "reason": "Completed", "startedAt": stamp(behind), "finishedAt": stamp(behind)}
    }
    kubelet_says(team, name, "Running", started, ended)
    # The sidecar has yet to end: long enough for a verdict that compares the stamps with another clock.
    time.sleep(8)
    run = team.get("taskrun", name)
    assert not over(run), status(run)
    now = time.time() - behind
    marks = {"listening": now - 3, "connected": now - 2.5, "started": now - 2, "exited": now - 1}
    left = encode(Record(reason=Reason.SUCCEEDED, acknowledged=True, timeline=marks)).decode()
    gone = {"terminated": ended["terminated"] | {"message": left}}
    kubelet_says(team, name, "Succeeded", gone, ended)
    run = finished(team, name, 30)
    shown = status(run)["timeline"]

    assert ("success", "Succeeded", 1, 1) == outcome(run)
    assert shown["finished"] < 120
    assert all(0 <= seconds <= shown["finished"] for seconds in shown.values()), shown
