"""
A backend of one's own: a class with the interface of Airflow's secrets backends, named by its dotted path.

An administrator chooses it and it runs in the server, like the server's own code. The names that it is asked for come
from tasks. A name that a store could take for a path to elsewhere is not passed on: a grant like ``team/*`` would then
also open ``team/../other``.
"""

import importlib
import re
from collections.abc import Mapping
from typing import Any

from airlock_server.secrets.backend import BackendFailed, Variable
from airlock_server.secrets.connection_text import from_map, from_text
from airlock_server.store.connections import Connection

#: What HTTP clients and stores treat as more than a part of a name.
_UNSAFE = re.compile(r"[\x00-\x1f\x7f\\%?#]|(?:^|/)\.{0,2}(?:/|$)")
_MOST_CHARACTERS = 500
_FIELDS = ("conn_type", "host", "schema", "login", "password", "port", "extra", "description")


class NotABackend(Exception):
    """The dotted path does not lead to a class of this interface. The text says why, without an argument's value."""


class Outside:
    """Asks an instance of the class."""

    blocks = True
    remembered = True

    def __init__(self, path: str, arguments: Mapping[str, Any]) -> None:
        """Imports and makes the class; raises NotABackend."""
        self.name = path
        module, _, name = path.rpartition(".")
        try:
            kind = getattr(importlib.import_module(module), name)
        except ImportError as e:
            raise NotABackend(f"{path} cannot be imported: {e}") from e
        except AttributeError as e:
            raise NotABackend(f"{path}: module {module} has no {name}") from e
        except Exception as e:  # noqa: BLE001 - whatever the module raises
            raise NotABackend(f"{path} cannot be imported: it raised {type(e).__name__}") from None
        if not callable(kind) or not any(hasattr(kind, each) for each in ("get_variable", *_CONNECTION_METHODS)):
            raise NotABackend(f"{path} is not a backend: it has none of get_variable, get_conn_value, get_connection")
        try:
            self._backend = kind(**arguments)
        except Exception as e:  # noqa: BLE001 - whatever the class raises; its text may show an argument
            raise NotABackend(f"{path} cannot be made with [secrets] backend_kwargs: {type(e).__name__}") from None

    def variable(self, key: str) -> Variable | None:
        """Returns a variable."""
        if not is_plain(key) or not hasattr(self._backend, "get_variable"):
            return None
        value = self._backend.get_variable(key=key)
        if value is not None and not isinstance(value, str):
            raise BackendFailed("get_variable returned something that is not text")
        return None if value is None else Variable(value)

    def connection(self, conn_id: str) -> Connection | None:
        """Returns a connection: reads what ``get_conn_value`` returns, or copies what ``get_connection`` does."""
        if not is_plain(conn_id):
            return None
        for method in _CONNECTION_METHODS:
            if hasattr(self._backend, method):
                try:
                    value = getattr(self._backend, method)(conn_id=conn_id)
                except NotImplementedError:  # Airflow's base class, where the class defines the other method
                    continue
                return None if value is None else _connection(conn_id, value)
        return None

    def setting(self, name: str) -> str | None:
        """Returns the value of a setting that is given as KEY_SECRET."""
        if not hasattr(self._backend, "get_config"):
            return None
        value = self._backend.get_config(name)
        if value is not None and not isinstance(value, str):
            raise BackendFailed("get_config returned something that is not text")
        return value


_CONNECTION_METHODS = ("get_conn_value", "get_connection")


def is_plain(name: str) -> bool:
    """Tells whether a name is only a name: without what a store could take for a path to elsewhere."""
    return 0 < len(name) <= _MOST_CHARACTERS and _UNSAFE.search(name) is None


def _connection(conn_id: str, value: Any) -> Connection:
    if isinstance(value, str):
        return from_text(conn_id, value)
    if isinstance(value, Mapping):
        return from_map(conn_id, value)
    return from_map(conn_id, {name: getattr(value, name, None) for name in _FIELDS})
