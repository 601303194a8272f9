"""What other packages' decorators of tasks ask about functions."""

from collections.abc import Callable, Collection, Mapping
from typing import Any

from airlock.sdk._signature import signature_of


def determine_kwargs(func: Callable[..., Any], args: Collection[Any], kwargs: Mapping[str, Any]) -> Mapping[str, Any]:
    """Returns those of the keyword arguments that the function takes beside the positional ones."""
    return KeywordParameters.determine(func, args, kwargs).unpacking()


class KeywordParameters:
    """The keyword arguments of a call."""

    def __init__(self, kwargs: Mapping[str, Any]) -> None:
        """Holds them."""
        self._kwargs = kwargs

    @classmethod
    def determine(
        cls, func: Callable[..., Any], args: Collection[Any], kwargs: Mapping[str, Any]
    ) -> "KeywordParameters":
        """Takes those that the function names, or all of them for ``**kwargs``."""
        signature = signature_of(func)
        for name in signature.by_position[: len(args)]:
            if name in kwargs:
                raise ValueError(f"The key {name!r} in args is a part of kwargs and therefore reserved.")
        if signature.any_name:
            return cls(kwargs)
        return cls({name: kwargs[name] for name in signature.by_name if name in kwargs})

    def unpacking(self) -> Mapping[str, Any]:
        """Returns them, for ``**``."""
        return self._kwargs


def unwrap_partial(fn: Any) -> Any:
    """Returns the function inside partials."""
    while type(fn).__name__ == "partial":
        fn = fn.func
    return fn


def unwrap_callable(func: Any) -> Any:
    """Returns the plain function inside a task's decorator, partials and wrappers."""
    func = unwrap_partial(getattr(func, "function", func))
    while hasattr(func, "__wrapped__"):
        func = func.__wrapped__
    return func


def is_decorated_task(func: Any) -> bool:
    """Tells whether it is a function under ``@task``."""
    return bool(getattr(func, "is_task_decorator", False))
