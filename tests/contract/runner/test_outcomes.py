"""Airflow's own runner behind our sidecar: every way in which a task may end."""

import os
import sys
from pathlib import Path

import pytest

from airlock_wire.record import Reason

pytestmark = pytest.mark.slow


def test_a_task_succeeds_and_its_value_is_pushed(pod, api):
    ended = pod.run("succeed")

    assert (0, Reason.SUCCEEDED, True, 0) == (
        ended.code,
        ended.record.reason,
        ended.record.acknowledged,
        ended.record.exit.code,
    ), ended.text()
    assert {"answer": 42} == api.pushed()
    assert ["success"] == api.states()


@pytest.mark.parametrize(
    ("task_id", "should_retry", "reason", "state"),
    [
        ("fail", False, Reason.FAILED, "failed"),
        ("retry", True, Reason.RETRY, "up_for_retry"),
        ("skip", False, Reason.SKIPPED, "skipped"),
    ],
)
def test_what_the_runner_reports_is_the_tasks_state(pod, api, task_id, should_retry, reason, state):
    api.context |= {"should_retry": should_retry, "max_tries": 2}
    ended = pod.run(task_id)

    assert (0, 0, reason, state, False) == (
        ended.code,
        ended.record.exit.code,
        ended.record.reason,
        ended.record.state,
        ended.record.judged,
    ), ended.text()
    assert [state] == api.states()


def test_a_deferral_carries_its_trigger(pod, api):
    ended = pod.run("defer")
    (body,) = api.bodies("/state")

    assert (0, "deferred", "resume") == (ended.record.exit.code, body["state"], body["next_method"]), ended.text()
    assert "airflow.providers.standard.triggers.temporal.DateTimeTrigger" == body["classpath"]
    assert body["trigger_kwargs"]
    assert ended.record.acknowledged


def test_a_deferred_task_goes_on_where_the_trigger_fired(pod, api):
    api.context |= {"next_method": "resume", "next_kwargs": {"from": "execute", "event": "fired"}}
    ended = pod.run("defer")

    assert Reason.SUCCEEDED == ended.record.reason, ended.text()
    assert {"event": "fired", "from": "execute"} == api.pushed()


def test_a_sensor_that_waits_is_rescheduled(pod, api):
    ended = pod.run("reschedule")
    (body,) = api.bodies("/state")

    assert (0, "up_for_reschedule") == (ended.record.exit.code, body["state"]), ended.text()
    assert body["reschedule_date"]
    assert ended.record.acknowledged


@pytest.mark.parametrize(
    ("task_id", "code", "signal"), [("exit_with_3", 3, None), ("exit_with_0", 0, None), ("killed", None, 9)]
)
@pytest.mark.parametrize(("should_retry", "state"), [(False, "failed"), (True, "up_for_retry")])
def test_a_process_that_ends_without_a_word_has_crashed(pod, api, task_id, code, signal, should_retry, state):
    api.context["should_retry"] = should_retry
    ended = pod.run(task_id)

    assert (0, Reason.CRASHED, code, signal) == (
        ended.code,
        ended.record.reason,
        ended.record.exit.code,
        ended.record.exit.signal,
    )
    assert [state] == api.states()


@pytest.mark.parametrize(
    "what", [{"task_id": "no_such_task"}, {"task_id": "succeed", "file": "no_such_file.py"}], ids=["task", "file"]
)
def test_an_unknown_task_or_file_is_looked_for_again_later(pod, api, what):
    """Airflow's own answer to a bundle that is not refreshed yet: three times, a minute apart."""
    ended = pod.start(**what).end()
    (body,) = api.bodies("/state")

    assert (0, "up_for_reschedule") == (ended.record.exit.code, body["state"]), ended.text()


def test_an_unknown_bundle_is_a_crash_that_the_log_explains(pod):
    ended = pod.run("succeed", bundle="elsewhere")

    assert (Reason.CRASHED, 1) == (ended.record.reason, ended.record.exit.code)
    assert "elsewhere" in ended.text()


def test_a_value_of_3_mb_arrives(pod, api):
    ended = pod.run("large_xcom")

    assert Reason.SUCCEEDED == ended.record.reason, ended.text()
    assert 3 * 1024 * 1024 == len(api.pushed())


def test_a_short_circuit_skips_what_comes_after(pod, api):
    ended = pod.run("short_circuit")
    (body,) = api.bodies("/skip-downstream")

    assert (Reason.SUCCEEDED, ["after"]) == (ended.record.reason, body["tasks"]), ended.text()


def test_a_mapped_task_names_itself(pod, api):
    ended = pod.run("mapped", map_index=0)

    assert Reason.SUCCEEDED == ended.record.reason, ended.text()
    assert "named 0" in str(api.bodies("/rendered-map-index") + api.bodies("/state"))


def test_the_folder_of_dag_files_may_be_named_instead_of_configured(pod, api):
    del pod.env["AIRFLOW__DAG_PROCESSOR__DAG_BUNDLE_CONFIG_LIST"]
    dags = Path(__file__).parent / "dags"
    ended = pod.run("succeed", bundle="dags-folder", options=("--bundle-root", str(dags)))

    assert Reason.SUCCEEDED == ended.record.reason, ended.text()


# --- images that cannot run it ---


def test_an_image_without_airflow_is_told_so_in_the_tasks_log(pod):
    ended = pod.run("succeed", python=sys.executable)

    assert (0, Reason.CRASHED, 1) == (ended.code, ended.record.reason, ended.record.exit.code)
    (said,) = ended.events("task.stderr")
    assert said.startswith("airlock: the image has no Airflow for this task to run in: use an image whose `python` has")


def test_an_image_with_another_airflow_is_told_so(pod, tmp_path):
    (tmp_path / "apache_airflow-2.11.0.dist-info").mkdir()
    (tmp_path / "apache_airflow-2.11.0.dist-info" / "METADATA").write_text("Name: apache-airflow\nVersion: 2.11.0\n")
    pod.env["PYTHONPATH"] = str(tmp_path)
    ended = pod.run("succeed", python=sys.executable)

    assert (Reason.CRASHED, 1) == (ended.record.reason, ended.record.exit.code)
    (said,) = ended.events("task.stderr")
    assert said.startswith("airlock: the image has Airflow 2.11.0, and this Airlock runs tasks in Airflow 3.3: use")


def test_an_image_with_python_3_9_is_told_so(pod):
    python = _old_python()
    ended = pod.run("succeed", python=python)

    assert (Reason.CRASHED, 1) == (ended.record.reason, ended.record.exit.code)
    (said,) = ended.events("task.stderr")
    assert said.startswith("airlock: the image has Python 3.9, and Airflow 3.3 needs 3.10 or newer: use an image")


def _old_python():
    for folder in (*os.environ["PATH"].split(os.pathsep), *map(str, Path.home().glob(".pyenv/versions/3.9.*/bin"))):
        found = Path(folder, "python3.9")
        if found.exists() and "shims" not in folder:
            return found
    return pytest.skip("no Python 3.9 on this machine")
