"""Our messages against the JSON schema that Airflow ships for them."""

import typing

import jsonschema
import msgspec
import pytest
from contract.wire import samples

from airlock_wire.protocol import frames, messages


@pytest.fixture(scope="module")
def schema(airflows_schema):
    return airflows_schema


#: What is Airlock's own in Airflow's messages: it is on the wire only between our sidecar and our runner.
OURS_ALONE = {"StartupDetails": {"undecided", "first_try", "json_values"}, "SetRenderedFields": {"options"}}


def fields(kind):
    """The fields that are Airflow's too."""
    own = OURS_ALONE.get(kind.__name__, set())
    return {field.encode_name: field for field in msgspec.structs.fields(kind) if field.name not in own}


def literals(kind, field):
    """The words a field may be, by our type; None where it may be any."""
    kind = fields(kind)[field].type
    return set(typing.get_args(kind)) if typing.get_origin(kind) is typing.Literal else None


def sent(message):
    """The body as it lies in the frame, in JSON's terms."""
    data = frames.request(0, message) if type(message).__name__ in samples.FROM_RUNNER else frames.response(0, message)
    body = msgspec.msgpack.decode(data[frames.HEADER_BYTES :])[1]
    return msgspec.to_builtins(body)


def test_what_is_ours_alone_is_no_message_of_airflows(schema):
    assert set() == samples.OURS & set(schema["$defs"])


def test_every_message_has_a_sample():
    assert sorted(samples.FULL) == sorted(samples.MESSAGES)


@pytest.mark.parametrize("message", samples.FULL.values(), ids=samples.FULL)
def test_a_full_sample_leaves_no_field_at_its_default(message):
    for holder in (message, samples.DAG_RUN, samples.RUN_CONTEXT, samples.TASK_INSTANCE):
        for field in fields(type(holder)).values():
            if literals(type(holder), field.encode_name) and len(typing.get_args(field.type)) == 1:
                continue
            default = field.default_factory() if field.default is msgspec.NODEFAULT and not field.required else None
            value = getattr(holder, field.name)
            assert value is not None, field.name
            assert field.required or value not in (field.default, default), field.name


@pytest.mark.parametrize("name", OURS_ALONE)
def test_what_is_ours_alone_is_not_on_the_wire_unless_it_was_set(schema, name):
    message = samples.FULL[name]

    assert {msgspec.UNSET} == {getattr(message, field) for field in OURS_ALONE[name]}
    assert set() == OURS_ALONE[name] & set(sent(message))
    assert set() == OURS_ALONE[name] & set(schema["$defs"][name]["properties"])


@pytest.mark.parametrize(("name", "message"), samples.CASES, ids=[name for name, _ in samples.CASES])
def test_a_message_validates(schema, name, message):
    reference = {"$ref": f"#/$defs/{type(message).__name__}", "$defs": schema["$defs"]}
    jsonschema.Draft202012Validator(reference, format_checker=jsonschema.Draft202012Validator.FORMAT_CHECKER).validate(
        sent(message)
    )


@pytest.mark.parametrize("name", [*samples.MESSAGES, *samples.NESTED])
def test_fields_and_requiredness_are_the_schemas(schema, name):
    kind = samples.MESSAGES.get(name) or samples.NESTED[name]
    theirs = schema["$defs"][name]
    ours = fields(kind)

    # Airflow's process-local cache stamp; it has no meaning on the wire.
    known = set(theirs["properties"]) - {"type"} - ({"last_loaded"} if name == "LazyDeserializedDAG" else set())
    assert set(ours) == known
    assert {key for key, field in ours.items() if field.required} == set(theirs.get("required", [])) - {"type"}


@pytest.mark.parametrize("name", samples.MESSAGES)
def test_a_messages_type_is_the_schemas(schema, name):
    assert sent(samples.FULL[name])["type"] == schema["$defs"][name]["properties"]["type"]["const"]


@pytest.mark.parametrize("name", samples.MESSAGES)
def test_defaults_are_the_schemas(schema, name):
    for key, field in fields(samples.MESSAGES[name]).items():
        theirs = schema["$defs"][name]["properties"][key]
        if not field.required and "default" in theirs:
            assert field.default == theirs["default"], key


@pytest.mark.parametrize(
    ("kind", "field"),
    [(messages.SucceedTask, "state"), (messages.RetryTask, "state"), (messages.TaskState, "state")],
)
def test_the_words_of_a_closed_field_are_the_schemas(schema, kind, field):
    theirs = schema["$defs"][kind.__name__]["properties"][field]

    assert literals(kind, field) == set(theirs.get("enum") or [theirs["const"]])


def test_error_types_are_the_schemas(schema):
    assert [error.value for error in messages.ErrorType] == schema["$defs"]["ErrorType"]["enum"]
