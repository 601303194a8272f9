"""What may be stored as JSON, and what a value that may not is told."""

import collections
import decimal
import enum
import json
from datetime import date
from typing import Any, NamedTuple

import pytest

from airlock.sdk.exceptions import NotJson
from airlock_runner.json_values import plain


class Point(NamedTuple):
    x: Any
    y: Any


class Colour(enum.Enum):
    RED = "red"


class Celsius(float):
    pass


@pytest.mark.parametrize(
    "value",
    [None, True, 0, -(2**63), 2**64 - 1, 1.5, "", "é", [], {}, [1, "a", None], {"a": {"b": [1.0]}}, ["é"], [[1], [2]]],
)
def test_json_stays_what_it_is(value):
    assert value == plain(value, "it")


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ((1, 2), [1, 2]),
        (Point(1, 2), [1, 2]),
        (Colour.RED, "red"),
        (collections.OrderedDict(a=Celsius(3)), {"a": 3.0}),
        (collections.defaultdict(list, a=(1,)), {"a": [1]}),
        ({Colour.RED.value: Colour.RED}, {"red": "red"}),
    ],
)
def test_a_subclass_becomes_what_it_stands_for(value, expected):
    found = plain(value, "it")

    assert expected == json.loads(json.dumps(found))


@pytest.mark.parametrize(
    ("value", "text"),
    [
        ({1}, "it holds a set at $, which is not JSON; make it a list: sorted(...)"),
        ([0, {"a": b"x"}], "it holds a bytes at $[1].a, which is not JSON; decode it to text"),
        (date(2026, 1, 2), "it holds a date at $, which is not JSON; make it text: .isoformat()"),
        (decimal.Decimal(1), "it holds a Decimal at $"),
        (object(), "it holds a object at $, which is not JSON; convert it to dict"),
        ({1: 2}, "it has the key 1 of type int at $; JSON keys are str"),
        (float("nan"), "it holds nan at $, which JSON cannot carry"),
        ([1.0, float("inf")], "it holds inf at $[1], which JSON cannot carry"),
        ([1, 2**64], "it holds an integer of over 64 bits at $[1]"),
        ("\udc80", "it holds text at $ that is not valid Unicode"),
        (["a", "\udc80"], "it holds text at $[1] that is not valid Unicode"),
        ((x for x in ()), "it holds a generator at $, which is not JSON; make it a list: list(...)"),
    ],
)
def test_anything_else_is_refused_with_its_place_type_and_fix(value, text):
    with pytest.raises(NotJson) as raised:
        plain(value, "it")

    assert text in str(raised.value)


def test_a_value_that_holds_itself_is_refused():
    value = []
    value.append(value)

    with pytest.raises(NotJson, match="nested more than 200 deep, or holds itself"):
        plain(value, "it")
