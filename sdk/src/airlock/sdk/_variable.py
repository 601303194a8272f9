"""Variables: text that the platform keeps for tasks."""

from typing import Any, Final

import msgspec

from airlock.sdk import _channel
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


class Variable:
    """Reads variables. There are no instances: ``Variable.get("key")``."""

    @classmethod
    def get(cls, key: str, default: Any = NO_DEFAULT, *, deserialize_json: bool = False) -> Any:
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


def refusal(answer: ErrorResponse, call: str) -> AirlockRuntimeError:
    """
    Returns the exception for an answer that refuses ``call``: PermissionDenied with the fix, or AirlockRuntimeError.
    """
    if answer.error is not ErrorType.PERMISSION_DENIED:
        return AirlockRuntimeError(answer, f"{call} failed: {answer.error.value}: {reason_in(answer)}")
    text = f"{call} was denied: {reason_in(answer)}"
    if _channel.parsing():
        text += "; a DAG file is imported without access to the platform: move the call into a task"
    return PermissionDenied(answer, text)
