"""Listeners of plugins in a bundle: what they are told of tasks and DAG runs, and that they hurt nobody."""

import pytest

PLUGIN = """
from airflow.listeners import hookimpl
from airflow.plugins_manager import AirflowPlugin

@hookimpl
def on_task_instance_running(previous_state, task_instance):
    print("running", previous_state.value, task_instance.task_id, task_instance.get_template_context()["ds"])

@hookimpl
def on_task_instance_success(task_instance):
    print("success", task_instance.task_id)

@hookimpl
def on_task_instance_failed(previous_state, task_instance, error):
    print("failed", previous_state.value, task_instance.task_id, error)
    raise ValueError("no luck")

@hookimpl
def on_task_instance_skipped(task_instance):
    print("skipped", task_instance.task_id)

@hookimpl
def on_dag_run_failed(dag_run, msg):
    print("run failed", dag_run.dag_id, dag_run.run_id, msg)

@hookimpl
def on_dag_run_success(dag_run):
    raise ValueError("no luck")

def on_dag_run_running(dag_run):
    print("it has no mark")

class Second:
    @hookimpl
    def on_task_instance_failed(self, error):
        print("second", type(error).__name__)
        raise SystemExit(3)

class Own(AirflowPlugin):
    name = "own"
    listeners = [__import__("sys").modules[__name__], Second()]
"""


@pytest.fixture
def plugins(sidecar):
    folder = sidecar.bundle / "plugins"
    (folder / "deeper").mkdir(parents=True)
    (folder / "own.py").write_text(PLUGIN)
    (folder / "deeper" / "wrong.py").write_text("listeners = 1\nimport flask_that_is_not_here\n")
    (folder / "exits.py").write_text("listeners = 1\nraise SystemExit(3)\n")
    (folder / "gone.py").symlink_to("nowhere.py")
    (folder / "again").symlink_to(folder)
    (folder / "of_another_part.py").write_text("raise RuntimeError('it has none, and is not imported')\n")


@pytest.mark.parametrize(
    ("body", "context", "said"),
    [
        ("print('works')", {}, ["running queued t 2026-01-02", "works", "success t"]),
        ("raise KeyError('x')", {}, ["running queued t 2026-01-02", "failed running t 'x'", "second KeyError"]),
        (
            "raise KeyError('x')",
            {"should_retry": True},
            ["running queued t 2026-01-02", "failed running t 'x'", "second KeyError"],
        ),
        ("raise AirflowSkipException", {}, ["running queued t 2026-01-02", "skipped t"]),
    ],
)
def test_they_are_told_of_a_task_in_its_own_process(sidecar, task_file, details, plugins, body, context, said):
    task_file(body.replace("AirflowSkip", "airlock.sdk.exceptions.AirlockSkip"), options="retry_delay=7")
    if "Skip" in body:
        text = (sidecar.bundle / "d.py").read_text()
        sidecar.write(f"import airlock.sdk.exceptions\n{text}")
    sidecar.start(details(**context))

    assert said == sidecar.stdout.splitlines()
    assert 0 == sidecar.code
    levels = {each["event"].partition(":")[0]: each["level"] for each in sidecar.log}
    assert "warning" == levels["plugin deeper/wrong.py is not loaded"]
    assert ("failed" in said[1]) is ("listener on_task_instance_failed failed" in levels)


def test_a_bundle_without_plugins_has_none(sidecar, task_file, details):
    task_file("print('works')")
    sidecar.start(details())

    assert "works\n" == sidecar.stdout


@pytest.mark.parametrize(
    ("state", "called", "errors", "said"),
    [
        ("failed", 1, [], "run failed d r1 task_failure\n"),
        ("success", 1, ["plugins/own.py:28: ValueError: no luck"], ""),
        ("running", 0, [], ""),
    ],
)
def test_they_are_told_of_a_dag_run_in_callback_mode(sidecar, details, plugins, state, called, errors, said):
    run = details()["ti_context"]["dag_run"]
    call = {"of": "listeners", "state": state, "message": "task_failure", "dag_run": run}
    request = {"type": "CallbackRequest", "call": call, "bundle_name": "b", "file": "d.py", "dag_id": "d"}
    sidecar.start(request | {"run_id": "r1", "startup": None})

    result = sidecar.asked[0]
    assert (called, errors, said) == (result["called"], result["errors"], sidecar.stdout)
