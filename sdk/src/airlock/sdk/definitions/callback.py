"""Callbacks of deadlines: a function by its path, and what it is called with."""

from collections.abc import Callable
from typing import Any, ClassVar, Self


class _KnownPath(str):
    """A path that was checked when its callback was made: whoever reads it back need not be able to import it."""

    __slots__ = ()


class Callback:
    """
    The base of the callbacks. ``path`` is that of the function. It is called with ``kwargs`` and ``context``.

    The function must be at the top of its module, and is given as itself or by its path.
    """

    _fields: ClassVar[tuple[str, ...]] = ("path", "kwargs")

    def __init__(self, callback_callable: Callable[..., Any] | str, kwargs: dict[str, Any] | None = None) -> None:
        """
        Raises ImportError for text that is not a path, and AttributeError for what cannot be called in this way.

        Raises ValueError for an argument ``context``, which the function is given by Airlock.
        """
        self.path = self.get_callback_path(callback_callable)
        if kwargs and "context" in kwargs:
            raise ValueError("a callback's kwargs must not hold 'context', which is given anyway; rename it")
        self.kwargs = kwargs or {}

    @classmethod
    def get_callback_path(cls, _callback: str | Callable[..., Any]) -> str:
        """Returns the path of a function. A path that cannot be imported here may still be right where it runs."""
        if callable(_callback):
            cls.verify_callable(_callback)
            return f"{_callback.__module__}.{_callback.__qualname__}"
        path = _callback.strip() if isinstance(_callback, str) else ""
        if not path.isascii() or not all(part.isidentifier() for part in path.split(".")):
            raise ImportError(f"{_callback!r} is not a function or the path of one, like 'package.module.function'")
        if isinstance(_callback, _KnownPath):
            return path
        from airlock.sdk.serde.form import imported  # deferred: most callbacks are given as functions

        try:
            function = imported(path)
        except ImportError:
            return path
        if not callable(function):
            raise AttributeError(f"{path} is a {type(function).__name__}, which cannot be called")
        cls.verify_callable(function)
        return path

    @classmethod
    def verify_callable(cls, callback: Callable[..., Any]) -> None:
        """Raises AttributeError for a function that this kind of callback cannot call."""

    @classmethod
    def serialized_fields(cls) -> tuple[str, ...]:
        """Returns the names of what ``serialize`` returns."""
        return cls._fields

    def serialize(self) -> dict[str, Any]:
        """Returns the fields, as Airflow writes them."""
        return {field: getattr(self, field) for field in self.serialized_fields()}

    @classmethod
    def deserialize(cls, data: dict[str, Any], version: int) -> Self:  # noqa: ARG003 - Airflow's signature
        """Returns the callback of these fields, without importing its function."""
        path, fields = data["path"], {key: value for key, value in data.items() if key != "path"}
        return cls(_KnownPath(path) if isinstance(path, str) else path, **fields)

    def __eq__(self, other: object) -> bool:
        """Tells whether both are of one kind and call the same with the same."""
        if type(self) is not type(other) or not isinstance(other, Callback):
            return NotImplemented
        return self.serialize() == other.serialize()

    def __hash__(self) -> int:
        """Returns a hash of the kind and the fields."""
        return hash((type(self).__name__, repr(sorted(self.serialize().items()))))


class AsyncCallback(Callback):
    """A callback that is awaited in the triggerer: an ``async def``."""

    def __init__(self, callback_callable: Callable[..., Any] | str, kwargs: dict[str, Any] | None = None) -> None:
        """Raises what Callback does, and AttributeError for a function that cannot be awaited."""
        super().__init__(callback_callable, kwargs)

    @classmethod
    def verify_callable(cls, callback: Callable[..., Any]) -> None:
        """Raises AttributeError for a function that cannot be awaited."""
        import inspect  # deferred: only a DAG with deadlines pays for it

        if not inspect.iscoroutinefunction(callback) and not hasattr(callback, "__await__"):
            raise AttributeError(f"{callback!r} cannot be awaited; make it `async def`, or use SyncCallback")


class SyncCallback(Callback):
    """A callback that an executor runs: an ordinary function."""

    _fields: ClassVar[tuple[str, ...]] = ("path", "kwargs", "executor")

    def __init__(
        self,
        callback_callable: Callable[..., Any] | str,
        kwargs: dict[str, Any] | None = None,
        executor: str | None = None,
    ) -> None:
        """``executor`` is the name of one; None is the default."""
        super().__init__(callback_callable, kwargs)
        self.executor = executor
