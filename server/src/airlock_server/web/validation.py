"""
Bodies and query values, and FastAPI's list of what is wrong with them.

Clients of Airflow's Execution API expect that list. msgspec gives a sentence that ends in a path, and this module turns
the sentence into the list.
"""

import re
from collections.abc import Collection, Mapping
from datetime import datetime
from typing import Any, TypeVar

import msgspec

from airlock_server.web.errors import InvalidRequest, Problem

T = TypeVar("T")

_INT64 = 2**63
#: A longer value is not shown back to its sender.
_MAX_INPUT_BYTES = 1024

_PATH = re.compile(r" - at `\$(.*)`$")
_STEP = re.compile(r"\.([^.\[]+)|\[(\d+)\]|\[\.\.\.\]")
_FIELD = re.compile(r"^Object (missing required|contains unknown) field `(.*)`")
_KINDS = {"int": "int_type", "str": "string_type", "bool": "bool_type", "object": "dict_type", "array": "list_type"}
_BOOLEANS = {
    **dict.fromkeys(("true", "1", "yes", "on", "t", "y"), True),
    **dict.fromkeys(("false", "0", "no", "off", "f", "n"), False),
}


def decode(decoder: msgspec.json.Decoder[T], body: bytes, content_type: str) -> T:
    """Returns the body as the decoder's type; raises InvalidRequest, which names the field."""
    check_json(body, content_type)
    try:
        return decoder.decode(body)
    except msgspec.ValidationError as e:
        raise InvalidRequest(_problem(str(e), body)) from e
    except (msgspec.DecodeError, UnicodeDecodeError) as e:
        raise InvalidRequest(malformed(e)) from e
    except RecursionError as e:
        raise InvalidRequest(too_deep()) from e


def check_json(body: bytes, content_type: str) -> None:
    """Refuses a missing body, and one that does not say it is JSON."""
    if not body:
        raise InvalidRequest(Problem("missing", ["body"], "Field required"))
    check_content_type(content_type)


def check_content_type(content_type: str) -> None:
    """Refuses a body that does not say it is JSON."""
    kind = content_type.partition(";")[0].strip().lower()
    if kind != "application/json" and not (kind.startswith("application/") and kind.endswith("+json")):
        message = f"The body's content-type must be application/json, not {kind or 'absent'}"
        raise InvalidRequest(Problem("model_attributes_type", ["body"], message))


def malformed(error: Exception) -> Problem:
    """Returns the fault of a body that is not JSON."""
    return Problem("json_invalid", ["body"], f"JSON decode error: {error}")


def too_deep() -> Problem:
    """Returns the fault of a body that is nested too deeply."""
    return Problem("recursion_loop", ["body"], "The JSON is nested too deeply")


def integer(query: Mapping[str, str], name: str, *, low: int = -_INT64, high: int = _INT64 - 1) -> int | None:
    """Returns a whole number from the query, None if it is absent; raises InvalidRequest."""
    return None if (text := query.get(name)) is None else whole(text, ["query", name], low=low, high=high)


def whole(text: str, loc: list[str | int], *, low: int = -_INT64, high: int = _INT64 - 1) -> int:
    """Returns a whole number from text found at ``loc``."""
    if not re.fullmatch(r"\s*[+-]?[0-9]{1,19}\s*", text):
        raise InvalidRequest(Problem("int_parsing", loc, "Input should be a valid integer", text[:100]))
    number = int(text)
    if number < low:
        raise InvalidRequest(Problem("greater_than_equal", loc, f"Input should be {low} or more", text))
    if number > high:
        raise InvalidRequest(Problem("less_than_equal", loc, f"Input should be {high} or less", text))
    return number


def boolean(query: Mapping[str, str], name: str) -> bool:
    """Returns a boolean from the query, False if it is absent; raises InvalidRequest."""
    if (text := query.get(name)) is None:
        return False
    if (value := _BOOLEANS.get(text.lower())) is None:
        raise InvalidRequest(Problem("bool_parsing", ["query", name], "Input should be a valid boolean", text[:100]))
    return value


def required(query: Mapping[str, str], name: str) -> str:
    """Returns a text from the query; raises InvalidRequest if it is absent, or has a NUL, which PostgreSQL lacks."""
    if (text := query.get(name)) is None:
        raise InvalidRequest(Problem("missing", ["query", name], "Field required"))
    if "\0" in text:
        raise InvalidRequest(Problem("value_error", ["query", name], "It must not have a NUL"))
    return text


def filled(query: Mapping[str, str], name: str, most: int | None = None) -> str:
    """Returns a text from the query; raises InvalidRequest if it is absent, empty or over ``most`` characters."""
    return _sized(required(query, name), ["query", name], most)


def named(path: Mapping[str, str], name: str, most: int | None = None) -> str:
    """Returns a part of the path; raises InvalidRequest if it is empty or has more than ``most`` characters."""
    return _sized(path[name], ["path", name], most)


def moment(text: str, loc: list[str | int]) -> datetime:
    """Returns a time with its zone from text found at ``loc``; raises InvalidRequest."""
    try:
        parsed = datetime.fromisoformat(text)
    except ValueError as e:
        message = "Input should be a valid datetime"
        raise InvalidRequest(Problem("datetime_parsing", loc, message, text[:100])) from e
    if parsed.tzinfo is None:
        raise InvalidRequest(Problem("timezone_aware", loc, "Input should have timezone info", text[:100]))
    return parsed


def one_of(query: Mapping[str, str], name: str, words: Collection[str]) -> str | None:
    """Returns a word from the query, None if it is absent; raises InvalidRequest for another word."""
    text = query.get(name)
    if text is not None and text not in words:
        message = f"Input should be one of {', '.join(sorted(words))}"
        raise InvalidRequest(Problem("enum", ["query", name], message, text[:100]))
    return text


def _sized(text: str, loc: list[str | int], most: int | None) -> str:
    if not text:
        raise InvalidRequest(Problem("string_too_short", loc, "String should have at least 1 character", ""))
    if most is not None and len(text) > most:
        raise InvalidRequest(Problem("string_too_long", loc, f"It has {len(text)} characters; {most} is the most"))
    return text


def _problem(message: str, body: bytes) -> Problem:
    path = _PATH.search(message)
    loc: list[str | int] = ["body"]
    if path:
        message = message[: path.start()]
        loc += [int(index) if index else name or "[...]" for name, index in _STEP.findall(path.group(1))]
    if field := _FIELD.match(message):
        missing = field.group(1) == "missing required"
        here = _input(body, loc if missing else [*loc, field.group(2)])
        kind, text = ("missing", "Field required") if missing else ("extra_forbidden", "Extra inputs are not permitted")
        return Problem(kind, [*loc, field.group(2)], text, here)
    return Problem(_kind(message), loc, message, _input(body, loc))


def _kind(message: str) -> str:
    if "timezone component" in message:
        return "timezone_aware"
    if message.startswith("Invalid enum value"):
        return "literal_error"
    if "datetime" in message:
        return "datetime_parsing"
    if "duration" in message:
        return "time_delta_parsing"
    expected = re.match(r"Expected `([a-z]+)` ?([<>]?)", message)
    if expected and expected.group(2):
        return "less_than_equal" if expected.group(2) == "<" else "greater_than_equal"
    return _KINDS.get(expected.group(1), "value_error") if expected else "value_error"


def _input(body: bytes, loc: list[str | int]) -> Any:
    try:
        value = msgspec.json.decode(body)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return None  # msgspec found the first fault before it read the rest, and the rest is not JSON.
    for step in loc[1:]:
        try:
            value = value[step]
        except (KeyError, IndexError, TypeError):
            return None
    return value if len(msgspec.json.encode(value)) <= _MAX_INPUT_BYTES else None
