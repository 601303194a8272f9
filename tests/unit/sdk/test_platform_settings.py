"""Settings that shape DAGs: where they are read, and what a wrong one says. tests/contract/sdk has them beside Airflow's."""

import os
import subprocess
import sys
from datetime import UTC, datetime, timedelta

import pytest

from airlock.sdk import DAG, BaseOperator, BaseSensorOperator
from airlock.sdk.configuration import conf
from airlock.sdk.definitions.operator_resources import Resources
from airlock.sdk.exceptions import AirlockConfigException
from airlock.standard.sensors.filesystem import FileSensor


def printed(program, **settings):
    """What a program prints in a process that has these settings from its start, and the last line of its errors."""
    done = subprocess.run(
        [sys.executable, "-c", program], env={**os.environ, **settings}, capture_output=True, text=True, check=False
    )
    return done.stdout.strip(), (done.stderr.strip().splitlines() or [""])[-1]


def test_a_task_without_retries_takes_those_of_the_setting_and_its_own_ones_win():
    program = (
        "from airlock.sdk import BaseOperator\n"
        "print(*[BaseOperator(task_id='t', **own).retries for own in ({}, {'retries': 1})])"
    )

    assert ("3 1", "") == printed(program, AIRFLOW__CORE__DEFAULT_TASK_RETRIES="3")


def test_a_wrong_setting_of_tasks_is_an_error_where_a_task_is_made_and_not_of_the_import():
    program = "from airlock.sdk import BaseOperator\nprint('imported')\nBaseOperator(task_id='t')"
    wrong = "[core] default_task_retry_delay must be a whole number, not 'soon': correct AIRFLOW__CORE__DEFAULT_TASK_RETRY_DELAY"

    out, error = printed(program, AIRFLOW__CORE__DEFAULT_TASK_RETRY_DELAY="soon")

    assert ("imported", f"airlock.sdk.exceptions.AirlockConfigException: {wrong}") == (out, error)


def test_a_wrong_setting_of_tasks_is_an_error_of_a_mapped_task_too():
    program = "from airlock.sdk import BaseOperator\nBaseOperator.partial(task_id='t').expand(doc=['a'])"

    _, error = printed(program, AIRFLOW__CORE__DEFAULT_TASK_WEIGHT_RULE="sideways")

    assert "[core] default_task_weight_rule must be downstream or upstream or absolute, not 'sideways'" in error


def test_a_dag_says_whether_somebody_set_an_option(monkeypatch):
    assert {None} == set(DAG("d").given.values())

    monkeypatch.setenv("AIRFLOW__CORE__MAX_ACTIVE_TASKS_PER_DAG", "3")

    assert (3, 3) == (DAG("d").given["max_active_tasks"], DAG("d").max_active_tasks)
    assert 4 == DAG("d", max_active_tasks=4).given["max_active_tasks"]


@pytest.mark.parametrize(
    ("name", "value", "make"),
    [
        ("CORE__MAX_ACTIVE_RUNS_PER_DAG", "1.5", lambda: DAG("d")),
        ("SCHEDULER__CATCHUP_BY_DEFAULT", "perhaps", lambda: DAG("d")),
        ("CORE__DEFAULT_TIMEZONE", "Delft", lambda: DAG("d", start_date=datetime(2026, 1, 1))),  # noqa: DTZ001
        ("SENSORS__DEFAULT_TIMEOUT", "-1", lambda: BaseSensorOperator(task_id="t")),
        ("OPERATORS__DEFAULT_CPUS", "", Resources),
        ("OPERATORS__DEFAULT_DEFERRABLE", "no", lambda: FileSensor(task_id="t", filepath="f")),
    ],
)
def test_a_wrong_setting_is_an_error_that_names_it(monkeypatch, name, value, make):
    section, option = name.lower().split("__")
    monkeypatch.setenv(f"AIRLOCK__{name}", value)

    with pytest.raises(AirlockConfigException, match=rf"\[{section}\] {option} must be .*: correct AIRLOCK__{name}"):
        make()


def test_dates_without_a_zone_are_in_the_default_one(monkeypatch):
    monkeypatch.setenv("AIRFLOW__CORE__DEFAULT_TIMEZONE", "Europe/Amsterdam")
    noon = datetime(2026, 7, 1, 12)  # noqa: DTZ001 - that is the point

    assert datetime(2026, 7, 1, 10, tzinfo=UTC) == DAG("d", start_date=noon).start_date
    assert datetime(2026, 7, 1, 10, tzinfo=UTC) == BaseOperator(task_id="t", start_date=noon).start_date


def test_what_a_task_needs_is_filled_up_by_the_settings(monkeypatch):
    monkeypatch.setenv("AIRFLOW__OPERATORS__DEFAULT_RAM", "1024")
    resources = BaseOperator(task_id="t", resources={"cpus": 2}).resources

    assert (2, 1024, 512, 0) == tuple(getattr(resources, each).qty for each in ("cpus", "ram", "disk", "gpus"))


def test_conf_reads_numbers_as_airflows_does(monkeypatch):
    monkeypatch.setenv("AIRFLOW__CORE__PARALLELISM", "4.0")
    assert 4 == conf.getint("core", "parallelism")

    monkeypatch.setenv("AIRLOCK__CORE__PARALLELISM", "4.5")
    with pytest.raises(
        AirlockConfigException, match=r"must be a whole number, not '4\.5': correct AIRLOCK__CORE__PARALLELISM"
    ):
        conf.getint("core", "parallelism")


def test_a_sensor_waits_as_long_as_the_setting_says(monkeypatch):
    monkeypatch.setenv("AIRFLOW__SENSORS__DEFAULT_TIMEOUT", "90.5")

    assert 90.5 == BaseSensorOperator(task_id="t").timeout
    assert 5 == BaseSensorOperator(task_id="t", timeout=timedelta(seconds=5)).timeout
