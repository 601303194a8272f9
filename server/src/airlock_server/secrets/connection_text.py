"""Reads a connection from what a secrets backend has for it: a URI, a JSON object as text, or a map. Pure."""

import json
from collections.abc import Mapping
from typing import Any

from airlock_server.secrets.backend import BackendFailed
from airlock_server.secrets.connection_uri import UriError, normal_type, parse_uri
from airlock_server.store.connections import Connection

_TEXTS = ("host", "schema", "login", "password", "description")
_FIELDS = {*_TEXTS, "conn_id", "conn_type", "port", "extra", "extra_dejson", "uri"}


def from_text(conn_id: str, text: str) -> Connection:
    """Returns the connection in a URI or a JSON object; raises BackendFailed, which never quotes it."""
    text = text.strip()
    if not text.startswith("{"):
        try:
            return parse_uri(conn_id, text)
        except UriError as e:
            raise BackendFailed(f"the connection is not a URI: {e}") from None
    try:
        fields = json.loads(text)
    except (ValueError, RecursionError):
        raise BackendFailed("the connection is not JSON") from None
    return from_map(conn_id, fields)


def from_map(conn_id: str, fields: Mapping[str, Any]) -> Connection:
    """Returns the connection in a map with Airflow's names; raises BackendFailed, which never quotes a value."""
    if not fields.keys() <= _FIELDS:
        raise BackendFailed("the connection has a field that connections do not have")
    if fields.get("conn_id", conn_id) != conn_id:
        raise BackendFailed("the connection has the id of another")
    if "uri" in fields:
        if fields.keys() - {"uri", "conn_id"}:
            raise BackendFailed("the connection has a URI and other fields beside it")
        return from_text(conn_id, str(fields["uri"]))
    conn_type = fields.get("conn_type")
    if not isinstance(conn_type, str) or not conn_type:
        raise BackendFailed("the connection has no conn_type")
    return Connection(
        conn_id=conn_id,
        conn_type=normal_type(conn_type),
        port=_port(fields.get("port")),
        extra=_extra(fields),
        **{name: _text(fields.get(name)) for name in _TEXTS},
    )


def _text(value: Any) -> str | None:
    if value is None or isinstance(value, str):
        return value
    if isinstance(value, int | float) and not isinstance(value, bool):
        return str(value)
    raise BackendFailed("the connection has a field that is not text")


def _port(value: Any) -> int | None:
    if value is None or value == "":
        return None
    try:
        return int(value)
    except (ValueError, TypeError):
        raise BackendFailed("the connection has a port that is not a number") from None


def _extra(fields: Mapping[str, Any]) -> str | None:
    if "extra" in fields and "extra_dejson" in fields:
        raise BackendFailed("the connection has extra and extra_dejson; keep one")
    value = fields.get("extra", fields.get("extra_dejson"))
    if value is None or value == "":
        return None
    if isinstance(value, str):
        return value
    try:
        return json.dumps(value)
    except (TypeError, ValueError):
        raise BackendFailed("the connection has an extra that is not JSON") from None
