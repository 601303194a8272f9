"""A pod of Airlock's shape runs on the cluster as the design needs."""

import base64
import json
from pathlib import Path

import pytest

from cluster.memory import Remembered
from cluster.node import cgroups
from cluster.probes import container, eventually

pytestmark = pytest.mark.slow

RESOLVE = "import socket; print(socket.gethostbyname('kubernetes.default.svc')); socket.create_connection(('kubernetes.default.svc', 443), 5)"


def test_every_node_is_ready(cluster):
    said = cluster.kubectl("get", "nodes", '--output=jsonpath={.items[*].status.conditions[?(@.type=="Ready")].status}')

    assert {"True"} == set(said.split())


def test_a_nodes_own_programs_share_its_processors_with_the_pods_as_one_group(cluster):
    remembered = Remembered.load()
    if remembered.kind != "bare":
        pytest.skip("not run: a node of kind has systemd, which sees to it")

    groups = {
        line.rpartition(":")[2]
        for part in remembered.nodes["airlock-1"].components.values()
        for line in Path(f"/proc/{part.pid}/cgroup").read_text().splitlines()
        if line.split(":")[1] in ("cpu", "cpu,cpuacct", "")
    }

    assert {f"/{cgroups.TOP}/airlock-1/{cgroups.SYSTEM}"} == groups


def test_the_cluster_is_marked_as_one_for_tests(cluster):
    labels = json.loads(cluster.kubectl("get", "namespace", "kube-system", "--output=json"))["metadata"]["labels"]

    assert "true" == labels["airlock.dev/test-cluster"]


def test_a_pod_with_a_native_sidecar_ends_when_its_runner_does(pods):
    name = pods.run(RESOLVE)

    ended = pods.wait(name, "Succeeded", "Failed")

    assert "Succeeded" == ended["status"]["phase"], pods.logs(name)
    assert 0 == ended["status"]["initContainerStatuses"][0]["state"]["terminated"]["exitCode"]
    assert "10.96.0.1" == pods.logs(name).strip()


def test_the_runner_sees_no_token_and_cannot_write_its_image(pods, idle):
    assert "absent" in pods.exec(
        idle, "python", "-c", "import os; print('there' if os.path.exists('/var/run/probe/token') else 'absent')"
    )
    assert "Read-only" in pods.exec(idle, "sh", "-c", "touch /opt/x 2>&1 || true")


def test_logs_and_exec_work_for_every_container(pods, idle):
    assert "working" == pods.logs(idle).strip()
    assert "listening" == pods.logs(idle, "sidecar").strip()
    assert "50000" == pods.exec(idle, "id", "-u").strip()
    assert "50001" == pods.exec(idle, "id", "-u", part="sidecar").strip()


def test_a_token_review_tells_the_pod_of_a_projected_token(cluster, pods, idle):
    token = pods.exec(idle, "cat", "/var/run/probe/token", part="sidecar").strip()
    review = {
        "apiVersion": "authentication.k8s.io/v1",
        "kind": "TokenReview",
        "spec": {"token": token, "audiences": [pods.audience]},
    }

    status = json.loads(cluster.kubectl("create", "--output=json", "--filename=-", stdin=json.dumps(review)))["status"]

    extra = status["user"]["extra"]
    assert status["authenticated"]
    assert "system:serviceaccount:cluster-itself:default" == status["user"]["username"]
    assert extra["authentication.kubernetes.io/pod-name"] == [idle]
    assert extra["authentication.kubernetes.io/pod-uid"] == [pods.get(idle)["metadata"]["uid"]]
    payload = token.split(".")[1]
    assert json.loads(base64.urlsafe_b64decode(payload + "=" * (-len(payload) % 4)))["aud"] == [pods.audience]


def test_pod_security_refuses_a_pod_that_runs_as_root(cluster, namespace):
    body = {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {"name": "root", "namespace": namespace},
        "spec": {"containers": [{"name": "c", "image": "airlock/runner:0.1.0"}]},
    }

    with pytest.raises(Exception, match="PodSecurity"):
        cluster.kubectl("create", "--filename=-", stdin=json.dumps(body))


def test_a_claim_of_the_standard_class_is_served_and_writable(cluster, pods, namespace):
    claim = {
        "apiVersion": "v1",
        "kind": "PersistentVolumeClaim",
        "metadata": {"name": "home", "namespace": namespace},
        "spec": {
            "accessModes": ["ReadWriteOnce"],
            "resources": {"requests": {"storage": "1Gi"}},
            "storageClassName": "standard",
        },
    }
    cluster.kubectl("create", "--filename=-", stdin=json.dumps(claim))
    mount = [{"name": "home", "mountPath": "/home/airlock"}]
    code = "open('/home/airlock/airlock.db', 'w').write('kept')"
    name = pods.run(
        "",
        initContainers=[],
        containers=[container("runner", 50000, code, volumeMounts=mount)],
        volumes=[{"name": "home", "persistentVolumeClaim": {"claimName": "home"}}],
    )

    assert "Succeeded" == pods.wait(name, "Succeeded", "Failed")["status"]["phase"], pods.logs(name)
    pods.end(name)
    cluster.kubectl("delete", "pvc", "home", f"--namespace={namespace}")
    eventually(lambda: "home" not in cluster.kubectl("get", "pv", "--output=jsonpath={.items[*].spec.claimRef.name}"))
