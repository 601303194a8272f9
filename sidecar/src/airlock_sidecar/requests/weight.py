"""
Estimates from bytes how large a message or an answer would be as objects and as JSON, without decoding it. Pure.

A frame of sixteen megabytes has room for sixteen million empty lists, which are a gigabyte as objects. So a large
message is weighed before it is decoded. A text is one token, whatever its length. Tokens are added one by one, and
counting stops at the bound. The weights are those of CPython 3.11 and newer, each with its place in a list or map, and
too high rather than too low.
"""

import re

from airlock_sidecar.errors import NotAllowed

#: A message of at most so many bytes is not weighed: as objects it is some megabytes at most.
SMALL_BYTES = 64 * 1024
#: The largest weight of a message as objects, and as JSON. Some messages are held twice for a while.
MOST_OBJECTS = 22 * 1024 * 1024
MOST_JSON = 24 * 1024 * 1024
#: The largest weight of an answer, which is held once.
MOST_ANSWER = 24 * 1024 * 1024

_CHUNK_BYTES = 64 * 1024
#: A text up to so many bytes is taken to have letters of two bytes each.
_SHORT_BYTES = 64
#: Control characters that JSON spells with six; some of its numbers look like them.
_ESCAPED = bytes(set(range(32)) - {8, 9, 10, 12, 13})
_CONTINUED = bytes(range(0x80, 0xC0))
_TWO_BYTES, _FOUR_BYTES = re.compile(rb"[\xc4-\xef]"), re.compile(rb"[\xf0-\xff]")

_TEXT, _BINARY, _LIST, _MAP, _PLACE = 56, 33, 56, 200, 16


def _tables() -> tuple[list[int], list[int], list[int], dict[int, tuple[int, int]]]:
    """By a token's first byte: its bytes (0 where a length follows), its weight, its JSON; and where a length is."""
    steps, weights, texts = [1] * 256, [_PLACE + 32] * 256, [7] * 256
    for first in (*range(0x80), *range(0xE0, 0x100)):
        weights[first], texts[first] = _PLACE, 4
    for first in range(0x80, 0x90):
        weights[first], texts[first] = _PLACE + (_MAP + 32 * (first & 15) if first & 15 else 64), 3
    for first in range(0x90, 0xA0):
        weights[first], texts[first] = _PLACE + _LIST, 3
    for first in range(0xA0, 0xC0):
        steps[first], weights[first], texts[first] = (
            1 + (first & 31),
            _PLACE + _TEXT + 2 * (first & 31),
            4 + (first & 31),
        )
    for first, size, text in (
        (0xCA, 4, 26), (0xCB, 8, 26), (0xCC, 1, 4), (0xCD, 2, 6), (0xCE, 4, 11), (0xCF, 8, 21), (0xD0, 1, 5),
        (0xD1, 2, 7), (0xD2, 4, 12), (0xD3, 8, 21), (0xD4, 2, 40), (0xD5, 3, 40), (0xD6, 5, 40), (0xD7, 9, 40),
        (0xD8, 17, 40),
    ):  # fmt: skip
        steps[first], texts[first] = 1 + size, text
    for first, size, weight in ((0xDC, 2, _LIST), (0xDD, 4, _LIST), (0xDE, 2, _MAP), (0xDF, 4, _MAP)):
        steps[first], weights[first], texts[first] = 1 + size, _PLACE + weight, 3
    #: (bytes of the length, bytes between it and what it counts) of texts, binary and extensions.
    lengths = {
        0xD9: (1, 0), 0xDA: (2, 0), 0xDB: (4, 0), 0xC4: (1, 0), 0xC5: (2, 0), 0xC6: (4, 0), 0xC7: (1, 1), 0xC8: (2, 1),
        0xC9: (4, 1),
    }  # fmt: skip
    for first in lengths:
        steps[first] = 0
    return steps, weights, texts, lengths


STEPS, _WEIGHTS, _TEXTS, LENGTHS = _tables()


def check(data: memoryview, name: str, most_objects: int = MOST_OBJECTS, most_json: int = MOST_JSON) -> None:
    """Raises NotAllowed for msgpack that would weigh too much."""
    objects, text = of_msgpack(data, most_objects, most_json)
    if objects > most_objects or text > most_json:
        raise too_large(name)


def of_msgpack(data: memoryview, most_objects: int, most_json: int) -> tuple[int, int]:
    """Returns an upper bound of msgpack's weight as objects and as JSON; counting stops once either is too much."""
    at, end = 0, len(data)
    objects, text = 0, 5 * _escaped(data)
    steps, weights, texts = STEPS, _WEIGHTS, _TEXTS
    while at < end and objects <= most_objects and text <= most_json:
        first = data[at]
        if step := steps[first]:
            objects += weights[first]
            text += texts[first]
            at += step
            continue
        width, between = LENGTHS[first]
        size = int.from_bytes(data[at + 1 : at + 1 + width], "big")
        at += 1 + width + between
        if first in (0xD9, 0xDA, 0xDB):
            objects += _PLACE + _TEXT + _letters(data[at : at + size])
            text += 4 + size
        else:
            objects += _PLACE + _BINARY + size
            text += 4 + size * 4 // 3
        at += size
    return objects, text


def too_large(name: str) -> NotAllowed:
    """Returns the refusal of a value that would weigh too much."""
    text = f"{name} is too large to be taken apart here: it has too many values, or too long ones; send it in pieces"
    return NotAllowed("too large", text)


def of_json(data: memoryview) -> int:
    """
    Returns an upper bound of JSON's weight as objects: it counts every bracket and comma, also those inside texts.
    """
    width, brackets, maps, commas, not_ascii = 1, 0, 0, 0, False
    for at in range(0, len(data), _CHUNK_BYTES):
        chunk = bytes(data[at : at + _CHUNK_BYTES])
        # Looking for a byte is several times faster than counting it, and most chunks of a large text have none.
        brackets += chunk.count(b"[") if b"[" in chunk else 0
        maps += chunk.count(b"{") if b"{" in chunk else 0
        commas += chunk.count(b",") if b"," in chunk else 0
        ascii_only = chunk.isascii()
        not_ascii = not_ascii or not ascii_only
        if (b"\\" in chunk and b"\\u" in chunk) or (not ascii_only and _FOUR_BYTES.search(chunk)):
            width = 4
        elif width == 1 and not ascii_only and _TWO_BYTES.search(chunk):
            width = 2
    width += width > 1 or not_ascii
    return width * len(data) + brackets * (_LIST + _PLACE) + maps * (_MAP + 64) + commas * (_TEXT + 2 * _PLACE)


def _letters(text: memoryview) -> int:
    """
    Returns the size of a text as an object. Each letter takes as many bytes as the widest letter needs. A text with
    letters beyond ASCII also takes its UTF-8 form, which Python keeps once it was asked for.
    """
    if len(text) <= _SHORT_BYTES:
        return 2 * len(text)
    letters, width, kept_length = 0, 1, 0
    for at in range(0, len(text), _CHUNK_BYTES):
        chunk = bytes(text[at : at + _CHUNK_BYTES])
        if chunk.isascii():
            letters += len(chunk)
            continue
        kept_length = len(text)
        letters += len(chunk.translate(None, _CONTINUED))
        if _FOUR_BYTES.search(chunk):
            width = 4
        elif width == 1 and _TWO_BYTES.search(chunk):
            width = 2
    return letters * width + kept_length


def _escaped(data: memoryview) -> int:
    count = 0
    for at in range(0, len(data), _CHUNK_BYTES):
        chunk = bytes(data[at : at + _CHUNK_BYTES])
        count += len(chunk) - len(chunk.translate(None, _ESCAPED))
    return count
