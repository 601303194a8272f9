"""Each hook does what its name says, on a cluster of ours."""

import json
import subprocess
import sys
import time

import pytest

from cluster import places
from cluster.commands import CommandError
from cluster.probes import NAMESPACE, TOKEN, container, eventually
from cluster.programs import images

pytestmark = pytest.mark.slow


def test_the_audit_log_has_who_did_what_to_what_with_which_answer(cluster, pods):
    name = pods.run("pass")

    entries = [
        entry for entry in cluster.audit_log()
        if entry["verb"] == "create" and entry["objectRef"].get("name") == name and entry["objectRef"]["resource"] == "pods"
        and "subresource" not in entry["objectRef"]
    ]  # fmt: skip

    assert entries
    assert 201 == entries[0]["responseStatus"]["code"]
    assert entries[0]["user"]["username"]
    assert "runner" == entries[0]["requestObject"]["spec"]["containers"][0]["name"]


def test_the_audit_log_holds_no_token(cluster, pods, idle):
    token = pods.exec(idle, "cat", "/var/run/probe/token", part="sidecar").strip()

    assert not any(token in json.dumps(entry) for entry in cluster.audit_log())


def test_node_exec_runs_in_the_nodes_namespaces(cluster, pods, idle):
    uid = pods.get(idle)["metadata"]["uid"]

    said = cluster.node_exec("cat", f"/var/lib/kubelet/pods/{uid}/volumes/kubernetes.io~projected/{TOKEN}/token").stdout

    assert said.startswith("ey")


def test_node_exec_hands_back_what_failed(cluster):
    with pytest.raises(CommandError, match="nowhere"):
        cluster.node_exec("cat", "/nowhere")


def test_a_loaded_image_is_on_every_node(cluster):
    archive = next(found for found in images.build_all() if "example" in found.reference)
    cluster.load_image(archive.path)

    for node in cluster.nodes():
        assert (
            archive.reference in cluster.node_exec("ctr", "--namespace=k8s.io", "images", "ls", "-q", node=node).stdout
        )


def test_a_users_image_brings_its_bundle(pods):
    listed = container("runner", 50000, "import os; print(sorted(os.listdir('/opt/airlock/bundles/examples')))")
    name = pods.run("", initContainers=[], containers=[listed | {"image": "airlock/example:0.1.0"}], volumes=[])

    pods.wait(name, "Succeeded", "Failed")
    assert "'hello.py'" in pods.logs(name)


@pytest.mark.parametrize(
    "component",
    ["apiserver", *(pytest.param(each, marks=pytest.mark.soak) for each in ("controller-manager", "scheduler"))],
)
def test_a_control_plane_component_is_restarted_and_works_again(cluster, pods, component):
    cluster.restart(component)

    eventually(lambda: cluster.kubectl("get", "--raw=/readyz") == "ok")
    # A new pod needs all three: an API server, a scheduler, and (for its service account's sake) the controllers.
    name = eventually(lambda: pods.run("pass"), 30)
    pods.wait(name, "Succeeded")


@pytest.mark.parametrize("component", ["kubelet", "containerd"])
def test_a_pod_survives_the_restart_of_a_nodes_component(cluster, pods, idle, component):
    before = pods.get(idle)["status"]["containerStatuses"][0]["containerID"]

    cluster.restart(component)

    pods.wait(pods.run("pass"), "Succeeded")
    after = pods.get(idle)["status"]["containerStatuses"][0]
    assert (after["containerID"], after["restartCount"]) == (before, 0)


def test_a_stopped_component_stays_away_until_it_is_started(cluster, pods):
    with cluster.stopped("scheduler"):
        name = pods.run("pass")
        time.sleep(2)
        assert "nodeName" not in pods.get(name)["spec"]

    pods.wait(name, "Succeeded")


def test_an_unknown_component_is_refused(cluster):
    with pytest.raises(ValueError, match="kubelet"):
        cluster.restart("kubelets")


TALKER = """
import socket, time
connection = socket.create_connection(("kubernetes.default.svc", 443), 5)
print("connected", flush=True)
while True:
    try:
        socket.create_connection(("kubernetes.default.svc", 443), 1).close()
        print("reached", flush=True)
    except TimeoutError:
        print("silence", flush=True)
    time.sleep(0.2)
"""


def test_dropped_packets_are_a_silence_and_no_refusal(cluster, pods):
    name = pods.run(TALKER)
    pods.wait(name, "Running")
    eventually(lambda: "reached" in pods.logs(name))

    with cluster.dropped_packets(f"pod/{NAMESPACE}/{name}", "apiserver"):
        eventually(lambda: "silence" in pods.logs(name))

    spoken = len(pods.logs(name).splitlines())
    eventually(lambda: "reached" in pods.logs(name).splitlines()[spoken:])
    assert "Error" not in pods.logs(name)
    pods.end(name)


def test_a_second_node_becomes_ready_runs_pods_and_is_removed(cluster, pods):
    try:
        node = cluster.add_node()
    except CommandError as error:
        pytest.skip(f"not run: {error}")
    try:
        name = pods.run(
            "import socket; print(socket.gethostbyname('kubernetes.default.svc')); socket.create_connection(('kubernetes.default.svc', 443), 5)",
            nodeSelector={"kubernetes.io/hostname": node},
        )
        assert "Succeeded" == pods.wait(name, "Succeeded", "Failed")["status"]["phase"]
        assert "10.96.0.1" == pods.logs(name).strip()
        with cluster.stopped("kubelet", node):
            assert cluster.node_exec("hostname", node=node).stdout.strip() == node
    finally:
        cluster.remove_node(node)

    assert node not in cluster.kubectl("get", "nodes", "--output=name")
    assert node not in cluster.nodes()


def test_up_again_finds_the_first(cluster):
    before = cluster.kubectl("get", "namespace", "kube-system", "--output=jsonpath={.metadata.uid}")

    begun = time.monotonic()
    done = subprocess.run(
        [sys.executable, "-m", "cluster", "up"],
        cwd=places.ROOT / "tools",
        capture_output=True,
        text=True,
        check=True,
        timeout=60,
    )

    # A deadline that users feel; images whose sources are edited meanwhile are built in it.
    assert time.monotonic() - begun < 30
    assert 1 == done.stdout.count("\n")
    assert done.stdout.startswith(f"export KUBECONFIG={cluster.kubeconfig}")
    assert before == cluster.kubectl("get", "namespace", "kube-system", "--output=jsonpath={.metadata.uid}")
