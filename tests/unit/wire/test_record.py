"""The record stays within a pod's termination message, whatever is in it."""

import pytest

from airlock_wire import record
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
    ],
)
def test_a_record_is_cut_to_its_bound_and_keeps_its_reason(entry):
    data = record.encode(entry)

    assert len(data) <= record.MAX_RECORD_BYTES
    assert Reason.CRASHED is record.decode(data).reason


@pytest.mark.parametrize("reason", Reason)
def test_reasons_are_camel_case_words(reason):
    assert reason.value.isalpha()
    assert reason.value[0].isupper()
