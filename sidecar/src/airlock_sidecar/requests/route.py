"""
The type of a row of the table of routes: what a message becomes on its way to the Execution API, and back. Pure.

A row has no exceptions outside of it: what is different about a message is a field of its row.
"""

import re
from collections.abc import Callable, Iterator
from datetime import datetime
from typing import Any, NamedTuple

import msgspec

from airlock_sidecar.errors import NotAllowed, NotFound
from airlock_sidecar.requests import access, bulk, governing, naming, weight
from airlock_sidecar.requests.bulk import as_json
from airlock_sidecar.requests.json_values import JsonText
from airlock_sidecar.upstream.calls import segment
from airlock_wire.protocol import messages
from airlock_wire.protocol.messages import ErrorType
from airlock_wire.workload import Access

Message = Any
Ids = dict[str, Any]


class Request(NamedTuple):
    """A request of the API, for ``calls.Calls``."""

    method: str
    path: str
    query: list[tuple[str, str]]
    body: bytes | bytearray | memoryview | None


class Route(NamedTuple):
    """A message's row: its request, the answer to it, and the grant that it needs."""

    method: str
    #: A field of the message in braces is put there, except ``ti_id``, which is this launch's.
    path: str
    #: The type of the answer to the message; None for an empty answer.
    answer: type[Any] | None = None
    #: The field of the answer that takes the server's answer; empty where the server sends the answer's own fields.
    field: str = ""
    #: The type of each item in ``field``, if the server sends a list of items without their type.
    items: type[Any] | None = None
    #: Whether a large answer of the server is passed on in pieces instead of being decoded.
    in_pieces: bool = False
    #: The fields in the query. A field that is None or False is left out.
    query: tuple[str, ...] = ()
    #: The fields in the query that are sent if they are False, too.
    flags: tuple[str, ...] = ()
    #: The fields in the query that are left out if they are below zero.
    from_zero: tuple[str, ...] = ()
    #: The fields in the query of which the message must have one. The server requires all of them, so all are sent.
    one_of: tuple[str, ...] = ()
    #: The fields in the body.
    body: tuple[str, ...] = ()
    #: Whether the body leaves out fields at their default: an older server refuses fields that it does not know.
    sparse: bool = False
    #: The field that is the body itself.
    whole: str = ""
    #: A field of the query or the body, and its name there if it is not the field's.
    renamed: tuple[str, str] = ("", "")
    #: The error that answers a 404, in the body slot; without it a 404 is an error like others.
    not_found: ErrorType | None = None
    #: The fields of the message in that error.
    detail: tuple[str, ...] = ()
    #: The rule of access that governs the message.
    rule: str = ""
    #: The field whose value the rule must allow.
    governed: str = ""
    #: Finds what the rule must allow, where that is not one field.
    needs: Callable[[Ids, Message], Iterator[governing.Needed]] | None = None
    #: Why the message needs no grant, if no rule governs it.
    free: str = ""
    #: Whether the runner must get a denial in the body slot, so that it does not look elsewhere.
    denied_in_body: bool = False
    #: A field, and a pattern of the values that the API has another route for, or no route: nothing can be read there.
    reserved: tuple[str, str] = ("", "")
    #: Whether the message may name another task instance, because its ``ti_id`` is not used.
    any_ti_id: bool = False
    #: Whether the request changes something: a restarted sidecar must know that it was sent.
    changes: bool = False

    def request(self, ask: Message, ids: Ids) -> Request:
        """
        Returns the request for a message. Raises NotAllowed for another task instance's id and for invalid ids. Raises
        ValueError for other invalid parts of the address, and NotFound for a key that the API has no route to.
        """
        kind = type(ask)
        naming.check(ask)
        if "ti_id" in kind.__struct_fields__ and not self.any_ti_id and ask.ti_id != ids["ti_id"]:
            raise NotAllowed("foreign ids", f"{kind.__name__} for task instance {ask.ti_id}; this is {ids['ti_id']}")
        if self.one_of and not any(getattr(ask, name) for name in self.one_of):
            raise ValueError(f"{kind.__name__} names no asset: it needs a {' or a '.join(self.one_of)}")
        self._check_reserved(ask)
        values = {name: segment(str(getattr(ask, name))) for name in placeholders(self.path) if name != "ti_id"}
        if "{ti_id}" in self.path:
            values["ti_id"] = segment(ids["ti_id"])
        path = self.path.format(**values) if values else self.path
        query = [pair for name in self.query for pair in self._pairs(name, getattr(ask, name))]
        return Request(self.method, path, query, self._body(ask))

    def reply(self, ask: Message, answer: bytes) -> Any:
        """
        Returns the body of the frame that answers a message, from the body of the server's answer; None for an empty
        one.
        """
        if self.answer is None:
            return None
        if self.answer is messages.OKResponse:
            return messages.OKResponse(ok=True)
        name = self.answer.__name__
        if self.in_pieces and len(answer) > bulk.LARGE_BYTES:
            large = _large_xcom.decode(answer)
            return {"key": large.key, "value": bulk.msgpack_of(large.value), "type": name}
        if len(answer) > bulk.LARGE_BYTES and weight.of_json(memoryview(answer)) > weight.MOST_ANSWER:
            raise weight.too_large(f"what the server answered to {type(ask).__name__}")
        if not self.field:
            return _checked(self.answer, msgspec.json.decode(answer, type=dict[str, Any]) | {"type": name})
        if self.items is None:
            return _checked(self.answer, {self.field: msgspec.json.decode(answer), "type": name})
        items = msgspec.json.decode(answer, type=list[dict[str, Any]])
        typed = [item | {"type": self.items.__name__} for item in items]
        return _checked(self.answer, {self.field: typed, "type": name})

    def absent(self, ask: Message) -> messages.ErrorResponse | None:
        """Returns the body that answers a 404; None if a 404 of this message is an error like others."""
        if self.not_found is None:
            return None
        return messages.ErrorResponse(error=self.not_found, detail=self.named(ask))

    def named(self, ask: Message) -> dict[str, Any]:
        """Returns what a message asked for, by name, as an error's detail says it."""
        return {name: getattr(ask, name) for name in self.detail}

    def missing_grant(self, ask: Message, ids: Ids, allowed: Access) -> access.Missing | None:
        """Returns the grant that a message needs and this launch does not have."""
        if not self.rule:
            return None
        if self.needs is not None:
            return governing.missing(allowed, self.rule, self.needs(ids, ask))
        return access.missing(allowed, self.rule, getattr(ask, self.governed))

    def sent_as(self, name: str) -> str:
        """Returns a field's name in the request."""
        field, parameter = self.renamed
        return parameter if name == field else name

    def _check_reserved(self, ask: Message) -> None:
        """Raises NotFound for a key whose path is another route, or is not a route."""
        field, pattern = self.reserved
        key = getattr(ask, field) if field else ""
        if key and re.fullmatch(pattern, key, re.DOTALL):
            text = f"the API has no route to what is called {key[:250]!r}"
            raise NotFound(404, {"reason": "not_found", "message": text})

    def _pairs(self, name: str, value: Any) -> list[tuple[str, str]]:
        parameter = self.sent_as(name)
        if name in self.one_of:
            return [(parameter, value or "")]
        unset = value is False and name not in self.flags
        if value is None or unset or (name in self.from_zero and value < 0):
            return []
        return [(parameter, _text(item)) for item in (value if isinstance(value, list) else [value])]

    def _body(self, ask: Message) -> bytes | bytearray | memoryview | None:
        if self.whole:
            value = getattr(ask, self.whole)
            if isinstance(value, JsonText):
                return value.data
            return bulk.json_of(value) if isinstance(value, msgspec.Raw) else as_json(value)
        if not self.body:
            return None
        values = {name: getattr(ask, name) for name in self.body}
        if self.sparse:
            defaults = {field.name: field.default for field in msgspec.structs.fields(type(ask))}
            values = {name: value for name, value in values.items() if value != defaults[name] and value != {}}
        return as_json({self.sent_as(name): value for name, value in values.items()})


def placeholders(path: str) -> list[str]:
    """Returns the names in braces in a path."""
    return [piece.partition("}")[0] for piece in path.split("{")[1:]]


class _LargeXCom(msgspec.Struct):
    key: str
    value: msgspec.Raw


_large_xcom = msgspec.json.Decoder(_LargeXCom)


def _checked(kind: type[Any], body: dict[str, Any]) -> dict[str, Any]:
    """
    Checks that the body is of this type and returns it as the server wrote it, since a newer server may add fields.
    Raises msgspec.ValidationError if it is not: then another route has answered.
    """
    msgspec.convert(body, kind)
    return body


def _text(value: Any) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    return value.isoformat() if isinstance(value, datetime) else str(value)
