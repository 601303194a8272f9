"""What the bodies of PATCH /state mean."""

from datetime import UTC, datetime, timedelta

import msgspec
import pytest

from airlock_server.api.execution.payloads import decode_report
from airlock_server.web.errors import InvalidRequest
from airlock_wire.states import REPORTABLE, TaskInstanceState

END = "2026-01-01T00:00:00Z"
ENDED = datetime(2026, 1, 1, tzinfo=UTC)

EVENT = {"dest_asset_key": {"name": "orders", "uri": "s3://orders"}, "extra": {}}


def report(**body):
    return decode_report(msgspec.json.encode(body), "application/json")


@pytest.mark.parametrize("state", ["failed", "skipped", "removed", "upstream_failed", "success", "up_for_retry"])
def test_an_end_clears_what_the_task_waited_for(state):
    said = report(state=state, end_date=END)
    assert said.state == state
    assert ENDED == said.values["end_date"]
    assert None is said.values["next_method"]
    assert "rendered_map_index" not in said.values


def test_a_name_for_the_map_index_is_kept_also_when_it_is_null():
    assert None is report(state="failed", end_date=END, rendered_map_index=None).values["rendered_map_index"]
    assert "a" == report(state="failed", end_date=END, rendered_map_index="a").values["rendered_map_index"]


def test_outlets_are_kept_beside_the_columns():
    said = report(state="success", end_date=END, task_outlets=[{"type": "Asset", "uri": "s3://x"}])
    assert [{"type": "Asset", "uri": "s3://x", "name": None}] == said.record["task_outlets"]


@pytest.mark.parametrize("key", ["", "  ", "x" * 251, 5])
def test_a_partition_key_must_be_text_that_is_not_blank_and_not_long(key):
    said = report(state="success", end_date=END, outlet_events=[{**EVENT, "partition_key": key}])
    assert "partition_key" in said.problem


@pytest.mark.parametrize("event", [{}, {"partition_key": None}, {"partition_key": "x" * 250}])
def test_other_outlet_events_are_fine(event):
    assert None is report(state="success", end_date=END, outlet_events=[{**EVENT, **event}]).problem


@pytest.mark.parametrize("event", [{}, {"dest_asset_key": {"name": "n"}}, {**EVENT, "extra": [1]}])
def test_an_outlet_event_names_its_asset_and_has_a_map_of_extras(event):
    with pytest.raises(InvalidRequest):
        report(state="success", end_date=END, outlet_events=[event])


def test_a_long_retry_reason_is_cut():
    said = report(state="up_for_retry", end_date=END, retry_reason="x" * 600, retry_delay_seconds=2)
    assert "x" * 500 == said.values["retry_reason"]
    assert 2.0 == said.values["retry_delay_seconds"]


def test_a_deferral_says_what_it_waits_for():
    said = report(state="deferred", classpath="a.B", next_method="go", trigger_timeout="PT90.5S", trigger_kwargs="enc")
    assert said.timeout == timedelta(seconds=90.5)
    assert {"next_method": "go", "next_kwargs": {}} == said.values
    assert {"classpath": "a.B", "trigger_kwargs": "enc", "queue": None} == said.record


def test_a_task_may_wait_for_a_person():
    said = report(state="awaiting_input", next_method="go", timeout="PT1S", next_kwargs={"a": 1})
    assert (said.timeout, said.values["next_kwargs"]) == (timedelta(seconds=1), {"a": 1})


def test_a_reschedule_has_two_dates():
    said = report(state="up_for_reschedule", end_date=END, reschedule_date="2026-01-01T01:00:00+01:00")
    assert ENDED == said.values["reschedule_date"]


@pytest.mark.parametrize("state", ["scheduled", "queued", "restarting"])
def test_a_state_that_only_airflow_would_parse_is_parsed(state):
    assert report(state=state).state is TaskInstanceState(state)
    assert TaskInstanceState(state) not in REPORTABLE


@pytest.mark.parametrize(
    "body",
    [
        {"end_date": END},
        {"state": "running", "end_date": END},
        {"state": "nonsense"},
        {"state": None, "end_date": END},
        {"state": "failed"},
        {"state": "failed", "end_date": END, "retry_reason": "x"},
        {"state": "success", "end_date": END[:-1]},
        {"state": "deferred", "classpath": "a.B"},
        {"state": "deferred", "classpath": "a.B", "next_method": "go", "trigger_timeout": "soon"},
        {"state": "deferred", "classpath": "a.B", "next_method": "go", "trigger_timeout": "P400000D"},
        {"state": "awaiting_input", "next_method": "go", "end_date": END},
        {"state": "up_for_reschedule", "end_date": END},
        {"state": "queued", "end_date": END},
    ],
)
def test_a_report_of_another_shape_is_refused(body):
    with pytest.raises(InvalidRequest):
        report(**body)
