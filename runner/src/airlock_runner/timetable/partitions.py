"""
Asks an author's partition mapper: where keys lead, what they stand for, and which key stands for a value.
"""

from collections.abc import Callable
from datetime import datetime
from typing import Any

from airlock_runner.timetable.loading import Source, method_of
from airlock_wire.protocol import timetables as wire


def map_keys(question: wire.MapKeys, source: Source) -> wire.Answer:
    """Returns the keys to which each key leads."""
    mapper = source.made(question.classpath, question.data)
    to_downstream = method_of(mapper, "to_downstream")
    return wire.Answer(keys=[_keys(to_downstream(key), mapper) for key in question.keys])


def decode_keys(question: wire.DecodeKeys, source: Source) -> wire.Answer:
    """Returns what each key stands for."""
    mapper = source.made(question.classpath, question.data)
    decode, _ = _pair(mapper)
    return wire.Answer(values=[_value(decode(key), mapper) for key in question.keys])


def encode_keys(question: wire.EncodeKeys, source: Source) -> wire.Answer:
    """Returns the key that stands for each value."""
    mapper = source.made(question.classpath, question.data)
    _, encode = _pair(mapper)
    values = [datetime.fromisoformat(each.moment) if each.moment else each.text for each in question.values]
    return wire.Answer(keys=[[_key(encode(value), mapper)] for value in values])


def _pair(mapper: Any) -> tuple[Callable[[Any], Any], Callable[[Any], Any]]:
    """Returns the methods that decode and encode; a mapper without both takes a key for its own text, as in Airflow."""
    decode, encode = getattr(mapper, "decode_downstream", None), getattr(mapper, "encode_upstream", None)
    if (decode is None) is not (encode is None):
        there, lacking = (
            ("encode_upstream", "decode_downstream") if decode is None else ("decode_downstream", "encode_upstream")
        )
        raise TypeError(f"{type(mapper).__name__} has {there} and not {lacking}; write both, or neither")
    if decode is None or encode is None:
        return _as_it_is, _as_it_is
    return decode, encode


def _as_it_is(value: Any) -> Any:
    return value


def _value(value: Any, mapper: Any) -> wire.KeyValue:
    if isinstance(value, datetime):
        return wire.KeyValue(moment=value.isoformat())
    if isinstance(value, str):
        return wire.KeyValue(text=value)
    raise TypeError(f"{type(mapper).__name__}.decode_downstream returned {value!r}; return text or a datetime")


def _key(value: Any, mapper: Any) -> str:
    if isinstance(value, str):
        return value
    raise TypeError(f"{type(mapper).__name__}.encode_upstream returned {value!r}; return text")


def _keys(value: Any, mapper: Any) -> list[str]:
    keys = [value] if isinstance(value, str) else list(value)
    if wrong := [key for key in keys if not isinstance(key, str)]:
        raise TypeError(f"{type(mapper).__name__}.to_downstream returned {wrong[0]!r}; return text, or texts")
    limit = getattr(mapper, "max_downstream_keys", None)
    if limit is not None and len(keys) > limit:
        raise ValueError(f"{type(mapper).__name__} made {len(keys)} keys of one; its max_downstream_keys is {limit}")
    return keys
