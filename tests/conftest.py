"""
What holds for every tier: long forms are left to `make soak`, no test fails because the machine is busy, and every test
leaves the imports of its process as it found them.
"""

import os

import hypothesis
import pytest
from doubles.imports import imports_restored, own_imports

# How fast examples are made says nothing about the code, and other tiers run beside this one.
hypothesis.settings.register_profile(
    "ours",
    deadline=None,
    suppress_health_check=[hypothesis.HealthCheck.too_slow, hypothesis.HealthCheck.data_too_large],
)
hypothesis.settings.load_profile("ours")


def pytest_collection_modifyitems(config, items):
    if os.environ.get("AIRLOCK_SOAK"):
        return
    kept = [item for item in items if item.get_closest_marker("soak") is None]
    config.hook.pytest_deselected(items=[item for item in items if item not in set(kept)])
    items[:] = kept


@pytest.fixture(autouse=True)
def _imports_stay():
    """Fails a test that leaves Airflow's names, or a folder on the path, to whatever test comes after it."""
    before = own_imports()
    yield
    assert before == own_imports(), "take the fixture dag_files: it takes away what loading a DAG file leaves"


@pytest.fixture
def dag_files():
    """Lets a test load DAG files in this process, and takes away what that leaves."""
    with imports_restored():
        yield
