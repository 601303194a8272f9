"""
Large values on their way between msgpack and JSON, a piece at a time.

A value of 10 MB is a hundred as Python objects, and a sidecar has 128. So a large list or map is cut into its members,
which stay bytes; only some of them are objects at a time. Members that are small themselves would cost more as bytes
than as objects, and are decoded together. What the members are is taken from the first.
"""

from collections.abc import Callable, Iterable
from typing import Any

import msgspec

from airlock_sidecar.values import as_json

#: A value up to this size is decoded as a whole.
LARGE_BYTES = 512 * 1024
#: So much of a large value is made objects at a time.
_PIECE_BYTES = 256 * 1024
#: A member of fewer bytes than this is cheaper as an object than as bytes of its own.
_SMALL_BYTES = 48

_ARRAY16, _ARRAY32, _MAP16, _MAP32 = 0xDC, 0xDD, 0xDE, 0xDF
_msgpack = msgspec.msgpack.Encoder()
_list_of_msgpack = msgspec.msgpack.Decoder(list[msgspec.Raw])
_map_of_msgpack = msgspec.msgpack.Decoder(dict[str, msgspec.Raw])
_list_of_json = msgspec.json.Decoder(list[msgspec.Raw])
_map_of_json = msgspec.json.Decoder(dict[str, msgspec.Raw])


def json_of(value: msgspec.Raw) -> bytes:
    """A msgpack value as JSON. Raises NotAllowed for what JSON has no form for, msgspec.MsgspecError for no value."""
    data = memoryview(value)
    kind, count, start = _container(data)
    small = len(data) < count * _SMALL_BYTES and (kind is dict or not _container(data[start:])[0])
    if not kind or len(data) < LARGE_BYTES or small:
        return as_json(msgspec.msgpack.decode(value))
    if kind is list:
        return b"[" + b",".join(_pieces(_list_of_msgpack.decode(value), _list_as_json)) + b"]"
    members = list(_map_of_msgpack.decode(value).items())
    return b"{" + b",".join(_pieces(members, _map_as_json)) + b"}"


def msgpack_of(value: msgspec.Raw) -> msgspec.Raw:
    """A JSON value as msgpack. Raises msgspec.MsgspecError for no value."""
    text = bytes(memoryview(value)[:64]).split()
    start = b"".join(text)[:2]
    # Only lists and maps whose members are lists, maps or strings are worth to be cut up.
    if len(memoryview(value)) < LARGE_BYTES or start not in (b"[[", b"[{", b'["', b'{"'):
        return msgspec.Raw(_msgpack.encode(msgspec.json.decode(value)))
    if start[:1] == b"[":
        found = _list_of_json.decode(value)
        head = bytes([_ARRAY32]) + len(found).to_bytes(4, "big")
        return msgspec.Raw(head + b"".join(_pieces(found, _list_as_msgpack)))
    members = list(_map_of_json.decode(value).items())
    head = bytes([_MAP32]) + len(members).to_bytes(4, "big")
    return msgspec.Raw(head + b"".join(_pieces(members, _map_as_msgpack)))


def _container(data: memoryview) -> tuple[type | None, int, int]:
    """Whether a msgpack value is a list or a map, how many members it says it has, and where they begin."""
    first = data[0] if data else 0
    if first & 0xF0 in (0x90, 0x80):
        return (list if first & 0xF0 == 0x90 else dict), first & 0x0F, 1
    width = {_ARRAY16: 2, _MAP16: 2, _ARRAY32: 4, _MAP32: 4}.get(first)
    if width is None:
        return None, 0, 0
    kind = list if first in (_ARRAY16, _ARRAY32) else dict
    return kind, int.from_bytes(data[1 : 1 + width], "big"), 1 + width


def _pieces(members: list[Any], encode: Callable[[list[Any]], bytes]) -> Iterable[bytes]:
    """The encoded members, so many at a time that they are about a piece; a member is let go when it was encoded."""
    members.reverse()
    while members:
        some, size = [], 0
        while members and size < _PIECE_BYTES:
            member = members.pop()
            some.append(member)
            size += len(memoryview(member[1] if isinstance(member, tuple) else member))
        yield encode(some)


def _list_as_json(some: list[Any]) -> bytes:
    return as_json([msgspec.msgpack.decode(member) for member in some])[1:-1]


def _map_as_json(some: list[Any]) -> bytes:
    return as_json({key: msgspec.msgpack.decode(member) for key, member in some})[1:-1]


def _list_as_msgpack(some: list[Any]) -> bytes:
    return b"".join(_msgpack.encode(msgspec.json.decode(member)) for member in some)


def _map_as_msgpack(some: list[Any]) -> bytes:
    return b"".join(_msgpack.encode(key) + _msgpack.encode(msgspec.json.decode(member)) for key, member in some)
