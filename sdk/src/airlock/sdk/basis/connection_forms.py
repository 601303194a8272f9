"""The two texts of a connection, Airflow's URI and its JSON, read and written. Pure."""

import json
from typing import Any, Final
from urllib.parse import parse_qsl, quote, unquote, urlencode, urlsplit

from airlock.sdk.exceptions import AirlockException

#: The parameter of a URI that carries extras which are more than texts.
EXTRA: Final = "__extra__"
_MAX_SCHEMES: Final = 2


def type_of(scheme: str) -> str:
    """Returns the type of connection that a scheme, or a type as people write it, stands for."""
    return "postgres" if scheme == "postgresql" else scheme.replace("-", "_")


def from_uri(uri: str) -> dict[str, Any]:
    """
    Returns the fields of ``type://login:password@host:port/schema?extras``. Before the host a protocol of its own may
    stand, which becomes part of it. Raises AirlockException, which never has the URI in it, for anything else.
    """
    scheme, separator, rest = uri.partition("://")
    protocol = ""
    if uri.count("://") == _MAX_SCHEMES:
        protocol, _, rest = rest.partition("://")
    if not separator or uri.count("://") > _MAX_SCHEMES or set("@:") & set(protocol):
        raise AirlockException(
            "Invalid connection string: it must be type://login:password@host:port/schema?extras, with each part quoted"
        )
    parts = urlsplit(f"//{rest}")
    host = _host(parts.netloc, unquote(parts.hostname or ""))
    query = dict(parse_qsl(parts.query, keep_blank_values=True))
    return {
        "conn_type": type_of(scheme),
        "host": f"{protocol}://{host}" if host and protocol else host,
        "schema": unquote(parts.path[1:]),
        "login": unquote(parts.username) if parts.username else parts.username,
        "password": unquote(parts.password) if parts.password else parts.password,
        "port": parts.port,
        "extra": query.get(EXTRA, json.dumps(query)) if query else None,
    }


def _host(netloc: str, host: str) -> str:
    """Returns the host. One that is a path keeps its case, which ``urlsplit`` would lose."""
    if "/" not in host:
        return host
    return unquote(netloc.rpartition("@")[2].partition(":")[0])


def from_json(text: str) -> dict[str, Any]:
    """Returns the fields in a JSON object with Airflow's names. Raises ValueError for a port that is not a number."""
    fields: dict[str, Any] = json.loads(text)
    if extra := fields.pop("extra", None):
        fields["extra"] = extra if isinstance(extra, str) else json.dumps(extra)
    if kind := fields.pop("conn_type", None):
        fields["conn_type"] = type_of(kind)
    if port := fields.pop("port", None):
        try:
            fields["port"] = int(port)
        except ValueError:
            raise ValueError(f"Expected integer value for `port`, but got {port!r} instead.") from None
    return fields


def as_uri(fields: dict[str, Any], extras: dict[str, Any]) -> str:
    """Returns the URI of a connection. ``extras`` are its extras, decoded."""
    kind = fields["conn_type"] or ""
    scheme = kind.lower().replace("_", "-")
    protocol, separator, rest = (fields["host"] or "").partition("://")
    # A host that brings another protocol than the type keeps it in front; its own type is part of its name.
    own_protocol = bool(separator) and protocol != kind
    host = quote(rest if own_protocol else fields["host"] or "", safe="")
    login = "" if fields["login"] is None else quote(fields["login"], safe="")
    password = "" if fields["password"] is None else ":" + quote(fields["password"], safe="")
    authority = f"{login}{password}@" if login or password else ""
    port = f":{fields['port']}" if fields["port"] else ""
    if port and not host and not authority:
        authority = "@"
    schema = "/" + quote(fields["schema"], safe="") if fields["schema"] else ""
    uri = (f"{scheme}://" if scheme else "//") + (f"{protocol}://" if own_protocol else "")
    uri += f"{authority}{host}{port}{schema}"
    if not fields["extra"]:
        return uri
    # Extras become parameters where they come back the same from there, and else travel as one JSON text.
    query = urlencode(extras)
    if not query or dict(parse_qsl(query, keep_blank_values=True)) != extras:
        query = urlencode({EXTRA: fields["extra"]})
    return f"{uri}{'?' if fields['schema'] else '/?'}{query}"


def without_empty(value: Any) -> Any:
    """Returns a value without the entries, at any depth, that are None."""
    if isinstance(value, dict):
        return {key: without_empty(each) for key, each in value.items() if each is not None}
    if isinstance(value, list):
        return [without_empty(each) for each in value if each is not None]
    return value
