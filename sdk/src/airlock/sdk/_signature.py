"""
What a task's function can be called with, read without `inspect`, whose import costs more than a short task.

Plain functions are read from their code object. Anything else (a callable object, a wrapped function) goes through
`inspect`, which is then imported.
"""

from collections.abc import Callable, Collection, Mapping
from types import FunctionType
from typing import Any

import msgspec

from airlock.sdk._names import near
from airlock.sdk.definitions.context import GIVEN_NAMES

_VAR_ARGS, _VAR_KWARGS = 0x04, 0x08


class Signature(msgspec.Struct, frozen=True, kw_only=True):
    """``by_position`` and ``by_name`` list the parameters each way of passing reaches; ``required`` have no default."""

    by_position: tuple[str, ...]
    by_name: tuple[str, ...]
    required: frozenset[str]
    any_position: bool
    any_name: bool
    #: The defaults of those that have one.
    defaults: dict[str, Any] = {}

    @property
    def valued(self) -> frozenset[str]:
        """The parameters whose default is a value, and not None."""
        return frozenset(name for name, value in self.defaults.items() if value is not None)


def signature_of(function: Callable[..., Any]) -> Signature:
    """Returns the signature of a callable; raises ValueError or TypeError if it has no signature to read."""
    if type(function) is not FunctionType or hasattr(function, "__wrapped__") or hasattr(function, "__signature__"):
        return _inspected(function)
    code = function.__code__
    positional = code.co_varnames[: code.co_argcount]
    keyword_only = code.co_varnames[code.co_argcount : code.co_argcount + code.co_kwonlyargcount]
    without_default = len(positional) - len(function.__defaults__ or ())
    optional_keywords = function.__kwdefaults__ or {}
    return Signature(
        by_position=positional,
        by_name=positional[code.co_posonlyargcount :] + keyword_only,
        required=frozenset(positional[:without_default])
        | frozenset(name for name in keyword_only if name not in optional_keywords),
        any_position=bool(code.co_flags & _VAR_ARGS),
        any_name=bool(code.co_flags & _VAR_KWARGS),
        defaults={
            **dict(zip(positional[without_default:], function.__defaults__ or (), strict=True)),
            **optional_keywords,
        },
    )


def _inspected(function: Callable[..., Any]) -> Signature:
    import inspect  # deferred: expensive, see the module

    parameters = inspect.signature(function).parameters.values()
    in_position = (inspect.Parameter.POSITIONAL_ONLY, inspect.Parameter.POSITIONAL_OR_KEYWORD)
    in_name = (inspect.Parameter.POSITIONAL_OR_KEYWORD, inspect.Parameter.KEYWORD_ONLY)
    return Signature(
        by_position=tuple(p.name for p in parameters if p.kind in in_position),
        by_name=tuple(p.name for p in parameters if p.kind in in_name),
        required=frozenset(
            p.name
            for p in parameters
            if p.default is p.empty and p.kind in (*in_position, inspect.Parameter.KEYWORD_ONLY)
        ),
        any_position=any(p.kind is inspect.Parameter.VAR_POSITIONAL for p in parameters),
        any_name=any(p.kind is inspect.Parameter.VAR_KEYWORD for p in parameters),
        defaults={p.name: p.default for p in parameters if p.default is not p.empty},
    )


def check_call(name: str, signature: Signature, args: Collection[Any], kwargs: Mapping[str, Any]) -> None:
    """
    Refuses a task call that could only fail at run time, with a TypeError that names the argument.

    A required parameter with a context name may be left out: it is given at run time.
    """
    if len(args) > len(signature.by_position) and not signature.any_position:
        raise TypeError(f"{name}() takes {len(signature.by_position)} positional arguments, and {len(args)} were given")
    filled = set(signature.by_position[: len(args)])
    for key in kwargs:
        if key in filled and key in signature.by_name:
            raise TypeError(f"{name}() got {key!r} by position and again by name; give it once")
        if key not in signature.by_name and not signature.any_name:
            raise TypeError(f"{name}() has no argument {key!r}; {near(key, signature.by_name)}")
    missing = signature.required - filled - kwargs.keys() - GIVEN_NAMES
    if missing:
        ordered = [p for p in (*signature.by_position, *signature.by_name) if p in missing]
        raise TypeError(f"{name}() misses the argument {ordered[0]!r}; give it where the task is called")


def with_context(
    signature: Signature, args: Collection[Any], kwargs: Mapping[str, Any], context: Mapping[str, Any]
) -> dict[str, Any]:
    """
    Returns the keyword arguments with the context added: what the function names, or all of it for ``**kwargs``.

    What the author passed wins, and is left out where the function cannot take it. A required parameter whose entry the
    context lacks becomes None.
    """
    filled = set(signature.by_position[: len(args)])
    free = [name for name in signature.by_name if name not in filled and name not in kwargs]
    arguments = {name: context[name] for name in free if name in context}
    arguments |= {n: None for n in free if n in GIVEN_NAMES and n not in context and n in signature.required}
    if signature.any_name:
        arguments = {key: value for key, value in context.items() if key not in filled} | arguments
    return arguments | {key: value for key, value in kwargs.items() if signature.any_name or key in signature.by_name}
