"""One zoo of DAGs under our executor and Airflow's own: the same states, tries, XComs, callbacks and log lines."""

import json
import shutil
from pathlib import Path

import pytest
from e2e.executor import animals
from e2e.executor.conftest import EXECUTORS, WHOLE
from kube.witness import Witness

pytestmark = pytest.mark.timeout(3000)
#: The logs of the zoo's pods.
KEPT = Path(__file__).resolve().parents[3] / ".build/zoo"
#: What CI runs: one of each kind that fits its budget.
PART = ("taskflow", "retries", "short_pokes", "deferrable", "failure_callbacks", "memory", "large_xcom", "outliving")
ALL = [
    "taskflow", "groups", "branching", "short_circuit", "rules", "setups", "mapped_over_100", "nested", "poke", "reschedule", "short_pokes", "sensor_value", "sensor_timeout", "deferrable", "approval", "retries", "callbacks", "failure_callbacks", "exits", "memory", "outliving", "subprocess_output", "time_limit", "templates", "large_xcom", "pools", "priorities", "other_python", "state_stores", "lookups", "producer", "alias_producer", "consumer", "alias_consumer", "watcher",
]  # fmt: skip
DAGS = ALL if WHOLE else list(PART)


@pytest.fixture(scope="module")
def zoo(dropin):
    """Everything that was seen, by DAG and by executor."""
    names = [f"{dag}__{executor}" for executor in EXECUTORS for dag in DAGS]
    dropin.until(lambda: set(names) <= {row[0] for row in dropin.rows("SELECT dag_id FROM dag")}, 120, "all DAGs")
    dropin.trigger_all([name for name in names if name.rpartition("__")[0] not in animals.STARTED], "zoo")
    if "approval" in DAGS:
        for executor in EXECUTORS:
            _approve(dropin, f"approval__{executor}")
    if "watcher" in DAGS:
        for executor in EXECUTORS:
            dropin.team("exec", "airflow", "-c", "triggerer", "--", "touch", f"/tmp/zoo-{executor}")
    for name in names:
        dropin.ended(name, 2400 if WHOLE else 300)
    notes, logs = Witness(dropin.team).lines(), _logs(dropin)
    return {
        dag: {
            executor: animals.seen(dropin, f"{dag}__{executor}", notes, logs.get(f"{dag}__{executor}", []))
            for executor in EXECUTORS
        }
        for dag in DAGS
    }


def _approve(airflow, dag_id):
    waiting = "SELECT state FROM task_instance WHERE dag_id = %s AND task_id = 'ask'"
    states = ("deferred", "awaiting_input")
    airflow.until(lambda: (airflow.rows(waiting, dag_id) or [("",)])[0][0] in states, 200, f"question of {dag_id}")
    path = f"/dags/{dag_id}/dagRuns/zoo/taskInstances/ask/-1/hitlDetails"
    airflow.ask("PATCH", path, {"chosen_options": ["Approve"], "params_input": {}})


_LOCAL = """
import json, pathlib
folder = pathlib.Path("/tmp/logs")
files = {str(path.relative_to(folder)): path.read_text(errors="replace") for path in folder.rglob("*.log")}
print(json.dumps(files))
"""


def _logs(airflow):
    """The marked lines by DAG id, each executor's by its own way: a sidecar's output, a pod's, a file's."""
    found = {}
    shutil.rmtree(KEPT, ignore_errors=True)
    KEPT.mkdir(parents=True)
    for pod in airflow.team.list("pods"):
        labels = pod["metadata"].get("labels") or {}
        name = pod["metadata"]["name"]
        if "airlock.dev/taskrun" in labels:
            run = airflow.team.get("taskrun", labels["airlock.dev/taskrun"])
            dag, container = run["spec"]["dagId"], "sidecar"
        elif "dag_id" in labels:
            dag, container = labels["dag_id"], "base"
        else:
            continue
        text = airflow.team("logs", name, "-c", container, check=False)
        # The pods go with their namespace, and a difference is looked into afterwards.
        (KEPT / f"{name}.log").write_text(text)
        found.setdefault(dag, []).extend(animals.marked(text))
    if "local" in airflow.executors:
        words = ("exec", "airflow", "-c", "scheduler", "--", "python", "-c", _LOCAL)
        for path, text in json.loads(airflow.team(*words)).items():
            dag = path.partition("dag_id=")[2].partition("/")[0]
            if dag.endswith("__local"):
                found.setdefault(dag, []).extend(animals.marked(text))
    return found


def test_every_dag_ends_as_its_author_means_it_to(zoo):
    print("\n" + animals.table(zoo, EXECUTORS))
    wanted = {dag: "failed" if dag in animals.FAIL else "success" for dag in DAGS}

    assert wanted == {dag: of["taskrun"].state for dag, of in zoo.items()}
    for executor in EXECUTORS[1:]:
        states = {dag: of[executor].state for dag, of in zoo.items() if dag not in animals.UNSURE}
        assert {dag: state for dag, state in wanted.items() if dag in states} == states, executor


@pytest.mark.parametrize("executor", EXECUTORS[1:])
def test_ours_and_airflows_own_differ_in_nothing_that_is_not_listed(zoo, executor):
    sure = {dag: of for dag, of in zoo.items() if dag not in animals.UNSURE}
    found = {dag: animals.differences(of["taskrun"], of[executor]) for dag, of in sure.items()}
    listed = {dag: set(fields) for dag, fields in animals.DIFFERENCES[executor].items() if dag in DAGS}

    assert listed == {dag: set(words) for dag, words in found.items() if words}, found


def test_a_dag_file_that_cannot_be_imported_is_an_import_error_and_hurts_no_other(dropin, zoo):
    rows = dropin.rows("SELECT filename, stacktrace FROM import_error")

    assert ["broken.py"] == [row[0].rpartition("/")[2] for row in rows]
    assert "no_such_animal" in rows[0][1]
