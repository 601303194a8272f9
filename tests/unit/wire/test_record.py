"""The record stays within a pod's termination message, whatever is in it."""

from datetime import UTC, datetime

import pytest

from airlock_wire import record
from airlock_wire.options import TaskOptions
from airlock_wire.record import Exit, Reason, Record


@pytest.mark.parametrize("reason", Reason)
def test_a_record_survives_the_way(reason):
    entry = Record(reason=reason, state="failed", acknowledged=True, exit=Exit(code=3), timeline={"started": 1.5})

    assert entry == record.decode(record.encode(entry))


@pytest.mark.parametrize(
    "entry",
    [
        Record(reason=Reason.CRASHED, message="é" * 100_000),
        Record(reason=Reason.CRASHED, message="\x00" * 600),
        Record(reason=Reason.CRASHED, refusals={f"kind {n}": n for n in range(500)}),
        Record(reason=Reason.CRASHED, timeline={f"step {n}": 1e9 + n for n in range(500)}, message="x" * 600),
        Record(
            reason=Reason.CRASHED,
            message="\x00" * 600,
            options=TaskOptions(
                retries=10_000,
                retry_delay_seconds=31_557_599_999.999,
                retry_exponential_backoff=1.2345678901234567e300,
                max_retry_delay_seconds=31_557_599_999.999,
                execution_timeout_seconds=31_557_599_999.999,
            ),
            retry_delay_seconds=31_557_599_999.999,
            logical_date=datetime(2026, 1, 1, 1, 1, 1, 999_999, tzinfo=UTC),
        ),
    ],
)
def test_a_record_is_cut_to_its_bound_and_keeps_its_reason(entry):
    data = record.encode(entry)

    assert len(data) <= record.MAX_RECORD_BYTES
    assert Reason.CRASHED is record.decode(data).reason


def test_a_record_of_an_older_sidecar_is_read():
    options = b'{"retries":2,"retry_delay_seconds":1.5,"execution_timeout_seconds":null}'
    older = record.decode(b'{"reason":"Retry","state":"up_for_retry","options":' + options + b"}")

    assert TaskOptions(retries=2, retry_delay_seconds=1.5) == older.options
    assert (None, None) == (older.retry_delay_seconds, older.logical_date)


@pytest.mark.parametrize("reason", Reason)
def test_reasons_are_camel_case_words(reason):
    assert reason.value.isalpha()
    assert reason.value[0].isupper()
