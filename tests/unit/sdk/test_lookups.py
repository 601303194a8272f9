"""Variables, connections, masking, and the context: what they ask and what they make of the answer."""

import pytest

from airlock.sdk import (
    AirlockException,
    AirlockRuntimeError,
    Connection,
    ConnectionNotFound,
    Context,
    PermissionDenied,
    Variable,
    VariableNotFound,
    get_current_context,
    mask_secret,
)
from airlock.sdk.definitions.context import running
from airlock.sdk.exceptions import AirlockNotFoundException, InvalidVariable, OutsideTask
from airlock_wire.protocol import changes, lookups
from airlock_wire.protocol.messages import (
    ConnectionResult,
    ErrorResponse,
    ErrorType,
    GetVariable,
    MaskSecret,
    VariableResult,
)

NOTHING = dict.fromkeys(("host", "schema", "login", "password", "port", "extra"))


def error(kind, **detail):
    return ErrorResponse(error=kind, detail=detail or None)


def variable(value):
    return VariableResult(key="k", value=value)


def test_a_variable_is_its_text(channel):
    channel.answer = variable("v")

    assert "v" == Variable.get("k")
    assert [GetVariable(key="k")] == channel.asked


@pytest.mark.parametrize(("text", "value"), [('{"a": [1]}', {"a": [1]}), ("null", None), ("3", 3)])
def test_a_variable_can_be_json(channel, text, value):
    channel.answer = variable(text)

    assert Variable.get("k", deserialize_json=True) == value


def test_a_variable_that_is_not_json_is_not_shown(channel):
    channel.answer = variable("s3cret")

    with pytest.raises(InvalidVariable) as raised:
        Variable.get("k", deserialize_json=True)

    assert "variable 'k' is not JSON" in str(raised.value)
    assert "s3cret" not in str(raised.value)
    assert isinstance(raised.value, ValueError)


def test_a_missing_variable_is_its_default_as_it_is(channel):
    channel.answer = error(ErrorType.VARIABLE_NOT_FOUND)

    assert None is Variable.get("k", default=None)
    assert "{}" == Variable.get("k", default="{}", deserialize_json=True)


def test_a_missing_variable_without_default_is_a_key_error(channel):
    channel.answer = error(ErrorType.VARIABLE_NOT_FOUND)

    with pytest.raises(KeyError) as raised:
        Variable.get("k")

    assert type(raised.value) is VariableNotFound
    assert "there is no variable 'k'; create it, or call Variable.get('k', default=...)" == str(raised.value)
    assert raised.value.error is channel.answer


def test_a_denial_is_raised_in_spite_of_a_default_and_says_what_the_platform_said(channel):
    detail = {"reason": "access_denied", "message": "grant variables: [k] to DAG 'd'"}
    channel.answer = error(ErrorType.PERMISSION_DENIED, status_code=403, message="denied", detail=detail)

    with pytest.raises(PermissionDenied) as raised:
        Variable.get("k", default="d")

    assert "Variable.get('k') was denied: denied; grant variables: [k] to DAG 'd'; access_denied" == str(raised.value)


def test_a_wrong_value_is_told_with_its_place(channel):
    problems = [{"loc": ["query", "n"], "msg": "not a number", "type": "int_parsing"}, "odd"]
    channel.answer = error(ErrorType.API_SERVER_ERROR, status_code=422, message="wrong", detail={"detail": problems})

    with pytest.raises(AirlockRuntimeError, match=r"API_SERVER_ERROR: wrong; query\.n: not a number$"):
        Connection.get("c")


def test_any_other_error_is_raised_with_its_answer(channel):
    channel.answer = error(ErrorType.GENERIC_ERROR, message="odd")

    with pytest.raises(AirlockRuntimeError, match="GENERIC_ERROR: odd"):
        Connection.get("c")


def test_a_connection_hides_what_it_protects(channel):
    fields = {**NOTHING, "password": "s3cret", "extra": '{"key": "t0ken"}', "port": 5432}
    channel.answer = ConnectionResult(conn_id="c", conn_type="postgres", **fields)

    connection = Connection.get("c")

    assert ("s3cret", {"key": "t0ken"}, 5432) == (connection.password, connection.extra_dejson, connection.port)
    for shown in (repr(connection), str(connection), f"{connection}"):
        assert "s3cret" not in shown
        assert "t0ken" not in shown


def test_a_missing_connection_says_so(channel):
    channel.answer = error(ErrorType.CONNECTION_NOT_FOUND)

    with pytest.raises(ConnectionNotFound, match="there is no connection 'c'"):
        Connection.get("c")


@pytest.mark.parametrize(
    ("fields", "uri"),
    [
        ({"conn_type": "http", "host": "h"}, "http://h"),
        ({"conn_type": "Google_Cloud"}, "google-cloud://"),
        ({"conn_type": "", "host": "h"}, "//h"),
        (
            {"conn_type": "postgres", "host": "h", "login": "u@x", "password": "p/w", "port": 1, "schema": "a b"},
            "postgres://u%40x:p%2Fw@h:1/a%20b",
        ),
        ({"conn_type": "x", "password": "p"}, "x://:p@"),
        ({"conn_type": "x", "port": 5}, "x://@:5"),
        ({"conn_type": "http", "host": "https://h"}, "http://https://h"),
        ({"conn_type": "http", "host": "http://h"}, "http://http%3A%2F%2Fh"),
        ({"conn_type": "x", "extra": '{"a": "b c"}'}, "x:///?a=b+c"),
        ({"conn_type": "x", "schema": "s", "extra": '{"a": "b"}'}, "x:///s?a=b"),
        ({"conn_type": "x", "extra": '{"a": 1}'}, "x:///?__extra__=%7B%22a%22%3A+1%7D"),
        ({"conn_type": "x", "extra": "{}"}, "x:///?__extra__=%7B%7D"),
    ],
)
def test_a_uri_has_airflow_s_form(fields, uri):
    assert Connection(conn_id="c", **fields).get_uri() == uri


@pytest.mark.parametrize("extra", ["no json", "[1]", '"text"'])
def test_extras_that_are_no_object_are_refused_and_not_shown(extra):
    with pytest.raises(AirlockException, match="the extras of connection 'c' are not a JSON object") as raised:
        _ = Connection(conn_id="c", conn_type="x", extra=extra).extra_dejson

    assert "no json" not in str(raised.value)


@pytest.mark.parametrize(
    ("secret", "sent"),
    [("s", "s"), (["s", ("t",)], ["s", ["t"]]), ({"a": {"b": 1}}, {"a": {"b": 1}}), ({1: b"x"}, {"1": "b'x'"})],
)
def test_a_secret_to_mask_is_sent_as_json(channel, secret, sent):
    mask_secret(secret, "name")

    assert channel.asked == [MaskSecret(value=sent, name="name")]


@pytest.mark.parametrize(
    "call",
    [lambda: Variable.get("k", default=1), lambda: Connection.get("c"), lambda: mask_secret("s"), get_current_context],
)
def test_outside_a_task_every_call_says_so(call):
    with pytest.raises(OutsideTask, match=r"works only (while a task or DAG file runs|inside a running task)"):
        call()


def test_a_variable_is_set_as_text_or_as_json_and_deleted(channel):
    channel.answer = None
    Variable.set("k", "v", "for the team")
    Variable.set("k", {"n": [1]}, serialize_json=True)
    Variable.delete("k")

    assert [
        changes.PutVariable(key="k", value="v", description="for the team"),
        changes.PutVariable(key="k", value='{\n  "n": [\n    1\n  ]\n}', description=None),
        changes.DeleteVariable(key="k"),
    ] == channel.asked
    with pytest.raises(
        TypeError, match=r"Variable.set\('k'\): the value is a dict; make it text, or pass serialize_json"
    ):
        Variable.set("k", {"n": 1})


@pytest.mark.parametrize(
    "call", [lambda: Variable.set("k", "v"), lambda: Variable.delete("k"), lambda: len(Variable.keys())]
)
def test_a_change_of_variables_that_is_refused_says_so(channel, call):
    channel.answer = ErrorResponse(error=ErrorType.PERMISSION_DENIED, detail={"message": "not yours"})
    with pytest.raises(PermissionDenied, match="not yours"):
        call()


def test_the_names_of_variables_are_asked_for_at_their_first_use_and_page_by_page(channel):
    pages = [[f"k{number}" for number in range(1000)], ["last"]]
    channel.ask = lambda message: (
        channel.asked.append(message) or lookups.VariableKeysResult(keys=pages.pop(0), total_entries=1001)
    )
    names = Variable.keys("k")
    assert [] == channel.asked
    assert (1001, "last") == (len(names), names[-1])
    assert [("k", 0), ("k", 1000)] == [(each.prefix, each.offset) for each in channel.asked]


def test_a_variable_is_a_record_of_its_fields():
    variable = Variable("k", value=1)
    assert ("k", 1, None) == (variable.key, variable.value, variable.description)
    assert Variable("k", 1) == variable


def test_the_context_is_a_dict_with_attributes():
    with running(Context(ti="TI")):
        context = get_current_context()

        assert ("TI", "TI") == (context["ti"], context.ti)
        with pytest.raises(AttributeError, match="the context has no 'tii'; did you mean 'ti'"):
            _ = context.tii


def test_a_connection_that_is_not_there_is_what_files_for_airflow_catch(channel):
    channel.answer = error(ErrorType.CONNECTION_NOT_FOUND)

    with pytest.raises(AirlockNotFoundException):
        Connection.get("c")
