"""Large values cut into pieces come out as they would whole."""

import datetime as dt

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from airlock_sidecar.errors import NotAllowed
from airlock_sidecar.requests import bulk

scalars = (
    st.none() | st.booleans() | st.integers(-(2**63), 2**63 - 1) | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(max_size=60)
)  # fmt: skip
values = st.recursive(
    scalars, lambda inner: st.lists(inner, max_size=20) | st.dictionaries(st.text(max_size=8), inner, max_size=20)
)


@pytest.fixture(autouse=True)
def everything_is_large(monkeypatch):
    monkeypatch.setattr(bulk, "LARGE_BYTES", 1)
    monkeypatch.setattr(bulk, "_PIECE_BYTES", 50)


@settings(max_examples=80)
@given(values)
def test_a_value_becomes_the_json_that_it_is(value):
    raw = msgspec.Raw(msgspec.msgpack.encode(value))

    assert value == msgspec.json.decode(bulk.json_of(raw))


@settings(max_examples=80)
@given(values)
def test_json_becomes_the_value_that_it_is(value):
    raw = msgspec.Raw(msgspec.json.encode(value))

    assert value == msgspec.msgpack.decode(bulk.msgpack_of(raw))


@pytest.mark.parametrize(
    "value",
    [
        [[1]] * 20,
        [[1]] * 70_000,
        {str(number): {"a": number} for number in range(20)},
        {str(number): {"a": number} for number in range(70_000)},
        [1] * 70_000,
        ["x" * 100] * 500,
        "x" * 10_000,
        [],
        {},
        [[]],
    ],
    ids=lambda value: f"{type(value).__name__} of {len(value)}",
)
def test_every_size_of_a_container_is_read(value):
    packed, text = msgspec.msgpack.encode(value), msgspec.json.encode(value)

    assert value == msgspec.json.decode(bulk.json_of(msgspec.Raw(packed)))
    assert value == msgspec.msgpack.decode(bulk.msgpack_of(msgspec.Raw(text)))


def test_spaces_in_json_are_no_matter():
    assert [[1], {"a": 2}] == msgspec.msgpack.decode(bulk.msgpack_of(msgspec.Raw(b' \n[ [1],\t{"a" : 2} ] ')))


@pytest.mark.parametrize(
    "odd",
    [
        [[msgspec.msgpack.Ext(5, b"x")]] * 20,
        {"a": {"b": msgspec.msgpack.Ext(5, b"x")}},
        [[b"\xff"], [{None: 1}]],
        [[{1.5: dt.date(2026, 1, 1)}, msgspec.msgpack.Ext(1, b"")]],
    ],
    ids=["list", "map", "key", "both"],
)
def test_what_json_has_no_form_for_is_refused(odd):
    def encode(value):
        return msgspec.msgpack.Encoder(enc_hook=str).encode(value)

    with pytest.raises((NotAllowed, msgspec.MsgspecError, ValueError)):
        bulk.json_of(msgspec.Raw(encode(odd)))


@pytest.mark.parametrize("text", [b"[[1],", b'{"a":[1],}', b"[[1]]x", b""])
def test_what_is_no_json_is_refused(text):
    with pytest.raises(msgspec.MsgspecError):
        bulk.msgpack_of(msgspec.Raw(text))
