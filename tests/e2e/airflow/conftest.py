"""A log store beside the real Airflow."""

import pytest
from component.stores.servers import VERSITYGW, program
from kube.store import Store

from cluster.programs import images

STORE_IMAGE = images.Image("test-store", own="tests/e2e/airflow/store/Containerfile")


@pytest.fixture(scope="session")
def store(airflow, hooks):
    """An object store in Airflow's namespace."""
    hooks.load_image(images.built(STORE_IMAGE, versitygw=program(VERSITYGW)).path)
    return Store(airflow.team).start()
