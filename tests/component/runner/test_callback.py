"""Callback mode: which callbacks to call in, how many were called and what they raised out."""

import pytest

CODE = """
import os
from airflow.sdk import DAG, BaseNotifier, BaseOperator

def tell(context):
    print("told", context["reason"], context["run_id"], sorted(set(context) & {"ti", "task", "ds", "exception"}))

def wrong(context):
    raise ValueError("no luck")

def leave(context):
    raise SystemExit(3)

def lost(context):
    print("lost", context["ti"].task_id, context["ti"].try_number, context["exception"])

class Note(BaseNotifier):
    template_fields = ("text",)

    def __init__(self, text):
        super().__init__()
        self.text = text

    def notify(self, context):
        print("note", self.text)

def late(context, who):
    print("late", who, context["deadline"]["id"], context["deadline"]["deadline_time"], context["dag_run"].run_id)

def plain(who):
    print("plain", who)

async def soon(who, context):
    print("soon", who, context["deadline"]["id"])

callbacks = [tell, wrong, leave, Note("{{ dag.dag_id }} {{ run_id }} {{ reason }}")]
with DAG("d", on_success_callback=callbacks, on_failure_callback=tell):
    BaseOperator(task_id="t", on_failure_callback=[wrong, lost], on_retry_callback=lost)
    BaseOperator.partial(task_id="m", on_failure_callback=lost).expand(owner=["a", "b"])
"""
MOMENT = "2026-01-02T00:00:00Z"


@pytest.fixture
def call(sidecar, details):
    """Calls callbacks in the runner; returns the result."""

    def ask(call, *, instance=True, code=CODE, task_id="t", map_index=-1, dag_id="d"):
        startup = details(task_id=task_id, dag_id=dag_id)
        startup["ti"]["map_index"] = map_index
        sidecar.write(code)
        sidecar.write(code, "helper.py")
        request = {"type": "CallbackRequest", "call": call, "bundle_name": "b", "file": "d.py", "dag_id": dag_id}
        sidecar.start(request | {"run_id": "r1", "startup": startup if instance else None})
        results = [each for each in sidecar.asked if each["type"] == "CallbackResult"]
        return (results[0]["called"], results[0]["errors"]) if results else None

    return ask


@pytest.fixture
def deadline(call, details):
    def ask(path, kind="sync"):
        run = details()["ti_context"]["dag_run"]
        about = {"of": "deadline", "kind": kind, "path": path, "kwargs": {"who": "us"}, "deadline_id": "d1"}
        return call(about | {"deadline_time": MOMENT, "dag_run": run}, instance=False)

    return ask


def test_the_callbacks_of_a_dag_have_the_context_of_its_last_task_instance_and_the_reason(sidecar, call):
    assert (1, []) == call({"of": "dag", "state": "failed", "reason": "task_failure"})
    assert "told task_failure r1 ['ds', 'task', 'ti']\n" == sidecar.stdout
    assert 0 == sidecar.code


@pytest.mark.parametrize("instance", [True, False])
def test_one_that_raises_or_exits_hurts_no_other_and_a_notifier_is_rendered(sidecar, call, instance):
    called, errors = call({"of": "dag", "state": "success", "reason": "success"}, instance=instance)

    assert (4, ["d.py:9: ValueError: no luck", "d.py:12: SystemExit: 3"]) == (called, errors)
    assert "note d r1 success" in sidecar.stdout
    assert ["calling on_success_callback of DAG d: wrong", "on_success_callback of DAG d: wrong failed: ValueError: no luck"] == [
        each["event"] for each in sidecar.log if "wrong" in each["event"]
    ]  # fmt: skip


def test_without_a_task_instance_the_context_is_the_dag_the_run_and_the_reason(sidecar, call):
    call({"of": "dag", "state": "failed", "reason": "all_tasks_deadlocked"}, instance=False)

    assert "told all_tasks_deadlocked r1 []\n" == sidecar.stdout


def test_a_task_instance_whose_task_is_gone_leaves_the_callback_the_dag(sidecar, call):
    call({"of": "dag", "state": "failed", "reason": "timed_out"}, task_id="gone")

    assert "told timed_out r1 []\n" == sidecar.stdout


@pytest.mark.parametrize(
    ("state", "result"),
    [("failed", (2, ["d.py:9: ValueError: no luck"])), ("up_for_retry", (1, []))],
)
def test_a_task_whose_runner_was_lost_has_its_callbacks_called_with_how_it_ended(sidecar, call, state, result):
    assert result == call({"of": "task", "state": state, "error": "OOMKilled: no memory"})
    assert "lost t 1 OOMKilled: no memory\n" == sidecar.stdout


def test_a_task_that_is_gone_is_an_error(call):
    result = call({"of": "task", "state": "failed", "error": "Crashed"}, task_id="gone")

    assert (0, ["d.py: DAG 'd' does not have the task any more"]) == result


def test_so_has_an_instance_of_a_mapped_task(sidecar, call):
    assert (1, []) == call({"of": "task", "state": "failed", "error": "Crashed"}, task_id="m", map_index=1)
    assert "lost m 1 Crashed\n" == sidecar.stdout


@pytest.mark.parametrize(
    ("path", "kind", "said"),
    [
        ("helper.late", "sync", "late us d1 2026-01-02 00:00:00+00:00 r1\n"),
        ("airlock_dag_file_d.late", "sync", "late us d1 2026-01-02 00:00:00+00:00 r1\n"),
        ("helper.plain", "sync", "plain us\n"),
        ("helper.soon", "async", "soon us d1\n"),
    ],
)
def test_a_deadline_calls_a_function_by_its_path_with_its_arguments_and_the_deadline(
    sidecar, deadline, path, kind, said
):
    assert (1, []) == deadline(path, kind)
    assert said == sidecar.stdout


def test_a_deadline_calls_the_object_of_a_notifiers_class(sidecar, call, details):
    about = {
        "of": "deadline",
        "kind": "sync",
        "path": "helper.Note",
        "kwargs": {"text": "{{ dag_run.run_id }} is late"},
    }
    run = details()["ti_context"]["dag_run"]

    assert (1, []) == call(about | {"deadline_id": "d1", "deadline_time": MOMENT, "dag_run": run}, instance=False)
    assert "note r1 is late\n" == sidecar.stdout


@pytest.mark.parametrize(
    ("path", "kind", "error"),
    [
        ("helper.nothing", "sync", "ImportError: 'helper.nothing'"),
        ("nowhere.late", "sync", "ModuleNotFoundError: No module named 'nowhere'"),
        ("helper.plain", "async", "TypeError: object NoneType can't be used in 'await' expression"),
    ],
)
def test_a_deadline_that_cannot_be_called_is_an_error(deadline, path, kind, error):
    called, errors = deadline(path, kind)

    assert 1 == called
    assert error in errors[0]


@pytest.mark.parametrize(
    ("code", "dag_id", "error"),
    [("x\n", "d", "d.py:1: NameError: name 'x' is not defined"), (CODE, "other", "d.py: no DAG 'other' in this file")],
)
def test_a_file_that_lacks_the_dag_is_an_error(call, code, dag_id, error):
    called, errors = call({"of": "dag", "state": "failed", "reason": "task_failure"}, code=code, dag_id=dag_id)

    assert 0 == called
    assert error in errors[0]
