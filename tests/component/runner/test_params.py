"""What a task reads in ``params``: those of its DAG, over them its own, over them the run's configuration."""

CODE = """
from airlock.sdk import *
from airlock.standard.operators.python import PythonOperator

def show(params):
    print(params)

with DAG("d", params={"one": {"a": 1, "b": 2}, "two": 2}):
    PythonOperator(task_id="t", python_callable=show, params={"own": Param(1, type="integer")})
    PythonOperator(task_id="needs", python_callable=show, params={"own": Param(type="integer")})
    PythonOperator.partial(task_id="mapped", python_callable=show).expand(params=[{"two": 3}, {"two": 4}])
"""


def test_a_value_of_the_conf_replaces_the_whole_value_of_the_param(sidecar, details):
    sidecar.write(CODE)

    sidecar.start(details(conf={"one": {"b": 3}, "more": 5}))

    assert "{'one': {'b': 3}, 'two': 2, 'own': 1, 'more': 5}\n" == sidecar.stdout


def test_a_value_of_the_conf_that_the_tasks_own_param_refuses_fails_the_task_and_is_named(sidecar, details):
    sidecar.write(CODE)

    sidecar.start(details(conf={"own": "text"}))

    assert "failed" == sidecar.asked[-1]["state"]
    (line,) = sidecar.log
    assert "Invalid input for param own: 'text' is not of type 'integer'" in line["event"]


def test_a_tasks_own_param_without_a_value_fails_the_task_and_is_named(sidecar, details):
    sidecar.write(CODE)

    sidecar.start(details(task_id="needs"))

    assert "failed" == sidecar.asked[-1]["state"]
    assert "Invalid input for param own: it has no value and no default" in sidecar.log[0]["event"]


def test_the_conf_changes_nothing_where_the_setting_says_so(sidecar, details):
    sidecar.write("import os\nos.environ['AIRFLOW__CORE__DAG_RUN_CONF_OVERRIDES_PARAMS'] = 'False'\n" + CODE)

    sidecar.start(details(conf={"two": 7}))

    assert "{'one': {'a': 1, 'b': 2}, 'two': 2, 'own': 1}\n" == sidecar.stdout


def test_params_can_be_mapped_over(sidecar, details):
    sidecar.write(CODE)
    body = details(task_id="mapped")
    body["ti"]["map_index"] = 1

    sidecar.start(body)

    assert "{'one': {'a': 1, 'b': 2}, 'two': 4}\n" == sidecar.stdout
