"""
Values on their way between msgpack and JSON; large ones a piece at a time. msgpack can say things that JSON cannot.

A value of 10 MB takes a hundred as Python objects, and a sidecar has 128. So a list or map is cut into runs of its
members, and a long text into runs of letters. One run at a time becomes objects. The result is bounded too: a value
that would be longer is refused.
"""

import re
from collections.abc import Iterator
from typing import Any

import msgspec

from airlock_sidecar.errors import NotAllowed
from airlock_sidecar.requests import weight

#: A larger value is converted here by callers that have a choice.
LARGE_BYTES = 64 * 1024
#: How much of a large value becomes objects at a time.
_PIECE_BYTES = 128 * 1024
#: The largest result of a conversion.
MOST_JSON_BYTES = 32 * 1024 * 1024
MOST_MSGPACK_BYTES = 16 * 1024 * 1024
#: How many members' ends the library may look for at once.
_MOST_CUT = 200_000
#: How many brackets and commas of one JSON value are looked at, which takes some seconds.
_MOST_MARKS = 3_000_000
#: Lists in lists, each larger than a piece, down to which a value is cut.
_MOST_DEPTH = 100

_ARRAY32, _MAP32, _STR32 = 0xDD, 0xDF, 0xDB
_msgpack = msgspec.msgpack.Encoder()
_list_of_msgpack = msgspec.msgpack.Decoder(list[msgspec.Raw])
_WHAT = "the value"

#: In JSON: a text, and the next mark between members. Possessive, because such an expression keeps no history.
_STRING = re.compile(rb'"[^"\\]*+(?:\\.[^"\\]*+)*+"', re.DOTALL)
_TO_MARK = re.compile(rb'(?:"[^"\\]*+(?:\\.[^"\\]*+)*+"|[^"\[\]{},]++)*+[\[\]{},]', re.DOTALL)
_INNER, _COMMA = re.compile(rb'[\[{"]'), re.compile(b",")
#: Letters of a JSON text, of which two escapes may be one.
_LETTERS = re.compile(
    rb'(?:[^"\\]{1,4096}+|\\u[dD][89abAB][0-9a-fA-F]{2}\\u[0-9a-fA-F]{4}|\\u[0-9a-fA-F]{4}|\\[^u]){1,64}', re.DOTALL
)


def as_json(value: Any) -> bytes:
    """Writes the value as JSON; raises NotAllowed for what JSON cannot say: an extension type, a map with odd keys."""
    try:
        return msgspec.json.encode(value)
    except (TypeError, ValueError, OverflowError, RecursionError, msgspec.MsgspecError) as e:
        raise NotAllowed("not JSON", f"a value that is not JSON: {e}") from e


def json_of(value: msgspec.Raw) -> bytearray | bytes:
    """
    Returns a msgpack value as JSON. Raises NotAllowed for a value that JSON cannot hold or that is too large, and
    msgspec.MsgspecError for bytes that are not a value.
    """
    data = memoryview(value)
    if len(data) <= _PIECE_BYTES:
        return as_json(msgspec.msgpack.decode(data))
    out = bytearray()
    _add_json(out, data, 0)
    return out


def msgpack_of(value: msgspec.Raw) -> msgspec.Raw:
    """
    Returns a JSON value as msgpack. Raises NotAllowed if it is too large, msgspec.MsgspecError if it is not a value.
    """
    data = memoryview(value)
    if len(data) <= _PIECE_BYTES or weight.of_json(data) <= weight.MOST_ANSWER:
        return msgspec.Raw(_msgpack.encode(msgspec.json.decode(data)))
    out = bytearray()
    _add_msgpack(out, _stripped(data), 0)
    return msgspec.Raw(out)


# --- msgpack to JSON ---


def _add_json(out: bytearray, data: memoryview, depth: int) -> None:
    """Adds one value, which is all of ``data``."""
    kind, count, start = _container(data)
    if len(data) <= _PIECE_BYTES or kind is bytes:
        out += as_json(msgspec.msgpack.decode(data))
    elif kind is str:
        if start + count != len(data):
            raise msgspec.DecodeError("the text does not end where it says")
        out += b'"'
        for piece in _letters(data[start:]):
            out += msgspec.json.encode(piece)[1:-1]
            _bound(out, MOST_JSON_BYTES)
        out += b'"'
    elif depth > _MOST_DEPTH:
        raise RecursionError("a value that is nested too deep")
    else:
        _add_members(out, data, kind is dict, count, start, depth)
    _bound(out, MOST_JSON_BYTES)


def _add_members(out: bytearray, data: memoryview, is_map: bool, count: int, start: int, depth: int) -> None:  # noqa: FBT001 - of one caller
    out += b"{" if is_map else b"["
    for place, (members, some) in enumerate(_runs(data, count, start, 2 if is_map else 1)):
        if place:
            out += b","
        if members > 1 or len(some) <= _PIECE_BYTES:
            head = bytes([_MAP32 if is_map else _ARRAY32]) + members.to_bytes(4, "big")
            out += as_json(msgspec.msgpack.decode(head + some))[1:-1]
        else:
            after = _end(some, 0) if is_map else 0
            if is_map:
                out += as_json({msgspec.msgpack.decode(some[:after]): 0})[1:-2]
            _add_json(out, some[after:], depth + 1)
        _bound(out, MOST_JSON_BYTES)
    out += b"}" if is_map else b"]"


def _container(data: memoryview) -> tuple[type, int, int]:
    """
    Returns the type of a value larger than a piece, its number of members, and where they or its letters begin.
    """
    first = data[0] if data else 0
    if first & 0xF0 in (0x90, 0x80):
        return (list if first & 0xF0 == 0x90 else dict), first & 0x0F, 1
    width = {0xDC: 2, 0xDD: 4, 0xDE: 2, 0xDF: 4, 0xDB: 4, 0xDA: 2}.get(first)
    if width is None:
        return bytes, 0, 0
    kind = list if first in (0xDC, 0xDD) else dict if first in (0xDE, 0xDF) else str
    return kind, int.from_bytes(data[1 : 1 + width], "big"), 1 + width


def _runs(data: memoryview, count: int, start: int, parts: int) -> Iterator[tuple[int, memoryview]]:
    """Yields the members in runs: their number and their bytes. A member has ``parts`` values."""
    if count * parts <= _MOST_CUT:
        yield from _cut(data, count, start, parts)
        return
    at = begin = start
    members, values_left, size, steps = 0, parts, len(data), weight.STEPS
    for _ in range(count):
        before = at
        values_left = parts
        while values_left:
            if at >= size:
                raise msgspec.DecodeError("the value is cut off")
            first = data[at]
            values_left -= 1
            if step := steps[first]:
                if 0x80 <= first < 0xA0:
                    values_left += (first & 15) * (2 if first < 0x90 else 1)
                elif 0xDC <= first <= 0xDF:
                    values_left += int.from_bytes(data[at + 1 : at + step], "big") * (2 if first >= 0xDE else 1)
                at += step
            else:
                width, between = weight.LENGTHS[first]
                at += 1 + width + between + int.from_bytes(data[at + 1 : at + 1 + width], "big")
        if members and at - begin > _PIECE_BYTES:
            yield members, data[begin:before]
            begin, members = before, 0
        members += 1
    if at != len(data):
        raise msgspec.DecodeError("the value does not end where it says")
    if members:
        yield members, data[begin:at]


def _cut(data: memoryview, count: int, start: int, parts: int) -> Iterator[tuple[int, memoryview]]:
    """Yields the same as ``_runs`` by the library, which is faster and takes memory for every member."""
    whole = data if parts == 1 else bytes([_ARRAY32]) + (count * parts).to_bytes(4, "big") + data[start:]
    ends, at = [], start
    for member in _list_of_msgpack.decode(whole):
        at += len(memoryview(member))
        ends.append(at)
    begin, members = start, 0
    for place in range(parts - 1, len(ends), parts):
        end = ends[place]
        if members and end - begin > _PIECE_BYTES:
            before = ends[place - parts]
            yield members, data[begin:before]
            begin, members = before, 0
        members += 1
    if members:
        yield members, data[begin:at]


def _end(data: memoryview, at: int) -> int:
    """Tells where the value that begins here ends. Raises msgspec.DecodeError if it does not end."""
    values_left, size, steps = 1, len(data), weight.STEPS
    while values_left:
        if at >= size:
            raise msgspec.DecodeError("the value is cut off")
        first = data[at]
        values_left -= 1
        step = steps[first]
        if not step:
            width, between = weight.LENGTHS[first]
            step = 1 + width + between + int.from_bytes(data[at + 1 : at + 1 + width], "big")
        elif 0x80 <= first < 0xA0:
            values_left += (first & 15) * (2 if first < 0x90 else 1)
        elif 0xDC <= first <= 0xDF:
            values_left += int.from_bytes(data[at + 1 : at + step], "big") * (2 if first >= 0xDE else 1)
        at += step
    if at > size:
        raise msgspec.DecodeError("the value is cut off")
    return at


def _letters(text: memoryview) -> Iterator[str]:
    """Yields a text's letters, some at a time. Raises msgspec.DecodeError for bytes that are not text."""
    at = 0
    while at < len(text):
        end = min(at + _PIECE_BYTES, len(text))
        while end < len(text) and end > at and text[end] & 0xC0 == 0x80:
            end -= 1
        try:
            yield str(text[at : end if end > at else len(text)], "utf-8")
        except UnicodeDecodeError as e:
            raise msgspec.DecodeError(f"a text that is not UTF-8: {e.reason}") from e
        at = end if end > at else len(text)


# --- JSON to msgpack ---


def _add_msgpack(out: bytearray, data: memoryview, depth: int) -> None:
    """Adds one value, which is all of ``data``, without spaces around it."""
    first = bytes(data[:1])
    if len(data) <= _PIECE_BYTES or first not in (b'"', b"[", b"{"):
        out += _msgpack.encode(msgspec.json.decode(data))
    elif first == b'"':
        _add_text(out, data)
    elif depth > _MOST_DEPTH:
        raise RecursionError("a value that is nested too deep")
    else:
        head, is_map, total = len(out), first == b"{", 0
        out += bytes([_MAP32 if is_map else _ARRAY32]) + bytes(4)
        for members, some in _members(data):
            if members > 1 or len(some) <= _PIECE_BYTES:
                total += _add_run(out, some, is_map)
            else:
                rest = _stripped(some)
                if is_map:
                    key, rest = _key(rest)
                    out += key
                _add_msgpack(out, rest, depth + 1)
                total += 1
            _bound(out, MOST_MSGPACK_BYTES)
        out[head + 1 : head + 5] = total.to_bytes(4, "big")
    _bound(out, MOST_MSGPACK_BYTES)


def _add_run(out: bytearray, some: memoryview, is_map: bool) -> int:  # noqa: FBT001 - a flag of its only callers
    """Adds members that stand side by side; returns how many they are as objects, because a key may come twice."""
    if is_map:
        members = msgspec.json.decode(b"{" + some + b"}")
        for key, value in members.items():
            out += _msgpack.encode(key)
            out += _msgpack.encode(value)
        return len(members)
    items = msgspec.json.decode(b"[" + some + b"]")
    for value in items:
        out += _msgpack.encode(value)
    return len(items)


def _members(data: memoryview) -> Iterator[tuple[int, memoryview]]:
    """
    Yields the members of a list or map in runs: their number and text. Raises msgspec.DecodeError for other values.
    """
    if data[0] == 0x5B and _INNER.search(data, 1) is None:
        yield from _flat(data)
        return
    depth, begin, last, members, end = 0, 1, 1, 0, -1
    for count, match in enumerate(_TO_MARK.finditer(data)):
        if count > _MOST_MARKS:
            raise weight.too_large(_WHAT)
        after = match.end()
        mark = data[after - 1]
        if mark in b"[{":
            depth += 1
        elif mark in b"]}":
            depth -= 1
            if depth == 0:
                end = after - 1
                break
        elif depth == 1:
            if members and after - 1 - begin > _PIECE_BYTES:
                yield members, data[begin : last - 1]
                begin, members = last, 0
            members, last = members + 1, after
    if end != len(data) - 1 or data[end] != {0x5B: 0x5D, 0x7B: 0x7D}[data[0]]:
        raise msgspec.DecodeError("JSON is malformed: a list or map does not end where it should")
    if members and end - begin > _PIECE_BYTES:
        yield members, data[begin : last - 1]
        begin, members = last, 0
    if members or _stripped(data[begin:end]):
        yield members + 1, data[begin:end]


def _flat(data: memoryview) -> Iterator[tuple[int, memoryview]]:
    """Yields the members of a list without texts, lists and maps in it: every comma is between two members."""
    if data[-1] != 0x5D:
        raise msgspec.DecodeError("JSON is malformed: a list does not end where it should")
    begin, end = 1, len(data) - 1
    while begin < end:
        comma = _COMMA.search(data, min(begin + _PIECE_BYTES, end), end)
        stop = comma.start() if comma is not None else end
        # More than one, or small enough to be one.
        yield 2, data[begin:stop]
        begin = stop + 1
    if begin == end > 1:
        raise msgspec.DecodeError("JSON is malformed: a list ends with a comma")


def _key(member: memoryview) -> tuple[bytes, memoryview]:
    """Returns a map's member: its key as msgpack, and its value's text."""
    match = _STRING.match(member)
    after = _stripped(member[match.end() :]) if match else member[:0]
    if match is None or not after or after[0] != 0x3A:
        raise msgspec.DecodeError("JSON is malformed: a map's member without a key")
    return _msgpack.encode(msgspec.json.decode(match[0])), _stripped(after[1:])


def _add_text(out: bytearray, data: memoryview) -> None:
    if _STRING.fullmatch(data) is None:
        raise msgspec.DecodeError("JSON is malformed: a text does not end where it should")
    head, at = len(out), 1
    out += bytes([_STR32]) + bytes(4)
    while at < len(data) - 1:
        match = _LETTERS.match(data, at, len(data) - 1)
        if match is None:
            raise msgspec.DecodeError("JSON is malformed: a text has an invalid escape")
        end = match.end()
        while data[end] & 0xC0 == 0x80:
            # Not inside of a letter; what follows the last one is at least the quote.
            end -= 1
        if end <= at:
            raise msgspec.DecodeError("JSON is malformed: a text that is not UTF-8")
        out += str(msgspec.json.decode(b'"' + data[at:end] + b'"')).encode()
        at = end
        _bound(out, MOST_MSGPACK_BYTES)
    out[head + 1 : head + 5] = (len(out) - head - 5).to_bytes(4, "big")


def _stripped(data: memoryview) -> memoryview:
    """Returns the bytes without spaces around them."""
    begin, end = 0, len(data)
    while begin < end and data[begin] in b" \t\r\n":
        begin += 1
    while begin < end and data[end - 1] in b" \t\r\n":
        end -= 1
    return data[begin:end]


def _bound(out: bytearray, most: int) -> None:
    if len(out) > most:
        raise weight.too_large(_WHAT)
