"""
A node that dies with everything on it, and a container runtime that fails. The node is a second real one: its kubelet and
its containerd are stopped, and its Node object stays, as where a machine loses its power.
"""

import shlex

import pytest
from kube.story import Story
from kube.taskruns import outcome, over, reason, status, taskrun
from kube.witness import START

from cluster.commands import CommandError

pytestmark = [pytest.mark.soak, pytest.mark.alone, pytest.mark.timeout(1200)]

#: The first attempt is on the node that dies and would sleep for an hour; the second one succeeds.
BODY = f"""
{START}
if os.uname().nodename.endswith("-1"):
    time.sleep(3600)
"""


@pytest.fixture
def node(hooks):
    """A second node, and what it is called."""
    try:
        name = hooks.add_node()
    except CommandError as error:
        pytest.skip(f"not run: {error}")
    yield name
    hooks.remove_node(name)


def preferring(node, **tolerations):
    """Settings of a pod that comes to this node where it is there."""
    term = {"matchExpressions": [{"key": "kubernetes.io/hostname", "operator": "In", "values": [node]}]}
    preferred = [{"weight": 100, "preference": term}]
    return {"affinity": {"nodeAffinity": {"preferredDuringSchedulingIgnoredDuringExecution": preferred}}} | tolerations


def running_on(team, witness, name, node):
    run = team.wait("taskrun", name, lambda run: reason(run) == "Running", 90)
    assert node == status(run)["node"]
    witness.wait_for_starts(name)
    return run


def dead(hooks, node):
    hooks.stop("kubelet", node)
    hooks.stop("containerd", node)


def test_a_task_goes_on_elsewhere_once_its_dead_node_is_out_of_service(cluster, team, witness, hooks, node):
    team.apply(taskrun("out-of-service", BODY, rerunAfterStart=True, pod=preferring(node)))
    running_on(team, witness, "out-of-service", node)
    story = Story(team, "out-of-service")
    dead(hooks, node)
    cluster.wait("node", node, lambda node: ready(node) == "Unknown", 120)
    cluster("taint", "nodes", node, "node.kubernetes.io/out-of-service=nodeshutdown:NoExecute")
    run = story.until(over, 180)

    assert ("success", "Succeeded", 1, 2) == outcome(run)
    assert ["NodeLost"] == [each["reason"] for each in status(run)["attempts"]][:1]
    assert [1, 1] == witness.starts("out-of-service")


def test_a_task_goes_on_elsewhere_though_nobody_says_that_its_node_is_dead(team, witness, hooks, node):
    soon = {"operator": "Exists", "effect": "NoExecute", "tolerationSeconds": 5}
    tolerations = [soon | {"key": f"node.kubernetes.io/{key}"} for key in ("unreachable", "not-ready")]
    pod = preferring(node, tolerations=tolerations)
    team.apply(taskrun("unconfirmed", BODY, rerunAfterStart=True, gracePeriod="5s", pod=pod))
    running_on(team, witness, "unconfirmed", node)
    story = Story(team, "unconfirmed")
    dead(hooks, node)
    run = story.until(over, 600)

    assert ("success", "Succeeded", 1, 2) == outcome(run)
    assert ["NodeLost"] == [each["reason"] for each in status(run)["attempts"]][:1]
    assert [1, 1] == witness.starts("unconfirmed")


def ready(node):
    return {each["type"]: each["status"] for each in node["status"]["conditions"]}["Ready"]


#: A runc that hangs once, for the container of user code with this variable, until the kubelet gives it up.
HANGS = """#!/bin/sh
case " $* " in
*" create "*)
    bundle=$(printf '%s\\n' "$@" | grep -A1 -x -e --bundle | tail -1)
    if grep -q '"RUNTIME=hangs"' "$bundle/config.json" && mkdir /var/lib/containerd/hung 2>/dev/null; then
        sleep 150
    fi;;
esac
exec /var/lib/containerd/runc "$@"
"""
_PUT = """
set -e
runc=$(command -v runc)
cp "$runc" /var/lib/containerd/runc
cat > /var/lib/containerd/hanging
chmod 755 /var/lib/containerd/hanging
mount --bind /var/lib/containerd/hanging "$runc"
"""


def test_a_start_that_the_runtime_does_not_answer_is_the_nodes_fault(team, witness, hooks, node):
    script = _PUT.replace("cat >", f"printf %s {shlex.quote(HANGS)} >")
    # The node's mounts are its own, and go with it.
    hooks.node_exec("sh", "-c", script, node=node)
    pod = {"nodeSelector": {"kubernetes.io/hostname": node}, "env": [{"name": "RUNTIME", "value": "hangs"}]}
    team.apply(taskrun("runtime-hangs", START, pod=pod))
    story = Story(team, "runtime-hangs")
    run = story.until(over, 400)

    print(status(run)["attempts"])
    assert ("success", "Succeeded", 1, 2) == outcome(run)
    assert ["RuntimeFailed"] == [each["reason"] for each in status(run)["attempts"]][:1]
    assert [1] == witness.starts("runtime-hangs")
