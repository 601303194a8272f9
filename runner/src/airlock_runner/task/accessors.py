"""``var`` and ``conn`` of the context: variables and connections that are looked up when they are used."""

from typing import Any

from airlock.sdk.definitions.connection import Connection
from airlock.sdk.definitions.variable import NO_DEFAULT, Variable
from airlock.sdk.exceptions import ConnectionNotFound


class _Lookup:
    """Looks names up as attributes when they are used: ``x.name``, ``x.get("name")``."""

    def get(self, name: str, default: Any = NO_DEFAULT) -> Any:
        """Returns what the name stands for, or the default."""
        raise NotImplementedError

    def __getattr__(self, name: str) -> Any:
        """Returns what the name stands for; raises AttributeError for names of Python's own protocols."""
        if name.startswith("__"):
            raise AttributeError(name)
        return self.get(name)


class _Values(_Lookup):
    def __init__(self, *, json: bool) -> None:
        self._json = json

    def get(self, name: str, default: Any = NO_DEFAULT) -> Any:
        return Variable.get(name, default, deserialize_json=self._json)


class Variables:
    """``var.value.name`` is a variable's text, ``var.json.name`` what its JSON holds."""

    def __init__(self) -> None:
        """Makes both lookups without asking the platform."""
        self.value = _Values(json=False)
        self.json = _Values(json=True)


class Connections(_Lookup):
    """``conn.name`` is the connection of that id."""

    def get(self, name: str, default: Any = NO_DEFAULT) -> Any:
        """Returns the connection of this id; if it does not exist, the default that was given."""
        try:
            return Connection.get(name)
        except ConnectionNotFound:
            if default is NO_DEFAULT:
                raise
            return default
