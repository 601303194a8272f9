"""Which configurations a DAG's params allow: a table."""

import pytest

from airlock_server.rules.params import problem
from airlock_wire.dags.params import SerializedParam

REQUIRED = SerializedParam(has_value=False, schema={"type": "string"})
NUMBER = SerializedParam(value=3, schema={"type": "integer", "minimum": 1})
PLAIN = SerializedParam(value={"any": "thing"})
DATE = SerializedParam(value="2026-01-01", schema={"type": "string", "format": "date"})


@pytest.mark.parametrize(
    ("params", "conf"),
    [
        ({}, {"undeclared": 1}),
        ({"p": PLAIN}, {}),
        ({"p": PLAIN}, {"p": None}),
        ({"n": NUMBER}, {}),
        ({"n": NUMBER}, {"n": 5}),
        ({"r": REQUIRED}, {"r": "x"}),
        ({"d": DATE}, {"d": "2026-02-28"}),
    ],
)
def test_what_the_schemas_allow_makes_a_run(params, conf):
    assert "" == problem(params, conf)


@pytest.mark.parametrize(
    ("params", "conf", "text"),
    [
        ({"r": REQUIRED}, {}, "the param 'r' has no default, so the run must give it: {\"r\": ...}"),
        ({"r": REQUIRED}, {"r": 1}, "the param 'r' cannot be 1: 1 is not of type 'string'"),
        ({"n": NUMBER}, {"n": 0}, "the param 'n' cannot be 0: 0 is less than the minimum of 1"),
        ({"d": DATE}, {"d": "soon"}, "the param 'd' cannot be 'soon': 'soon' is not a 'date'"),
        (
            {"x": SerializedParam(value=1, schema={"type": "no type"})},
            {},
            "the param 'x' cannot be 1: its schema is not valid: 'no type' is not valid under any of the given schemas",
        ),
    ],
)
def test_what_a_schema_refuses_is_named(params, conf, text):
    assert text == problem(params, conf)


def test_a_schema_may_refer_to_its_parts():
    schema = {"$defs": {"list": {"type": "array", "items": {"$ref": "#/$defs/list"}}}, "$ref": "#/$defs/list"}
    assert "" == problem({"x": SerializedParam(value=[[], [[]]], schema=schema)}, {})
    assert "at $[1]" in problem({"x": SerializedParam(value=[[], 3], schema=schema)}, {})


def test_a_schema_fetches_nothing(monkeypatch):
    import urllib.request

    monkeypatch.setattr(urllib.request, "urlopen", lambda *_: pytest.fail("it was fetched"))
    schema = {"$ref": "http://example.test/schema.json"}
    assert (
        "the param 'x' cannot be 1: its schema refers to 'http://example.test/schema.json', which is not in it"
        == problem({"x": SerializedParam(value=1, schema=schema)}, {})
    )
