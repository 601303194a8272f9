"""XComs as JSON text, where the launcher's hello and the sidecar's first frame agree on it."""

import json

import pytest
from doubles.api import Answer
from doubles.launcher import SUCCEED
from doubles.sidecar import TI

from airlock_wire.pod import EXIT_OK
from airlock_wire.record import Reason

AGREED = {"speaks": {"json_values": True}}
XCOM = {"key": "k", "dag_id": TI.dag_id, "run_id": TI.run_id, "task_id": TI.task_id}
#: What Python's own decoders would change: an integer of over 64 bits, a key that comes twice, an exact number.
ODD = b'{"big": 123456789012345678901234567890, "twice": 1, "twice": 2, "exact": 1.10}'


def xcom_store(api):
    """Lets the scripted API keep what is posted, and answer with it; returns the bodies as they came."""
    bodies = []

    def answer(call):
        if call.method == "POST":
            bodies.append(call.raw)
            return Answer(201)
        return Answer(200, raw=b'{"key": "k", "value": %s}' % bodies[-1])

    api.answers["/k"] = answer
    return bodies


@pytest.mark.parametrize(
    "text",
    [b"null", b'"x"', ODD, b'"%s"' % (b"x" * 10_000_000), json.dumps([{"n": n / 3} for n in range(300_000)]).encode()],
    ids=["null", "text", "odd", "ten megabytes", "records"],
)
def test_an_xcom_passes_a_sidecar_as_the_bytes_that_were_sent(api, sidecar, launcher, text):
    bodies = xcom_store(api)
    start = launcher.begin(**AGREED)
    stored = launcher.ask({"type": "SetXCom", "value": text, **XCOM})
    read = launcher.ask({"type": "GetXCom", **XCOM})

    assert True is start["json_values"]
    assert (None, None) == (stored.error, read.error)
    assert [text] == bodies
    assert {"type": "XComResult", "key": "k", "value": text} == read.body


def test_an_xcom_that_does_not_exist_is_null(api, sidecar, launcher):
    api.answers["/k"] = lambda _: Answer(404, {"detail": {"reason": "not_found", "message": "no"}})
    launcher.begin(**AGREED)

    assert {"type": "XComResult", "key": "k", "value": None} == launcher.ask({"type": "GetXCom", **XCOM}).body


def test_without_the_agreement_values_are_msgpack(api, sidecar, launcher):
    bodies = xcom_store(api)
    start = launcher.begin()
    launcher.ask({"type": "SetXCom", "value": {"a": [1, None]}, **XCOM})

    assert "json_values" not in start
    assert [{"a": [1, None]}] == [json.loads(each) for each in bodies]
    assert {"a": [1, None]} == launcher.ask({"type": "GetXCom", **XCOM}).body["value"]


@pytest.mark.parametrize("value", [1, "text", {"a": 1}, [b"1"], "x" * 100_000, {"a": "x" * 100_000}])
def test_a_value_that_is_not_json_text_is_refused_and_not_sent(api, sidecar, launcher, value):
    bodies = xcom_store(api)
    launcher.begin(**AGREED)
    answer = launcher.ask({"type": "SetXCom", "value": value, **XCOM})

    assert "JSON text" in answer.error["detail"]["message"]
    assert [] == bodies
    launcher.ask(SUCCEED)
    launcher.exit()
    assert {"not JSON": 1} == sidecar.end().refusals


def test_a_value_that_is_too_large_for_a_frame_is_refused(api, sidecar, launcher):
    api.answers["/k"] = lambda _: Answer(200, raw=b'{"key": "k", "value": "%s"}' % (b"x" * 17 * 1024 * 1024))
    launcher.begin(**AGREED)

    assert "too large" in launcher.ask({"type": "GetXCom", **XCOM}).error["detail"]["message"]


def test_a_sidecar_that_was_killed_goes_on_as_agreed(api, sidecar, launcher):
    bodies = xcom_store(api)
    launcher.begin(**AGREED)
    launcher.ask({"type": "SetXCom", "value": b"1", **XCOM})
    sidecar.kill()
    sidecar.start()
    again = launcher.come_back(**AGREED)
    launcher.ask({"type": "SetXCom", "value": ODD, **XCOM})
    launcher.ask(SUCCEED)
    launcher.exit()

    assert True is again["json_values"]
    assert [b"1", ODD] == bodies
    assert Reason.SUCCEEDED is sidecar.end().reason


def test_a_real_runner_and_its_sidecar_agree(api, sidecar, make_runner):
    bodies = xcom_store(api)
    runner = make_runner(
        sidecar,
        """
        ti.xcom_push(key="k", value={"a": [1, 2.5, None, "é"], "big": 2**64 - 1})
        assert {"a": [1, 2.5, None, "é"], "big": 2**64 - 1} == ti.xcom_pull(key="k")
        """,
    )
    assert EXIT_OK == runner.wait()

    assert Reason.SUCCEEDED is sidecar.end().reason
    assert [b'{"a":[1,2.5,null,"\xc3\xa9"],"big":18446744073709551615}'] == bodies
