"""A sidecar whose runner runs a trigger: it has the task's rights to ask, and none to report a state."""

import json

import pytest
from doubles.sidecar import TI, work

from airlock_wire.protocol.messages import BundleInfo, StartupDetails
from airlock_wire.protocol.triggers import TriggerRequest
from airlock_wire.record import Reason
from airlock_wire.workload import Access, Trigger

RESULT = {"type": "TriggerResult", "event": 1, "end": None, "error": None, "traceback": ["the password is s3cret"]}


def workload(**changes):
    executes = work()
    startup = StartupDetails(
        ti=TI, dag_rel_path=executes.dag_rel_path, bundle_info=BundleInfo(name="b"),
        start_date="2026-01-01T00:00:00Z", ti_context={}, sentry_integration="",
    )  # fmt: skip
    request = TriggerRequest(startup=startup, classpath="a.Own", kwargs={"x": 1})
    return Trigger(request=request, log_path="try.log.trigger.1.log", **changes)


@pytest.fixture
def trigger(make_sidecar, make_launcher):
    def launch(**changes):
        sidecar = make_sidecar(workload(**changes)).start()
        launcher = make_launcher(sidecar)
        return sidecar, launcher, launcher.begin()

    return launch


def test_a_trigger_is_started_with_its_request_and_no_call_of_run(api, trigger):
    sidecar, launcher, first = trigger()
    assert ("TriggerRequest", "a.Own", {"x": 1}, "t") == (
        first["type"], first["classpath"], first["kwargs"], first["startup"]["ti"]["task_id"],
    )  # fmt: skip
    launcher.ask({"type": "MaskSecret", "value": "s3cret"})
    launcher.ask(RESULT)
    launcher.exit(0)

    assert Reason.FIRED is sidecar.end().reason
    assert [] == [each for each in api.calls if "task-instances" in each.path]
    assert RESULT | {"traceback": ["the password is ***"]} == json.loads(
        (sidecar.folder / "state/result.json").read_text()
    )


def test_a_second_result_is_refused(trigger):
    _, launcher, _ = trigger()
    launcher.ask(RESULT)
    assert "a second TriggerResult is refused" in str(launcher.ask(RESULT | {"event": 2}))


@pytest.mark.parametrize(
    "message",
    [
        {"type": "SucceedTask", "end_date": "2026-01-01T00:00:00Z"},
        {"type": "SetRenderedFields", "rendered_fields": {}},
        {"type": "SkipDownstreamTasks", "tasks": []},
    ],
)
def test_a_trigger_cannot_speak_as_its_task(api, trigger, message):
    _, launcher, _ = trigger()
    assert "is not served to this runner" in str(launcher.ask(message))
    assert [] == [each for each in api.calls if "task-instances" in each.path]


def test_a_trigger_asks_with_the_rights_of_its_task(trigger):
    _, launcher, _ = trigger(access=Access(connections=()))
    assert "PERMISSION_DENIED" in str(launcher.ask({"type": "GetConnection", "conn_id": "c"}))


def test_a_trigger_that_takes_too_long_is_stopped(trigger):
    sidecar, launcher, _ = trigger(timeout_seconds=0.2)
    launcher.hear("stop")
    launcher.exit(0)
    record = sidecar.end()
    assert (Reason.TIMED_OUT, "the trigger ran longer than its limit of 0.2 s and was stopped") == (
        record.reason,
        record.message,
    )
