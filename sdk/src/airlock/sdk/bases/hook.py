"""Hooks: clients of outside systems, made from connections."""

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from logging import Logger

    from airlock.sdk.definitions.connection import Connection


class BaseHook:
    """The base of clients of outside systems. A subclass has ``get_conn``."""

    def __init__(self, logger_name: str | None = None) -> None:
        """``logger_name`` is that of its log lines."""
        self._logger_name = logger_name

    @property
    def log(self) -> "Logger":
        """Its logger."""
        import logging  # deferred: a task that does not log does not pay for it

        place = self._logger_name or f"{type(self).__module__}.{type(self).__name__}"
        return logging.getLogger(f"airlock.task.hooks.{place}")

    logger = log

    @classmethod
    def get_connection(cls, conn_id: str) -> "Connection":
        """Returns the connection of this id. Raises ConnectionNotFound or PermissionDenied."""
        from airlock.sdk.definitions.connection import Connection

        return Connection.get(conn_id)

    @classmethod
    async def aget_connection(cls, conn_id: str) -> "Connection":
        """Returns the connection of this id, without blocking an event loop."""
        import asyncio

        return await asyncio.to_thread(cls.get_connection, conn_id)

    @classmethod
    def get_hook(cls, conn_id: str, hook_params: dict[str, Any] | None = None) -> Any:
        """Returns the hook for the connection's type. Raises AirlockException for a type without a hook."""
        return cls.get_connection(conn_id).get_hook(hook_params=hook_params)

    @classmethod
    async def aget_hook(cls, conn_id: str, hook_params: dict[str, Any] | None = None) -> Any:
        """Returns the hook for the connection's type, without blocking an event loop."""
        return (await cls.aget_connection(conn_id)).get_hook(hook_params=hook_params)

    def get_conn(self) -> Any:
        """Returns the client. A subclass overrides it."""
        raise NotImplementedError

    @classmethod
    def get_connection_form_widgets(cls) -> dict[str, Any]:
        """Returns further fields of a connection's form: none."""
        return {}

    @classmethod
    def get_ui_field_behaviour(cls) -> dict[str, Any]:
        """Returns how a connection's form differs: it does not."""
        return {}
