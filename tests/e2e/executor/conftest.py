"""A real Airflow on PostgreSQL, with our executor from its wheel, and Airflow's own two executors beside it."""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from kube import dropin_place
from kube.dropin import DropIn

ZOO = Path(__file__).parent / "zoo"
#: All three executors in `make zoo`; in CI ours and the one that costs least.
WHOLE = bool(os.environ.get("AIRLOCK_ZOO"))
EXECUTORS = ["taskrun", "kubernetes", "local"] if WHOLE else ["taskrun", "local"]
#: Airflow's sweep of what is stuck in queued, shortened from ten minutes. On a busy node it would fail the tasks of
#: KubernetesExecutor that wait for their turn.
SWEEP = {} if WHOLE else {"SCHEDULER__TASK_QUEUED_TIMEOUT": "15", "SCHEDULER__TASK_QUEUED_TIMEOUT_CHECK_INTERVAL": "5"}
#: The long form of the losses has thirty tasks at once, and an API server that is away for as long as Airflow's scheduler
#: waits for a heartbeat by default.
ROOM = (
    {
        "CORE__PARALLELISM": "40",
        "CORE__MAX_ACTIVE_TASKS_PER_DAG": "40",
        "SCHEDULER__TASK_INSTANCE_HEARTBEAT_TIMEOUT": "900",
    }
    if os.environ.get("AIRLOCK_SOAK")
    else {}
)


@pytest.fixture(scope="session")
def dropin(cluster, hooks, install) -> Iterator[DropIn]:
    """Airflow with our executor, and with all DAGs of the zoo."""
    dags = {path.name: path.read_text() for path in ZOO.glob("*.py")}
    with dropin_place.running(cluster, hooks, install, dags, EXECUTORS, **SWEEP, **ROOM) as airflow:
        yield airflow
