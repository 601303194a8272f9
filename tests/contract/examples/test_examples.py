"""
Airflow's example DAGs, unchanged: each is imported through Airflow's names, and ends here as by Airflow's dag.test().

``WRITE_EXAMPLES=1`` with the long form writes what docs/reference/airflow-examples.md shows.
"""

import json
import os
import shutil
import subprocess
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from contract.examples import table
from contract.examples.running import Examples

RUNS = Path(__file__).resolve().parents[3] / "tools/reference/examples.json"
#: What `make contract` runs: mapping, branches, skips, setups and teardowns, groups, XComs.
SHORT = (
    "example_dags/example_dynamic_task_mapping.py",
    "example_dags/example_nested_branch_dag.py",
    "example_dags/example_setup_teardown_taskflow.py",
    "example_dags/example_skip_dag.py",
    "example_dags/example_xcomargs.py",
    "providers/standard/example_dags/example_short_circuit_operator.py",
)


@pytest.fixture(scope="module")
def examples(airflow_python, tmp_path_factory):
    return Examples(airflow_python, tmp_path_factory.mktemp("examples"))


@pytest.fixture(scope="module")
def dags(examples):
    return examples.dags()


@pytest.fixture(scope="module")
def airflow_home(airflow_python, airflow_env, tmp_path_factory):
    """A home of Airflow with a migrated database."""
    home = tmp_path_factory.mktemp("migrated")
    environ = airflow_env | {"AIRFLOW_HOME": str(home), "HOME": str(home)}
    subprocess.run(
        [airflow_python, "-m", "airflow", "db", "migrate"], env=environ, capture_output=True, timeout=300, check=True
    )
    return home


def in_a_home(examples, migrated, airflow_env, dags, beside):
    """How DAGs end by an Airflow of their own."""
    home = examples.folder / f"airflow-{len(dags)}-{next(iter(dags)).replace('/', '-')}"
    shutil.copytree(migrated, home)
    named = {
        "AIRFLOW_HOME": home,
        "HOME": home,
        "AIRFLOW__DATABASE__SQL_ALCHEMY_CONN": f"sqlite:///{home}/airflow.db",
    }
    return examples.airflows(dags, airflow_env | {key: str(each) for key, each in named.items()}, beside)


def runs_of(examples, migrated, airflow_env, dags):
    """How the DAGs of some files end, by Airflow and by us."""
    run = {name: [each for each in dag_ids if each not in table.NOT_RUN] for name, dag_ids in dags.items()}
    run = {name: dag_ids for name, dag_ids in run.items() if dag_ids}
    first = {dag_id: table.KNOWN_BEFORE.get(dag_id, ()) for dag_ids in run.values() for dag_id in dag_ids}
    beside = {name: sorted({file for dag_id in dag_ids for file in first[dag_id]}) for name, dag_ids in run.items()}
    alone = [{name: dag_ids} for name, dag_ids in run.items() if name in table.OWN_AIRFLOW]
    together = {name: dag_ids for name, dag_ids in run.items() if name not in table.OWN_AIRFLOW}
    with ThreadPoolExecutor(3) as pool:
        theirs = [
            pool.submit(in_a_home, examples, migrated, airflow_env, each, beside) for each in (together, *alone) if each
        ]
        ours = {
            dag_id: pool.submit(examples.ours, name, dag_id, first[dag_id])
            for name, dag_ids in run.items()
            for dag_id in dag_ids
        }
        by_airflow = {dag_id: end for each in theirs for dag_id, end in each.result().items()}
        return {dag_id: (by_airflow[dag_id], end.result()) for dag_id, end in ours.items()}


def differences(dag_id, theirs, ours):
    """The instances that end differently, with both states; the run itself has no name."""
    names = theirs["instances"].keys() | ours["instances"].keys()
    states = {name: (theirs["instances"].get(name, "absent"), ours["instances"].get(name, "absent")) for name in names}
    states[""] = (theirs["state"], ours["state"])
    return {(dag_id, name): pair for name, pair in sorted(states.items()) if pair[0] != pair[1]}


def result(name, dag_ids, runs):
    """What the page says of a file."""
    found = {}
    for dag_id in dag_ids:
        if dag_id not in runs:
            found[dag_id] = {"not_run": table.NOT_RUN[dag_id]}
            continue
        _, ours = runs[dag_id]
        found[dag_id] = {"run": ours["state"], "instances": len(ours["instances"])}
        if reasons := sorted({why for (of, _), why in table.DIFFERENT.items() if of == dag_id}):
            found[dag_id]["different"] = reasons
    return {"dags": found} if found else {"dags": {}, "without": table.WITHOUT_DAGS[name]}


def test_every_example_is_imported_through_airflows_names(dags):
    errors = {name: found for name, found in dags.items() if isinstance(found, str)}

    assert {} == errors
    assert sorted(table.WITHOUT_DAGS) == sorted(name for name, found in dags.items() if not found)
    assert sorted(json.loads(RUNS.read_text())) == sorted(dags), "run the long form with WRITE_EXAMPLES=1"


def test_the_table_names_no_dag_that_is_gone(dags):
    known = {dag_id for found in dags.values() for dag_id in found}

    assert set() == {*table.NOT_RUN, *table.KNOWN_BEFORE, *(dag_id for dag_id, _ in table.DIFFERENT)} - known


def test_examples_end_as_by_airflow(examples, dags, airflow_home, airflow_env):
    runs = runs_of(examples, airflow_home, airflow_env, {name: dags[name] for name in SHORT})

    assert [] == [each for dag_id, pair in runs.items() for each in differences(dag_id, *pair).items()]
    assert 8 < len(runs)
    assert all(pair[1]["instances"] for pair in runs.values())


@pytest.mark.soak
@pytest.mark.timeout(3000)
def test_every_example_ends_as_by_airflow(examples, dags, airflow_home, airflow_env):
    runs = runs_of(examples, airflow_home, airflow_env, dags)

    different = {key: pair for dag_id, pair in runs.items() for key, pair in differences(dag_id, *pair).items()}
    results = {name: result(name, dag_ids, runs) for name, dag_ids in dags.items()}
    if os.environ.get("WRITE_EXAMPLES"):
        RUNS.write_text(json.dumps(results, indent=1, sort_keys=True) + "\n")
    assert sorted(table.DIFFERENT) == sorted(different), different
    assert json.loads(RUNS.read_text()) == results, "run this test with WRITE_EXAMPLES=1, then scripts/manifests.sh"
