"""A real cluster with Airlock in it, as `make up` leaves it; a namespace for each test file; witnesses outside of us."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from e2e.isolation.ways import AIRFLOWS, dag_files
from kube import kubectl
from kube.airflow import Airflow
from kube.dropin_place import AIRFLOW_IMAGE
from kube.install import Install
from kube.namespaces import namespace
from kube.place import Place
from kube.witness import Witness

from cluster.hooks import connect
from cluster.programs import images

INSTALLED = "airlock-system"
HERE = Path(__file__).parent
#: A bundle in a git repository; where that is, and its password, is in a Secret of the TaskRun's namespace.
SALES = {
    "name": "sales",
    "classpath": "airflow.providers.git.bundles.git.GitDagBundle",
    "kwargs": {"tracking_ref": "main", "git_conn_id": "git_default"},
    "secret": "sales-git",
}


PLACE = Place()


@pytest.hookimpl(wrapper=True, tryfirst=True)
def pytest_runtest_protocol(item):
    """A test and what it needs set up have a place on the cluster. Its time begins when it has that."""
    with PLACE.taken(alone=item.get_closest_marker("alone") is not None):
        return (yield)


def pytest_collection_modifyitems(items):
    """
    Tests that look back at all others come last, and after them those that take the install away. Those that ask for a
    real Airflow are marked, and those that ask for one with our executor.
    """
    for item in items:
        if "airflow" in item.fixturenames:
            item.add_marker("airflow")
        if "dropin" in item.fixturenames:
            item.add_marker("executor")
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
    with namespace(cluster, "team") as made:
        yield made


@pytest.fixture(scope="session")
def install(system) -> Install:
    """Airlock's release."""
    return Install(system, PLACE)


@pytest.fixture(scope="session")
def airflow_image(hooks) -> str:
    """The name of an image with Airflow and its git provider, and nothing of ours."""
    built = images.built(AIRFLOW_IMAGE)
    hooks.load_image(built.path)
    return built.reference


@pytest.fixture(scope="session")
def airflow(cluster, airflow_image, install) -> Iterator[Airflow]:
    """A real Airflow with all DAGs of these tests, whose executor may make TaskRuns with its tokens."""
    with namespace(cluster, "airflow") as made:
        files = {path.name: path.read_text() for path in (HERE / "airflow/dags").glob("*.py")}
        found = Airflow(made, files | dag_files(AIRFLOWS))
        with install.told(**found.values, bundles=[SALES | {"image": airflow_image}]):
            yield found.start()


@pytest.fixture(scope="module")
def witness(team) -> Witness:
    """A pod of its own that notes every start of user code."""
    return Witness(team).start()
