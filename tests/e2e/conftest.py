"""A real cluster with Airlock in it, as `make up` leaves it; a namespace for each test file; witnesses outside of us."""

import uuid
from collections.abc import Iterator

import pytest
from cluster.hooks import connect
from kube import kubectl
from kube.witness import Witness

INSTALLED = "airlock-system"


def pytest_collection_modifyitems(items):
    """Tests that look back at all others come last, and after them those that take the install away."""
    marks = {id(item): item.get_closest_marker("last") for item in items}
    items.sort(key=lambda item: mark.args[0] if (mark := marks[id(item)]) else 0)


@pytest.fixture(scope="session")
def cluster():
    return kubectl.of_environment()


@pytest.fixture(scope="session")
def system(cluster):
    """kubectl in the namespace that Airlock is installed in."""
    return cluster.of(INSTALLED)


@pytest.fixture(scope="session")
def hooks():
    """The node's hooks; a test that needs them is not run on a cluster that is not ours."""
    found = connect()
    if found is None:
        pytest.skip("not run: this cluster is not ours, so there are no hooks (load-image, audit-log, ...)")
    return found


@pytest.fixture(scope="module")
def team(cluster) -> Iterator[kubectl.Kubectl]:
    """kubectl in a namespace that is made for this file, and removed after it."""
    name = f"team-{uuid.uuid4().hex[:6]}"
    cluster("create", "namespace", name)
    cluster("label", "namespace", name, "pod-security.kubernetes.io/enforce=restricted")
    yield cluster.of(name)
    cluster("delete", "namespace", name, "--wait=false")


@pytest.fixture(scope="module")
def witness(team) -> Witness:
    """A pod of its own that notes every start of user code."""
    return Witness(team).start()
