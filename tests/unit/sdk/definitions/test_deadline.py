"""Deadlines and their callbacks. tests/contract/sdk has them beside Airflow's."""

import datetime as dt

import pytest

from airlock.sdk.definitions.callback import AsyncCallback, SyncCallback
from airlock.sdk.definitions.deadline import (
    AverageRuntimeDeadline,
    DeadlineAlert,
    DeadlineReference,
    FixedDatetimeDeadline,
    VariableInterval,
)
from airlock.sdk.serde import deserialize, serialize
from airlock_wire.protocol.messages import VariableResult

NOON = dt.datetime(2026, 3, 8, 12, tzinfo=dt.UTC)


async def later():
    pass


@pytest.mark.parametrize(
    "reference",
    [
        DeadlineReference.DAGRUN_LOGICAL_DATE, DeadlineReference.DAGRUN_QUEUED_AT, DeadlineReference.FIXED_DATETIME(NOON),
        DeadlineReference.AVERAGE_RUNTIME(5, 2),
    ],
)  # fmt: skip
def test_a_reference_comes_back_from_plain_data(reference):
    assert reference == type(reference).deserialize_reference(reference.serialize_reference())


def test_references_are_equal_by_their_fields():
    assert FixedDatetimeDeadline(NOON) != FixedDatetimeDeadline(NOON + dt.timedelta(1))
    assert AverageRuntimeDeadline(3) == AverageRuntimeDeadline(3, 3)


def test_a_callback_travels_by_airflows_name_and_is_not_imported_when_it_is_read():
    written = serialize(SyncCallback("no.where.to_call", {"a": (1,)}, "e"))

    assert "airflow.sdk.definitions.callback.SyncCallback" == written["__classname__"]
    assert SyncCallback("no.where.to_call", {"a": (1,)}, "e") == deserialize(written)


def test_a_function_that_cannot_be_awaited_is_refused_with_the_fix():
    with pytest.raises(AttributeError, match="use SyncCallback"):
        AsyncCallback("json.dumps")


def test_alerts_are_equal_by_reference_interval_and_callback():
    alert = DeadlineAlert(DeadlineReference.DAGRUN_QUEUED_AT, dt.timedelta(1), AsyncCallback(later), "n")

    assert alert == DeadlineAlert(DeadlineReference.DAGRUN_QUEUED_AT, dt.timedelta(1), AsyncCallback(later))
    assert alert != DeadlineAlert(DeadlineReference.DAGRUN_QUEUED_AT, dt.timedelta(2), AsyncCallback(later))
    assert alert != DeadlineAlert(DeadlineReference.DAGRUN_LOGICAL_DATE, dt.timedelta(1), AsyncCallback(later))


@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def test_an_interval_is_read_from_its_variable(channel):
    channel.answer = VariableResult(key="k", value="90")
    assert dt.timedelta(seconds=90) == VariableInterval("k").resolve()
    channel.answer = VariableResult(key="k", value="soon")
    with pytest.raises(ValueError, match="must be a whole number of seconds, not 'soon'"):
        VariableInterval("k").resolve()


def test_reading_an_interval_by_hand_is_deprecated(channel):
    channel.answer = VariableResult(key="k", value="90")
    with pytest.warns(DeprecationWarning, match="is read when the deadline is evaluated"):
        VariableInterval("k").resolve()
