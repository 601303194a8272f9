"""The bytes we write, read by Airflow's own code, and the bytes it writes, read by ours."""

import json
import typing
from pathlib import Path

import msgspec
import pytest
from contract.wire import samples

from airlock_wire.protocol import frames, messages, whole

pytestmark = pytest.mark.slow

DRIVER = Path(__file__).parent / "drivers" / "rewrite.py"
CARRIER = {"traceparent": "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"}
#: Ids on either side of every width that msgpack has for them.
IDS = [0, 127, 128, 255, 256, 65535, 65536, 2**32 - 1, 2**32]

REQUESTS = {name: message for name, message in samples.CASES if type(message).__name__ in samples.FROM_RUNNER}
#: One message goes both ways, so these are told apart by name.
RESPONSES = {f"{name} told": message for name, message in samples.CASES if type(message).__name__ in samples.TO_RUNNER}
TOLD = typing.Union[(*samples.TO_RUNNER.values(),)]
ERRORS = {
    f"{error.value}": messages.ErrorResponse(error=error, detail={"message": "no"}) for error in messages.ErrorType
}


@pytest.fixture(scope="module")
def rewritten(run_driver):
    """What Airflow made of each frame of ours, by case; one process for all of them."""
    asked = {}
    for number, (name, message) in enumerate(REQUESTS.items()):
        carrier = CARRIER if number % 2 else None
        asked[name] = {"request": True, "error": False, "frame": frames.request(number, message, carrier).hex()}
    for number, (name, message) in enumerate(RESPONSES.items()):
        asked[name] = {"request": False, "error": False, "frame": frames.response(number, message).hex()}
    for number, (name, message) in enumerate(ERRORS.items()):
        asked[name] = {"request": False, "error": True, "frame": frames.response(number, None, message).hex()}
    for number in IDS:
        asked[f"id {number}"] = {
            "request": True,
            "error": False,
            "frame": frames.request(number, messages.GetVariable(key="k")).hex(),
        }
    said = json.loads(run_driver(DRIVER, json.dumps(list(asked.values())).encode()))
    return dict(zip(asked, said, strict=True))


def payload(answer):
    data = bytes.fromhex(answer["frame"])
    assert int.from_bytes(data[:4], "big") == len(data) - 4
    return data[4:]


def understood(value):
    """Airflow's reading of a message as one of ours."""
    return samples.comparable(msgspec.convert(value, samples.MESSAGES[value["type"]]))


@pytest.mark.parametrize("name", REQUESTS)
def test_airflow_reads_our_request(rewritten, name):
    answer = rewritten[name]

    assert understood(answer["value"]) == samples.comparable(REQUESTS[name])
    assert answer["id"] == list(REQUESTS).index(name)
    assert answer["carrier"] == (CARRIER if answer["id"] % 2 else None)


@pytest.mark.parametrize("name", REQUESTS)
def test_we_read_airflows_request(rewritten, name):
    frame = frames.decode_raw_request(payload(rewritten[name]))

    assert whole.decode(frame.body) == REQUESTS[name]
    assert frame.id == rewritten[name]["id"]
    assert frame.carrier == rewritten[name]["carrier"]


@pytest.mark.parametrize("name", RESPONSES)
def test_airflow_reads_our_response(rewritten, name):
    assert understood(rewritten[name]["value"]) == samples.comparable(RESPONSES[name])


@pytest.mark.parametrize("name", RESPONSES)
def test_we_read_airflows_response(rewritten, name):
    frame = frames.decode_response(payload(rewritten[name]))

    assert None is frame.error
    # Dates inside of plain maps come as dates, and are text in the samples.
    read = msgspec.to_builtins(samples.comparable(msgspec.convert(frame.body, TOLD)))
    assert read == msgspec.to_builtins(samples.comparable(RESPONSES[name]))


@pytest.mark.parametrize("name", ERRORS)
def test_an_error_in_the_error_slot_is_read_both_ways(rewritten, name):
    frame = frames.decode_response(payload(rewritten[name]))

    assert understood(rewritten[name]["value"]) == ERRORS[name]
    assert None is frame.body
    assert msgspec.convert(frame.error, messages.ErrorResponse) == ERRORS[name]


@pytest.mark.parametrize("number", IDS)
def test_an_id_of_any_width_is_read_both_ways(rewritten, number):
    frame = frames.decode_raw_request(payload(rewritten[f"id {number}"]))

    assert rewritten[f"id {number}"]["id"] == number
    assert frame.id == number
    assert frames.leading_id(payload(rewritten[f"id {number}"])) == number
