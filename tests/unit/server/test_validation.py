"""Bodies that are wrong, and the list that says how."""

import msgspec
import pytest

from airlock_server.api.execution import payloads
from airlock_server.web.errors import InvalidRequest
from airlock_server.web.validation import boolean, decode, integer

JSON = "application/json"
RUN = {"state": "running", "hostname": "h", "unixname": "u", "pid": 1, "start_date": "2026-01-01T00:00:00Z"}


def problem(call, *args, **kwargs):
    with pytest.raises(InvalidRequest) as refused:
        call(*args, **kwargs)
    (found,) = refused.value.detail
    return found


def run(body, content_type=JSON):
    return decode(payloads.enter_running, body, content_type)


def test_a_good_body_is_decoded():
    assert 1 == run(msgspec.json.encode(RUN)).pid
    assert 1 == run(msgspec.json.encode(RUN), "application/json; charset=utf-8").pid
    assert 1 == run(msgspec.json.encode(RUN), "application/vnd.x+json").pid


def changed(**changes):
    return msgspec.json.encode({k: v for k, v in (RUN | changes).items() if v is not ...})


@pytest.mark.parametrize(
    ("body", "kind", "loc", "value"),
    [
        (changed(pid=...), "missing", ["body", "pid"], {k: v for k, v in RUN.items() if k != "pid"}),
        (changed(extra=5), "extra_forbidden", ["body", "extra"], 5),
        (changed(pid="x"), "int_type", ["body", "pid"], "x"),
        (changed(pid=2**63), "less_than_equal", ["body", "pid"], 2**63),
        (changed(hostname=None), "string_type", ["body", "hostname"], None),
        (changed(state="success"), "literal_error", ["body", "state"], "success"),
        (changed(start_date="2026-01-01T00:00:00"), "timezone_aware", ["body", "start_date"], "2026-01-01T00:00:00"),
        (changed(start_date="yesterday"), "datetime_parsing", ["body", "start_date"], "yesterday"),
        (b"[1]", "dict_type", ["body"], [1]),
        (b"{", "json_invalid", ["body"], None),
        (b"\xff", "json_invalid", ["body"], None),
        (b"NaN", "json_invalid", ["body"], None),
        (b"", "missing", ["body"], None),
        (b'{"x":' + b"[" * 100_000, "extra_forbidden", ["body", "x"], None),
        (changed(pid="x" * 2000), "int_type", ["body", "pid"], None),
    ],
)
def test_a_wrong_body_is_named_by_kind_and_place(body, kind, loc, value):
    found = problem(run, body)
    assert (found.type, found.loc, found.input) == (kind, loc, value)


@pytest.mark.parametrize("content_type", ["", "text/plain", "application/x-www-form-urlencoded", "text/json"])
def test_a_body_that_does_not_say_it_is_json_is_refused(content_type):
    assert ["body"] == problem(run, msgspec.json.encode(RUN), content_type).loc


def test_a_body_that_is_nested_too_deeply_is_refused():
    body = b'{"state":"deferred","classpath":"a.B","next_method":"c","next_kwargs":{"x":' + b"[" * 100_000
    assert "recursion_loop" == problem(payloads.decode_report, body, JSON).type


def test_a_place_inside_a_list_is_named():
    body = msgspec.json.encode({"state": "success", "end_date": RUN["start_date"], "task_outlets": [{"uri": "x"}]})
    found = problem(payloads.decode_report, body, JSON)
    assert ("missing", ["body", "task_outlets", 0, "type"]) == (found.type, found.loc)


@pytest.mark.parametrize(("text", "value"), [("5", 5), ("-1", -1), ("+2", 2)])
def test_a_whole_number_is_read_from_the_query(text, value):
    assert integer({"n": text}, "n") == value


@pytest.mark.parametrize(
    ("text", "kind"), [("x", "int_parsing"), ("", "int_parsing"), ("1.5", "int_parsing"), ("٣", "int_parsing")]
)
def test_what_is_no_whole_number_is_refused(text, kind):
    assert problem(integer, {"n": text}, "n").type == kind


def test_a_number_out_of_its_bounds_is_refused():
    assert "greater_than_equal" == problem(integer, {"n": "0"}, "n", low=1, high=2).type
    assert "less_than_equal" == problem(integer, {"n": "3"}, "n", low=1, high=2).type
    assert "less_than_equal" == problem(integer, {"n": str(2**63)}, "n").type


def test_a_yes_or_no_is_read_from_the_query():
    assert [True, True, False, False] == [boolean({"b": text}, "b") for text in ("true", "1", "False", "off")]
    assert False is boolean({}, "b")
    assert ["query", "b"] == problem(boolean, {"b": "maybe"}, "b").loc
