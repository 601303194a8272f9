"""A sidecar whose runner calls callbacks: with the rights of the task instance that they are about, or with none."""

import json

import pytest
from doubles.sidecar import TI, work

from airlock_wire.protocol.callbacks import CallbackRequest, DagCallbacks, TaskCallbacks
from airlock_wire.protocol.messages import BundleInfo, StartupDetails
from airlock_wire.record import Reason
from airlock_wire.workload import Access, Callback

RESULT = {"type": "CallbackResult", "called": 2, "errors": ["d.py:1: the password is s3cret"]}
OF_DAG = DagCallbacks(state="failed", reason="task_failure")
OF_TASK = TaskCallbacks(state="failed", error="Crashed")
VARIABLE = {"type": "GetVariable", "key": "k"}


@pytest.fixture
def callbacks(make_sidecar, make_launcher):
    def launch(call=OF_DAG, *, instance=True, token="token-0", **changes):
        executes = work()
        startup = StartupDetails(
            ti=TI, dag_rel_path=executes.dag_rel_path, bundle_info=BundleInfo(name="b"),
            start_date="2026-01-01T00:00:00Z", ti_context={}, sentry_integration="",
        )  # fmt: skip
        request = CallbackRequest(
            call=call, bundle_name="b", file="d.py", dag_id="d", run_id="r1", startup=startup if instance else None
        )
        options = {"log_path": "dag.callback.1.log", "timeout_seconds": 30.0} | changes
        sidecar = make_sidecar(Callback(request=request, **options)).start(token)
        launcher = make_launcher(sidecar)
        return sidecar, launcher, launcher.begin()

    return launch


@pytest.mark.parametrize("instance", [True, False])
def test_callbacks_are_called_without_a_call_of_run_and_their_errors_are_masked(api, callbacks, instance):
    sidecar, launcher, first = callbacks(instance=instance)
    assert ("CallbackRequest", "dag", instance) == (first["type"], first["call"]["of"], first["startup"] is not None)
    launcher.ask({"type": "MaskSecret", "value": "s3cret"})
    launcher.ask(RESULT)
    launcher.exit(0)

    assert Reason.ANSWERED is sidecar.end().reason
    assert [] == [each for each in api.calls if "task-instances" in each.path]
    assert ["d.py:1: the password is ***"] == json.loads((sidecar.folder / "state/result.json").read_text())["errors"]


def test_with_a_task_instance_they_ask_with_its_rights(api, callbacks):
    _, launcher, _ = callbacks(access=Access(connections=()))
    launcher.ask(VARIABLE)

    assert ["/variables/k"] == [each.path for each in api.calls]
    assert "PERMISSION_DENIED" in str(launcher.ask({"type": "GetConnection", "conn_id": "c"}))


def test_without_one_and_without_a_token_they_are_granted_nothing(api, callbacks):
    _, launcher, _ = callbacks(instance=False, token=None)

    assert "in a callback without a task instance: nothing is granted to it" in str(launcher.ask(VARIABLE))
    assert [] == api.calls


@pytest.mark.parametrize(
    "message", [{"type": "SucceedTask", "end_date": "2026-01-01T00:00:00Z"}, {"type": "TriggerResult"}]
)
@pytest.mark.parametrize("instance", [True, False])
def test_callbacks_cannot_speak_as_a_task_or_a_trigger(callbacks, instance, message):
    _, launcher, _ = callbacks(instance=instance)
    assert "is not served to this runner" in str(launcher.ask(message))


@pytest.mark.parametrize(("call", "task_id"), [(OF_DAG, None), (OF_TASK, TI.task_id)])
def test_lines_about_a_run_name_no_task_and_those_about_a_task_do(callbacks, call, task_id):
    sidecar, launcher, _ = callbacks(call, timeout_seconds=0.2)
    launcher.hear("stop")
    launcher.exit(None, signal=9)

    record = sidecar.end()
    assert (Reason.TIMED_OUT, "the callbacks took longer than their limit of 0.2 s and were stopped") == (
        record.reason, record.message,
    )  # fmt: skip
    assert {task_id} == {line.get("task_id") for line in sidecar.log()}
    assert {"r1" if task_id is None else TI.run_id} == {line["run_id"] for line in sidecar.log()}
