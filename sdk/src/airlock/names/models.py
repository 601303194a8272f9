"""Classes of ``airflow.models`` whose methods have other arguments than those of the SDK."""

from typing import Any

from airlock.sdk.definitions import connection, variable
from airlock.sdk.definitions.variable import NO_DEFAULT


class Variable(variable.Variable):
    """A variable, by the methods that it had before Airflow 3: ``Variable.get("key", default_var=None)``."""

    @classmethod
    def get(cls, key: str, default_var: Any = NO_DEFAULT, deserialize_json: bool = False) -> Any:
        """Returns the variable's text, or what it holds as JSON; ``default_var`` if there is no such variable."""
        return super().get(key, default_var, deserialize_json)

    @classmethod
    def setdefault(cls, key: str, default: Any, description: str | None = None, deserialize_json: bool = False) -> Any:
        """Returns the value of the variable, which is made of ``default`` if it does not exist."""
        value = cls.get(key, None, deserialize_json)
        if value is not None:
            return value
        if default is None:
            raise ValueError(f"Variable.setdefault({key!r}): the default must not be None")
        cls.set(key, default, description, serialize_json=deserialize_json)
        return default

    @classmethod
    def update(cls, key: str, value: Any, serialize_json: bool = False) -> None:
        """Replaces the value of a variable. Raises VariableNotFound, a KeyError, if it does not exist."""
        cls.get(key)
        cls.set(key, value, serialize_json=serialize_json)


class Connection(connection.Connection):
    """A connection, with a method that it had before Airflow 3."""

    @classmethod
    def get_connection_from_secrets(cls, conn_id: str) -> connection.Connection:
        """Returns the connection of this id. Raises ConnectionNotFound or PermissionDenied."""
        return cls.get(conn_id)
