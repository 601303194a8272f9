"""Serves an older version: its routes and its answers."""

from collections.abc import Sequence

import msgspec

from airlock_server.api.execution.older import v2026_04_06, v2026_06_30
from airlock_server.api.execution.older.change import Change, Operation
from airlock_server.web.http import Response, encode

#: Every change, the newest first.
CHANGES: Sequence[Change] = (v2026_06_30.CHANGE, v2026_04_06.CHANGE)

_decode = msgspec.json.Decoder().decode


def newer_than(version: str) -> tuple[Change, ...]:
    """Returns the changes that are undone for a client of ``version``, the newest first."""
    return tuple(each for each in CHANGES if each.version > version)


def serves(changes: Sequence[Change], operation: Operation) -> bool:
    """Tells whether a client has the operation, for whom ``changes`` are undone."""
    if any(operation in each.added for each in changes):
        return False
    return not any(operation in each.removed for each in CHANGES if each not in changes)


def answer(changes: Sequence[Change], operation: Operation, response: Response) -> Response:
    """Returns the answer as the client's version has it."""
    undo = [each.undo[operation] for each in changes if operation in each.undo]
    if not undo or response.status != 200 or (content := _decode(response.body)) is None:
        return response
    for each in undo:
        each(content)
    return msgspec.structs.replace(response, body=encode(content))
