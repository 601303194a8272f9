"""
File systems by scheme and connection. No other module imports fsspec.

fsspec knows which package serves a scheme: ``s3fs`` for ``s3``, ``gcsfs`` for ``gs``, ``adlfs`` for ``abfs``.
"""

from collections.abc import Callable
from functools import cached_property
from typing import Any, Final

import fsspec

from airlock.sdk.definitions.connection import Connection
from airlock.sdk.io import credentials

#: Makes a file system from the id of a connection, None without one, and further options.
Factory = Callable[[str | None, dict[str, Any]], Any]

_factories: Final[dict[str, Factory]] = {}
_stores: Final[dict[str, "ObjectStore"]] = {}


def register_fs(scheme: str, factory: Factory) -> None:
    """Makes ``factory`` what opens a scheme, instead of fsspec."""
    _factories[scheme] = factory


def has_fs(scheme: str) -> bool:
    """Tells whether a scheme can be opened, its package aside."""
    return scheme in _factories or scheme in fsspec.available_protocols()


def get_fs(scheme: str, conn_id: str | None = None, storage_options: dict[str, Any] | None = None) -> Any:
    """
    Returns the file system of a scheme, as fsspec has it; ``conn_id`` names the connection whose login opens it.

    Raises ValueError for a scheme that is not known, ImportError naming the package that a scheme needs, and what
    ``Connection.get`` raises.
    """
    further = storage_options or {}
    if (factory := _factories.get(scheme)) is not None:
        return factory(conn_id, further)
    if not has_fs(scheme):
        raise ValueError(f"no file system is known for {scheme}://; register one with airlock.sdk.io.register_fs")
    by_connection = credentials.options(scheme, Connection.get(conn_id)) if conn_id is not None else {}
    return fsspec.filesystem(scheme, **(by_connection | further))


class ObjectStore:
    """A store that paths are in: its scheme, the connection that opens it, and its file system once it is used."""

    def __init__(
        self, protocol: str, conn_id: str | None, fs: Any = None, storage_options: dict[str, Any] | None = None
    ) -> None:
        """``fs`` is a file system that is open already."""
        self.protocol = protocol
        self.conn_id = conn_id
        self.storage_options = storage_options
        if fs is not None:
            self.fs = fs

    @cached_property
    def fs(self) -> Any:
        """The file system, opened at the first use."""
        return get_fs(self.protocol, self.conn_id, self.storage_options)

    def __str__(self) -> str:
        """Returns the name under which it is attached by default."""
        return f"{self.protocol}-{self.conn_id}" if self.conn_id else self.protocol


def attach(
    protocol: str | None = None,
    conn_id: str | None = None,
    alias: str | None = None,
    encryption_type: str | None = "",  # noqa: ARG001 - Airflow's signature; neither uses it
    fs: Any = None,
    **options: Any,
) -> ObjectStore:
    """
    Returns the store of a scheme and connection, or of an ``alias``, made at the first call. ``fs`` is a file system
    that is open already. Raises ValueError for an alias that is not attached, if no ``protocol`` is given.
    """
    if not alias and not protocol:
        raise ValueError("attach needs a protocol, or the alias of a store that is attached already")
    name = alias or str(ObjectStore(protocol or "", conn_id))
    if (store := _stores.get(name)) is not None:
        return store
    if not protocol:
        raise ValueError(f"no store is attached as {alias!r}; pass a protocol to attach one")
    _stores[name] = ObjectStore(protocol, conn_id, fs, **options)
    return _stores[name]


class AtFirstUse:
    """
    Stands for a store's file system until it is used. A path needs one to be made, and must not ask for a connection
    then: it may be made while a DAG file is imported, when nothing is granted yet.
    """

    def __init__(self, store: ObjectStore) -> None:
        """Opens nothing."""
        self._store = store

    def __getattr__(self, name: str) -> Any:
        """Opens the file system."""
        return getattr(self._store.fs, name)


def compression_suffix(compression: str) -> str:
    """Returns the ending of a file's name for a compression, ``.gz``; raises ValueError for one that is not known."""
    for suffix, name in fsspec.utils.compressions.items():
        if name == compression:
            return f".{suffix}"
    known = sorted({name for name in fsspec.utils.compressions.values() if name})
    raise ValueError(f"the compression {compression!r} is not known here; there are: {', '.join(known)}")
