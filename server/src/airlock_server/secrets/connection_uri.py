"""Reads a connection from a URI, by Airflow's rules: every part is percent-encoded, the query is the extra."""

import json
from urllib.parse import parse_qsl, unquote, urlsplit

from airlock_server.store.connections import Connection

#: A query key that holds the whole extra as JSON, for extras that are not flat text.
EXTRA_KEY = "__extra__"


class UriError(Exception):
    """The text is not such a URI. The message never quotes it, because it may hold a password."""


def parse_uri(conn_id: str, uri: str, description: str | None = None) -> Connection:
    """Returns the connection in ``type://login:password@host:port/schema?extra``; raises UriError."""
    try:
        parts = urlsplit(uri)
        port = parts.port
    except ValueError as e:
        raise UriError(
            "the host or the port is malformed; percent-encode special characters in login and password"
        ) from e
    if not parts.scheme or "://" not in uri:
        raise UriError("it must start with type://, for example postgres://")
    host = parts.hostname
    _, _, place = parts.netloc.rpartition("@")
    if host:
        # Letters keep their case: for some types the host is a name and not an address.
        host = unquote(place.rsplit(":", 1)[0] if parts.port is not None else place.removesuffix(":"))
        host = host.removeprefix("[").removesuffix("]")
    return Connection(
        conn_id=conn_id,
        conn_type=normal_type(parts.scheme),
        host=host or None,
        schema=unquote(parts.path.removeprefix("/")) or None,
        login=unquote(parts.username) if parts.username else None,
        password=unquote(parts.password) if parts.password else None,
        port=port,
        extra=_extra(parts.query),
        description=description,
    )


def normal_type(conn_type: str) -> str:
    """
    Returns a connection's type as Airflow spells it. A URI cannot have an underscore there, so a dash stands for it.
    """
    return {"postgresql": "postgres"}.get(conn_type, conn_type.replace("-", "_"))


def _extra(query: str) -> str | None:
    if not query:
        return None
    pairs = dict(parse_qsl(query, keep_blank_values=True))
    if EXTRA_KEY not in pairs:
        return json.dumps(pairs)
    try:
        value = json.loads(pairs[EXTRA_KEY])
    except ValueError as e:
        raise UriError(f"{EXTRA_KEY} is not JSON") from e
    if not isinstance(value, dict):
        raise UriError(f"{EXTRA_KEY} is not a JSON object")
    return json.dumps(value)
