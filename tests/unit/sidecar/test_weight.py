"""What a message would weigh is told from its bytes, and never too little."""

import sys

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from airlock_sidecar.errors import NotAllowed
from airlock_sidecar.requests import weight

MUCH = 1 << 40
scalars = (
    st.none() | st.booleans() | st.integers(-(2**63), 2**64 - 1) | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(alphabet=st.characters(max_codepoint=0xFF), max_size=400) | st.binary(max_size=300)
)  # fmt: skip
values = st.recursive(
    scalars, lambda inner: st.lists(inner, max_size=40) | st.dictionaries(st.text(max_size=8), inner, max_size=40)
)


def weighed(value):
    return weight.of_msgpack(memoryview(msgspec.msgpack.encode(value)), MUCH, MUCH)


def real(value):
    """The bytes of an object and of all in it, as if each number and text were its own."""
    inner = value.items() if isinstance(value, dict) else value if isinstance(value, list) else ()
    own = sys.getsizeof(value)
    if isinstance(value, dict):
        return own + sum(real(key) + real(each) for key, each in inner)
    return own + sum(real(each) for each in inner)


@settings(max_examples=50)
@given(st.lists(values, max_size=20))
def test_nothing_weighs_more_than_it_is_told_to(value):
    value = msgspec.msgpack.decode(msgspec.msgpack.encode(value))
    objects, text = weighed(value)

    # Small numbers are shared, and not counted.
    assert real(value) - 28 * len(list(small_numbers(value))) <= objects + 200
    assert len(msgspec.json.encode(value)) <= text


def small_numbers(value):
    if isinstance(value, dict):
        for each in value.values():
            yield from small_numbers(each)
    elif isinstance(value, list):
        for each in value:
            yield from small_numbers(each)
    elif value is None or isinstance(value, bool) or (isinstance(value, int) and -5 <= value <= 256):
        yield value


@pytest.mark.parametrize("letter", ["x", "é", "日", "😀", "x" * 99 + "😀", "日x", "\x01"])
def test_a_long_text_weighs_as_much_as_its_widest_letter_makes_it(letter):
    text = letter * 5000
    objects, json = weighed(text)

    assert sys.getsizeof(text) <= objects + 64
    assert objects <= 1.1 * sys.getsizeof(text) + 200
    assert len(msgspec.json.encode(text)) <= json


@pytest.mark.parametrize(
    "data", [b"\x90" * 2_000_000, b"\x80" * 2_000_000, b"\xa1a" * 1_000_000, b"\xdb\xff\xff\xff\xff"]
)
def test_what_is_too_much_is_refused(data):
    with pytest.raises(NotAllowed, match="too large"):
        weight.check(memoryview(b"\xdd\x00\x20\x00\x00" + data), "it", 1024 * 1024, 1024 * 1024)


@settings(max_examples=40)
@given(st.lists(values, max_size=20))
def test_json_weighs_no_more_than_it_is_told_to(value):
    text = msgspec.json.encode(value)
    value = msgspec.json.decode(text)

    assert real(value) - 28 * len(list(small_numbers(value))) <= weight.of_json(memoryview(text)) + 200
