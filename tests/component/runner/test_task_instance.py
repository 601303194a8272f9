"""What callbacks and tasks read of ``ti``, the task instance that runs."""

import os

import pytest

DAG = """
from airlock.sdk import *

def tell(context):
    ti = context["ti"]
    print(ti.state.value, ti.end_date is not None)


with DAG("d"):
    @task(task_id="t", on_execute_callback=tell, {callback}=tell)
    def f():
        {body}
    f()
"""


@pytest.mark.parametrize(
    ("body", "callback", "should_retry", "state"),
    [
        ("return 1", "on_success_callback", False, "success"),
        ("raise ValueError(1)", "on_failure_callback", False, "failed"),
        ("raise ValueError(1)", "on_retry_callback", True, "up_for_retry"),
        ("raise AirlockSkipException('x')", "on_skipped_callback", False, "skipped"),
    ],
)
def test_callbacks_read_the_state_and_whether_the_task_has_ended(sidecar, details, body, callback, should_retry, state):
    sidecar.write(DAG.format(body=body, callback=callback))

    sidecar.start(details(should_retry=should_retry))

    assert f"running False\n{state} True\n" == sidecar.stdout


def test_the_address_of_the_log_is_below_the_base_url_of_the_settings(sidecar, task_file, details):
    body = """
    import os
    print(ti.log_url)
    os.environ["AIRFLOW__API__BASE_URL"] = "https://air.flow/"
    print(ti.log_url)
    print(ti.mark_success_url, ti.is_mapped)
    """
    task_file(body, parameters="ti")

    sidecar.start(details())

    path = "dags/d/runs/r1/tasks/t?try_number=1"
    below = f"https://air.flow/{path}"
    assert f"http://localhost:8080/{path}\n{below}\n{below} False\n" == sidecar.stdout


def test_an_instance_of_a_mapped_task_that_fails_has_its_name_too(sidecar, details):
    code = """
    from airlock.sdk import *

    with DAG("d"):
        @task(task_id="t", map_index_template="{{ name }}")
        def f(x):
            get_current_context()["name"] = f"order {x}"
            raise ValueError(x)
        f.expand(x=[5, 6])
    """
    sidecar.write(code)
    body = details()
    body["ti"]["map_index"] = 1

    sidecar.start(body)

    assert ("failed", "order 6") == (sidecar.asked[-1]["state"], sidecar.asked[-1]["rendered_map_index"])


def test_a_task_without_assets_has_no_events_and_may_speak_of_some_to_nobody(sidecar, task_file, details):
    body = """
    outlet_events[Asset("a")].extra = {"rows": 1}
    print(len(inlet_events), "outlet_events" in get_current_context())
    """
    task_file(body, parameters="*, inlet_events, outlet_events")

    sidecar.start(details())

    assert "0 True\n" == sidecar.stdout
    assert "SucceedTask" == sidecar.types[-1]


def test_a_task_knows_the_host_that_it_runs_on(sidecar, task_file, details):
    task_file("print(ti.hostname)", parameters="ti")

    sidecar.start(details())

    assert f"{os.uname().nodename}\n" == sidecar.stdout
