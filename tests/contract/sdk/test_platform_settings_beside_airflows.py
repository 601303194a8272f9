"""Settings of the platform: the same DAG file gets the same of them under Airflow and under our SDK."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from airlock_server import dag_settings
from airlock_server.settings import load_settings

pytestmark = pytest.mark.slow

DRIVER = Path(__file__).parent / "drivers" / "platform_settings.py"
NOWHERE = Path("/nonexistent")

#: Section, option, a value that is not the default, and the part of the file that shows it.
TABLE = [
    ("core", "default_task_retries", "3", "retries"),
    ("core", "default_task_retry_delay", "7.0", "retry_delay"),
    ("core", "default_task_execution_timeout", "90", "execution_timeout"),
    ("core", "default_task_weight_rule", "absolute", "weight_rule"),
    ("core", "max_active_tasks_per_dag", "5", "max_active_tasks"),
    ("core", "max_active_runs_per_dag", "6", "max_active_runs"),
    ("core", "max_consecutive_failed_dag_runs_per_dag", "7", "max_consecutive_failed_dag_runs"),
    ("core", "default_timezone", "Europe/Amsterdam", "dates"),
    ("core", "dag_run_conf_overrides_params", "False", "params"),
    ("core", "max_templated_field_length", "40", "whole_fields"),
    ("operators", "default_owner", "data", "owner"),
    ("operators", "default_queue", "slow", "queue"),
    ("operators", "default_deferrable", "True", "deferrable"),
    ("operators", "default_cpus", "2", "resources"),
    ("operators", "default_ram", "1024", "resources"),
    ("operators", "default_disk", "2048", "resources"),
    ("operators", "default_gpus", "1", "resources"),
    ("sensors", "default_timeout", "90.5", "sensor"),
    ("email", "default_email_on_failure", "false # quiet", "email_on_failure"),
    ("email", "default_email_on_retry", "0", "email_on_retry"),
    ("scheduler", "catchup_by_default", "t", "catchup"),
    ("scheduler", "create_cron_data_intervals", "True", "timetables"),
    ("dag_processor", "disable_bundle_versioning", "True", "disable_bundle_versioning"),
]
#: Settings that Airflow reads when it is imported, with a value that they cannot have.
AT_IMPORT = {
    "default_task_retries": "many", "default_task_retry_delay": "1.5", "default_task_execution_timeout": "1.0",
    "default_task_weight_rule": "sideways", "default_email_on_failure": "perhaps", "default_email_on_retry": "",
    "default_deferrable": "maybe",
}  # fmt: skip
#: The same of those that it reads where a DAG file needs them.
AT_USE = {
    "max_active_tasks_per_dag": "many", "max_active_runs_per_dag": "1.5", "max_consecutive_failed_dag_runs_per_dag": "",
    "dag_run_conf_overrides_params": "2", "max_templated_field_length": "4k", "default_cpus": "half", "default_ram": "1G",
    "default_disk": "-", "default_gpus": "inf", "default_timeout": "1 day", "catchup_by_default": "yes",
    "disable_bundle_versioning": "off", "create_cron_data_intervals": "no",
}  # fmt: skip


def assert_names(error, option):
    """Our error names the setting and the variable to correct."""
    assert "AirlockConfigException" == error["error"]
    assert f"] {option} must be " in error["text"]
    assert error["text"].endswith(f": correct {variable(option)}")


def variable(option, product="AIRFLOW"):
    section = next(section for section, name, _, _ in TABLE if name == option)
    return f"{product}__{section}__{option}".upper()


IMPORTED = {
    "unset": {},
    "set": {variable(option): value for _, option, value, _ in TABLE},
    "empty timeout": {"AIRFLOW__CORE__DEFAULT_TASK_EXECUTION_TIMEOUT": ""},
    "delta intervals": {"AIRFLOW__SCHEDULER__CREATE_DELTA_DATA_INTERVALS": "True"},
    **{option: {variable(option): value} for option, value in AT_IMPORT.items()},
}
GIVEN = json.dumps(
    {"imported": IMPORTED, "used": {option: {variable(option): value} for option, value in AT_USE.items()}}
)


@pytest.fixture(scope="module")
def theirs(run_driver):
    return json.loads(run_driver(DRIVER, GIVEN.encode(), arguments=["airflow"]).splitlines()[-1])


@pytest.fixture(scope="module")
def ours():
    done = subprocess.run(
        [sys.executable, "-P", DRIVER, "airlock"], input=GIVEN, capture_output=True, text=True, timeout=100
    )  # fmt: skip
    assert 0 == done.returncode, done.stderr[-4000:]
    return json.loads(done.stdout.splitlines()[-1])


@pytest.mark.parametrize("case", ["unset", "set", "empty timeout", "delta intervals"])
def test_the_same_settings_give_a_dag_file_the_same(theirs, ours, case):
    assert theirs[case] == ours[case]


@pytest.mark.parametrize(("option", "part"), [(option, part) for _, option, _, part in TABLE])
def test_each_setting_changes_what_a_dag_file_gets(ours, option, part):
    assert ours["unset"][part] != ours["set"][part], option


def test_a_step_of_time_does_not_look_at_its_own_setting_in_airflow_either(theirs):
    assert theirs["unset"] == theirs["delta intervals"]


@pytest.mark.parametrize(("option", "part"), [(option, part) for _, option, _, part in TABLE if option in AT_USE])
def test_a_wrong_setting_is_an_error_where_it_is_used(theirs, ours, option, part):
    assert "AirflowConfigException" == theirs[option][part]["error"]
    assert_names(ours[option][part], option)


@pytest.mark.parametrize("option", AT_IMPORT)
def test_a_wrong_setting_of_tasks_is_an_error_that_names_it_and_the_fix(theirs, ours, option):
    part = next(part for _, name, _, part in TABLE if name == option)

    assert "AirflowConfigException" == theirs[option]["file"]["error"]
    assert_names(ours[option].get("file") or ours[option][part], option)


def test_the_server_hands_each_of_its_settings_on_by_airflows_name():
    values = {option: value.partition(" #")[0].removesuffix(".0") for _, option, value, _ in TABLE}
    given = {
        variable(option, "AIRLOCK"): {"t": "true"}.get(value, value)
        for option, value in values.items()
        if option != "disable_bundle_versioning"
    }
    handed = dag_settings.variables(load_settings(NOWHERE, given))

    assert {name.replace("AIRLOCK", "AIRFLOW", 1) for name in given} == set(handed)
