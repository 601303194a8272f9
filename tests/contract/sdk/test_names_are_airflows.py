"""Airflow's import names: every name that a DAG file may import gives ours, or is listed as missing with its reason."""

import json
import subprocess
import sys
from pathlib import Path

import pytest
from contract.sdk.missing import LEFT_OUT, MISSING

from airlock.names.moved import MOVED
from airlock.names.table import MODULES

pytestmark = pytest.mark.slow

DRIVERS = Path(__file__).parent / "drivers"
#: Modules that are Airflow's own and that its DAG files import from.
PLAIN = sorted(
    module
    for module, ours in MODULES.items()
    if (ours or module == "airflow.models.taskinstance") and module not in MOVED and module != "airflow.models"
    # Internals, of which the table has the few names that moved there.
    and "._internal" not in module and module not in ("airflow.sdk.api.datamodels._generated", "airflow.utils.context")
    and not module.startswith(("airflow.models.", "airflow.sdk.configuration", "airflow.configuration", "airflow.sdk.log", "airflow.providers.common.compat"))
)  # fmt: skip


@pytest.fixture(scope="module")
def theirs(run_driver):
    return json.loads(
        run_driver(DRIVERS / "names.py", json.dumps([*PLAIN, "airflow.exceptions"]).encode()).splitlines()[-1]
    )


@pytest.fixture(scope="module")
def pairs(theirs):
    rows = {("airflow.sdk", name) for name in theirs["all"]}
    rows |= {(module, name) for module, names in theirs["names"].items() for name in names}
    rows |= {(module, name) for module, names in theirs["moved"].items() for name in names if name != "*"}
    rows = {each for each in rows if not f"{each[0]}.".startswith(LEFT_OUT)}
    # What Airflow lists and cannot import itself is nobody's loss.
    return sorted(each for each in rows if theirs["warns"].get(".".join(each)) != "broken")


@pytest.fixture(scope="module")
def ours(pairs):
    done = subprocess.run(
        [sys.executable, "-P", DRIVERS / "ours.py"],
        input=json.dumps(pairs),
        capture_output=True,
        text=True,
        timeout=100,
    )
    assert 0 == done.returncode, done.stderr[-4000:]
    return {f"{module}.{name}": answer for (module, name), answer in zip(pairs, json.loads(done.stdout), strict=True)}


def test_the_names_that_are_missing_are_exactly_those_listed(ours):
    listed = {name for names in MISSING.values() for name in names.split()}
    missing = {path for path, answer in ours.items() if "error" in answer}

    assert listed == missing, f"now there: {sorted(listed - missing)}; not listed: {sorted(missing - listed)}"


def test_every_name_that_moved_in_airflow_is_in_the_table_or_left_out(theirs):
    moved = {f"{module}.{name}": new for module, names in theirs["moved"].items() for name, new in names.items()}
    table = {f"{module}.{name}": new for module, names in MOVED.items() for name, new in names.items()}

    assert {} == {path: new for path, new in moved.items() if not path.startswith(LEFT_OUT) and table.get(path) != new}


def test_a_name_warns_where_airflows_warns_and_with_its_category(theirs, ours):
    there = {path: kinds for path, kinds in theirs["warns"].items() if "value" in ours.get(path, {})}
    here = {path: answer["warns"][0][0] for path, answer in ours.items() if "value" in answer and answer["warns"]}

    assert len(there) > 10
    assert there == here


def test_a_warning_names_the_old_path_and_the_new_one(ours):
    for path, answer in ours.items():
        for _, text in answer["warns"] if "value" in answer else ():
            module, _, name = path.rpartition(".")
            assert path in text
            assert MOVED[module].get(name, f"{MOVED[module].get('*')}.{name}") in text
