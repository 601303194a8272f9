"""The cluster's own tests: no Airlock in it yet, only its nodes, its hooks and our images."""

import json

import pytest

from cluster.commands import CommandError
from cluster.hooks import connect
from cluster.probes import NAMESPACE, Pods, eventually


@pytest.fixture(scope="session")
def cluster():
    try:
        hooks = connect()
    except CommandError as error:
        pytest.skip(f"not run: {error}")
    if hooks is None:
        pytest.skip("not run: the cluster of KUBECONFIG is not ours, so it has no hooks")
    return hooks


@pytest.fixture(scope="session")
def namespace(cluster):
    """A namespace at the strictest Pod Security level."""
    labels = {"pod-security.kubernetes.io/enforce": "restricted"}
    body = {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": NAMESPACE, "labels": labels}}
    cluster.kubectl("delete", "namespace", NAMESPACE, "--ignore-not-found", timeout=90)
    cluster.kubectl("apply", "--filename=-", stdin=json.dumps(body))
    eventually(lambda: cluster.kubectl("get", "serviceaccounts", f"--namespace={NAMESPACE}", "--output=name"))
    yield NAMESPACE
    cluster.kubectl("delete", "namespace", NAMESPACE, "--wait=false", "--ignore-not-found")


@pytest.fixture(scope="session")
def pods(cluster, namespace):
    return Pods(cluster)


@pytest.fixture(scope="session")
def idle(pods):
    """A pod that runs until the session ends."""
    name = pods.run("import time; print('working', flush=True); time.sleep(3600)")
    pods.wait(name, "Running")
    yield name
    pods.end(name)
