"""Connections: where an outside system is and how to log in to it."""

from typing import Any

import msgspec

from airlock.sdk import _channel
from airlock.sdk._names import near
from airlock.sdk.definitions.variable import refusal
from airlock.sdk.exceptions import AirlockException, ChannelError, ConnectionNotFound
from airlock_wire.protocol.messages import ConnectionResult, ErrorResponse, ErrorType, GetConnection

_FIELDS = ("conn_type", "description", "host", "schema", "login", "password", "port", "extra")
#: The hooks by type of connection: module, class, and the argument that takes the connection's id.
_HOOKS = {
    "fs": ("airlock.standard.hooks.filesystem", "FSHook", "fs_conn_id"),
    "package_index": ("airlock.standard.hooks.package_index", "PackageIndexHook", "pi_conn_id"),
}


class Connection:
    """
    One connection. ``schema`` is the database's; ``extra`` is JSON text, decoded by ``extra_dejson``.

    Its text form shows neither the password nor the extras.
    """

    conn_id: str
    conn_type: str | None
    description: str | None
    host: str | None
    schema: str | None
    login: str | None
    password: str | None
    port: int | None
    extra: str | None

    def __init__(self, *, conn_id: str, uri: str | None = None, **kwargs: Any) -> None:
        """Takes the fields, or a URI that has them. Raises TypeError for a field that does not exist, or for both."""
        if uri is not None:
            if kwargs:
                raise TypeError(f"connection {conn_id!r}: give its uri, or its fields, and not both")
            from airlock.sdk.basis import connection_forms  # deferred: few connections are written as URIs

            kwargs = connection_forms.from_uri(uri)
        if unknown := sorted(kwargs.keys() - set(_FIELDS)):
            raise TypeError(f"connection {conn_id!r} has no field {unknown[0]!r}; {near(unknown[0], _FIELDS)}")
        self.conn_id = conn_id
        for name in _FIELDS:
            setattr(self, name, kwargs.get(name))

    def __eq__(self, other: object) -> bool:
        """Compares all fields."""
        return vars(self) == vars(other) if isinstance(other, Connection) else NotImplemented

    __hash__ = None  # type: ignore[assignment]  # its fields may change

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

    @classmethod
    async def async_get(cls, conn_id: str) -> "Connection":
        """Returns the connection of this id, without blocking an event loop. Raises as ``get``."""
        import asyncio

        return await asyncio.to_thread(cls.get, conn_id)

    @classmethod
    def from_uri(cls, uri: str, conn_id: str) -> "Connection":
        """Returns the connection that a URI describes. Raises AirlockException for one that is not whole."""
        return cls(conn_id=conn_id, uri=uri)

    @classmethod
    def from_json(cls, value: str, conn_id: str | None = None) -> "Connection":
        """Returns the connection that a JSON object describes. Raises ValueError for a port that is not a number."""
        from airlock.sdk.basis import connection_forms

        return cls(**{"conn_id": conn_id or "", **connection_forms.from_json(value)})

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

    def get_hook(self, *, hook_params: dict[str, Any] | None = None) -> Any:
        """Returns the hook for the connection's type. Raises AirlockException for a type that no hook here is for."""
        from importlib import import_module  # deferred: few tasks ask for a hook by its type

        if self.conn_type not in _HOOKS:
            raise AirlockException(
                f"there is no hook for connections of type {self.conn_type!r}; make the hook that you need from its "
                f"own class, with conn_id={self.conn_id!r}"
            )
        module, name, argument = _HOOKS[self.conn_type]
        return getattr(import_module(module), name)(**{argument: self.conn_id}, **(hook_params or {}))

    async def aextra_dejson(self) -> dict[str, Any]:
        """Returns the extras as a dict, in a coroutine."""
        return self.extra_dejson

    def get_extra_dejson(self) -> dict[str, Any]:
        """Returns the extras as a dict. Deprecated, as in Airflow."""
        import warnings

        warnings.warn(
            "get_extra_dejson() is deprecated: use extra_dejson, which has no parentheses",
            DeprecationWarning,
            stacklevel=2,
        )
        return self.extra_dejson

    def test_connection(self) -> tuple[bool, str]:
        """Returns whether the hook of its type could connect, and what it says of that."""
        try:
            hook = self.get_hook()
            if getattr(hook, "test_connection", None) is None:
                return False, f"hook {type(hook).__name__} has no test_connection method"
            answer: tuple[bool, str] = hook.test_connection()
        except Exception as e:  # noqa: BLE001 - the hook's code; what it raises is the answer
            return False, str(e)
        return answer

    def get_uri(self) -> str:
        """``type://login:password@host:port/schema?extras``, everything quoted: Airflow's form of a connection."""
        from airlock.sdk.basis import connection_forms  # deferred: few tasks need it

        return connection_forms.as_uri(vars(self), self.extra_dejson)

    async def aget_uri(self) -> str:
        """Returns the URI, in a coroutine."""
        return self.get_uri()

    def to_dict(self, *, prune_empty: bool = False, validate: bool = True) -> dict[str, Any]:
        """
        Returns the fields, with the extras decoded. ``prune_empty`` leaves out those that are None; ``validate`` raises
        TypeError for what is not JSON.
        """
        import json

        names = ("conn_id", "conn_type", "description", "host", "login", "password", "schema", "port")
        fields: dict[str, Any] = {name: getattr(self, name) for name in names}
        if prune_empty:
            from airlock.sdk.basis import connection_forms

            fields = connection_forms.without_empty(fields)
        if (extras := self.extra_dejson) or not prune_empty:
            fields["extra"] = extras
        if validate:
            json.dumps(fields)
        return fields

    def as_json(self) -> str:
        """Returns a JSON object with the fields that are not None, without the id."""
        import json

        fields = self.to_dict(prune_empty=True, validate=False)
        del fields["conn_id"]
        return json.dumps(fields)

    def __repr__(self) -> str:
        """Returns the fields that identify the connection, and never its password or extras."""
        return (
            f"Connection(conn_id={self.conn_id!r}, conn_type={self.conn_type!r}, host={self.host!r}, "
            f"schema={self.schema!r}, login={self.login!r}, password={'***' if self.password else None}, "
            f"port={self.port!r}, extra={'***' if self.extra else None})"
        )

    __str__ = __repr__
