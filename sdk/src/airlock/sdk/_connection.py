"""Connections: where an outside system is and how to log in to it."""

from typing import Any

import msgspec

from airlock.sdk import _channel
from airlock.sdk._variable import refusal
from airlock.sdk.exceptions import AirlockException, ChannelError, ConnectionNotFound
from airlock_wire.protocol.messages import ConnectionResult, ErrorResponse, ErrorType, GetConnection


class Connection(msgspec.Struct, frozen=True, kw_only=True):
    """
    One connection. ``schema`` is the database's; ``extra`` is JSON text, decoded by ``extra_dejson``.

    Its text form shows neither the password nor the extras.
    """

    conn_id: str
    conn_type: str
    host: str | None = None
    schema: str | None = None
    login: str | None = None
    password: str | None = None
    port: int | None = None
    extra: str | None = None

    @classmethod
    def get(cls, conn_id: str) -> "Connection":
        """
        Returns the connection of this id. Raises ConnectionNotFound, or PermissionDenied naming the missing grant.
        """
        call = f"Connection.get({conn_id!r})"
        answer = _channel.ask(GetConnection(conn_id=conn_id), call)
        if isinstance(answer, ErrorResponse):
            if answer.error is ErrorType.CONNECTION_NOT_FOUND:
                raise ConnectionNotFound(answer, f"there is no connection {conn_id!r}; create it, or correct the id")
            raise refusal(answer, call)
        if not isinstance(answer, ConnectionResult):
            raise ChannelError(f"{call} was answered with {type(answer).__name__}, not a connection")
        return cls(**{field: getattr(answer, field) for field in answer.__struct_fields__})

    @property
    def extra_dejson(self) -> dict[str, Any]:
        """The extras as a dict, empty if the connection has no extras. Raises AirlockException if they are not one."""
        if not self.extra:
            return {}
        try:
            return msgspec.json.decode(self.extra, type=dict[str, Any])
        except (msgspec.MsgspecError, RecursionError):
            raise AirlockException(
                f"the extras of connection {self.conn_id!r} are not a JSON object; correct them where it is defined"
            ) from None

    def get_uri(self) -> str:
        """``type://login:password@host:port/schema?extras``, everything quoted: Airflow's form of a connection."""
        from urllib.parse import parse_qsl, quote, urlencode  # deferred: few tasks need it

        scheme = self.conn_type.lower().replace("_", "-")
        protocol, separator, rest = (self.host or "").partition("://")
        # A host that brings another protocol than the type keeps it in front; its own type is part of its name.
        own_protocol = bool(separator) and protocol != self.conn_type
        host = quote(rest if own_protocol else self.host or "", safe="")
        login = "" if self.login is None else quote(self.login, safe="")
        password = "" if self.password is None else ":" + quote(self.password, safe="")
        authority = f"{login}{password}@" if login or password else ""
        port = f":{self.port}" if self.port else ""
        if port and not host and not authority:
            authority = "@"
        schema = "/" + quote(self.schema, safe="") if self.schema else ""
        uri = (f"{scheme}://" if scheme else "//") + (f"{protocol}://" if own_protocol else "")
        uri += f"{authority}{host}{port}{schema}"
        if not self.extra:
            return uri
        # Extras become parameters where they come back the same from there, and else travel as one JSON text.
        extras = self.extra_dejson
        query = urlencode(extras)
        if not query or dict(parse_qsl(query, keep_blank_values=True)) != extras:
            query = urlencode({"__extra__": self.extra})
        return f"{uri}{'?' if self.schema else '/?'}{query}"

    def __repr__(self) -> str:
        """Returns the fields that identify the connection, and never its password or extras."""
        return (
            f"Connection(conn_id={self.conn_id!r}, conn_type={self.conn_type!r}, host={self.host!r}, "
            f"schema={self.schema!r}, login={self.login!r}, password={'***' if self.password else None}, "
            f"port={self.port!r}, extra={'***' if self.extra else None})"
        )

    __str__ = __repr__
