"""A namespace of its own for each test file, on a real API server. Nothing here needs a node."""

import uuid

import pytest
from kube import kubectl


@pytest.fixture(scope="session")
def cluster():
    return kubectl.of_environment()


@pytest.fixture(scope="module")
def namespace(cluster):
    """kubectl in a namespace that is made for this file, and removed after it."""
    name = f"api-{uuid.uuid4().hex[:8]}"
    cluster("create", "namespace", name)
    yield cluster.of(name)
    cluster("delete", "namespace", name, "--wait=false")
