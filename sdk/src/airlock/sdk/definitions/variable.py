"""Variables: text that the platform keeps for tasks."""

from collections.abc import Sequence
from typing import Any, ClassVar, Final, cast

import msgspec

from airlock.sdk import _channel
from airlock.sdk._proxy import Proxy
from airlock.sdk.basis.record import Record
from airlock.sdk.exceptions import (
    AirlockRuntimeError,
    ChannelError,
    InvalidVariable,
    PermissionDenied,
    VariableNotFound,
    reason_in,
)
from airlock_wire.protocol.messages import ErrorResponse, ErrorType, GetVariable, VariableResult

#: Stands for "no default was given", as None is a default.
NO_DEFAULT: Final = object()


#: How many names a page of them has.
_PAGE: Final = 1000


class Variable(Record):
    """Reads and changes variables by its class methods: ``Variable.get("key")``. An instance is one variable."""

    _record: ClassVar[tuple[str, ...]] = ("key", "value", "description")

    def __init__(self, key: str, value: Any = None, description: str | None = None) -> None:
        """Stores nothing: ``Variable.set`` does."""
        self.key = key
        self.value = value
        self.description = description

    @classmethod
    def get(cls, key: str, default: Any = NO_DEFAULT, deserialize_json: bool = False) -> Any:
        """
        Returns the variable's text, or with ``deserialize_json`` what that JSON holds.

        If there is no such variable, ``default`` is returned as it is; without a default VariableNotFound (a
        KeyError) is raised. A missing grant raises PermissionDenied even with a default, so that a wrong value is never
        used in silence. A value that is not JSON raises InvalidVariable, which does not show it.
        """
        call = f"Variable.get({key!r})"
        answer = _channel.ask(GetVariable(key=key), call)
        if isinstance(answer, ErrorResponse):
            if answer.error is ErrorType.VARIABLE_NOT_FOUND:
                if default is not NO_DEFAULT:
                    return default
                text = f"there is no variable {key!r}; create it, or call Variable.get({key!r}, default=...)"
                raise VariableNotFound(answer, text)
            raise refusal(answer, call)
        if not isinstance(answer, VariableResult):
            raise ChannelError(f"{call} was answered with {type(answer).__name__}, not a variable")
        if not deserialize_json or answer.value is None:
            return answer.value
        try:
            return msgspec.json.decode(answer.value)
        except (msgspec.DecodeError, RecursionError) as e:
            raise InvalidVariable(
                f"variable {key!r} is not JSON ({e}); correct its value, or read it without deserialize_json"
            ) from None

    @classmethod
    def set(cls, key: str, value: Any, description: str | None = None, serialize_json: bool = False) -> None:
        """
        Makes or replaces a variable. With ``serialize_json`` the value may be any JSON, else it is text.

        Raises TypeError for a value that is neither, and PermissionDenied without the grant to write it.
        """
        from airlock_wire.protocol.changes import PutVariable  # deferred: few tasks change variables

        if serialize_json:
            import json

            value = json.dumps(value, indent=2)
        if value is not None and not isinstance(value, str):
            kind = type(value).__name__
            raise TypeError(f"Variable.set({key!r}): the value is a {kind}; make it text, or pass serialize_json=True")
        call = f"Variable.set({key!r})"
        answer = _channel.ask(PutVariable(key=key, value=value, description=description), call)
        if isinstance(answer, ErrorResponse):
            raise refusal(answer, call)

    @classmethod
    def delete(cls, key: str) -> None:
        """Removes a variable, if it is there. Raises PermissionDenied without the grant to write it."""
        from airlock_wire.protocol.changes import DeleteVariable  # deferred: few tasks change variables

        call = f"Variable.delete({key!r})"
        answer = _channel.ask(DeleteVariable(key=key), call)
        if isinstance(answer, ErrorResponse):
            raise refusal(answer, call)

    @classmethod
    def keys(cls, prefix: str | None = None) -> Sequence[str]:
        """Returns the names of the variables that begin with a prefix; they are asked for at their first use."""
        return cast("Sequence[str]", Proxy(lambda: _keys(prefix)))


def _keys(prefix: str | None) -> list[str]:
    from airlock_wire.protocol import lookups  # deferred: few tasks list variables

    call = f"Variable.keys({prefix!r})"
    names: list[str] = []
    while True:
        answer = _channel.ask(lookups.GetVariableKeys(prefix=prefix, limit=_PAGE, offset=len(names)), call)
        if isinstance(answer, ErrorResponse):
            raise refusal(answer, call)
        if not isinstance(answer, lookups.VariableKeysResult):
            raise ChannelError(f"{call} was answered with {type(answer).__name__}, not with names")
        names += answer.keys
        if len(answer.keys) < _PAGE:
            return names


def refusal(answer: ErrorResponse, call: str) -> AirlockRuntimeError:
    """
    Returns the exception for an answer that refuses ``call``: PermissionDenied with the fix, or AirlockRuntimeError.
    """
    if answer.error is not ErrorType.PERMISSION_DENIED:
        return AirlockRuntimeError(answer, f"{call} failed: {answer.error.value}: {reason_in(answer)}")
    return PermissionDenied(answer, f"{call} was denied: {reason_in(answer)}")
