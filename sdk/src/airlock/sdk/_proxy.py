"""A stand-in for an entry of the context that is looked up, or imported, when it is used."""

from collections.abc import Callable
from typing import Any


class Proxy:
    """Behaves as the value that ``make`` returns; calls it once, at the first use."""

    __slots__ = ("_make", "_value")

    def __init__(self, make: Callable[[], Any]) -> None:
        """``make`` is not called here."""
        object.__setattr__(self, "_make", make)

    def _get(self) -> Any:
        try:
            return object.__getattribute__(self, "_value")
        except AttributeError:
            value = object.__getattribute__(self, "_make")()
            object.__setattr__(self, "_value", value)
            return value

    @property  # type: ignore[misc]  # isinstance() is to see the class of the value
    def __class__(self) -> Any:
        """The class of the value."""
        return type(self._get())

    @property
    def __wrapped__(self) -> Any:
        """The value itself."""
        return self._get()

    def __getattr__(self, name: str) -> Any:
        """Returns an attribute of the value."""
        return getattr(self._get(), name)

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        """Calls the value."""
        return self._get()(*args, **kwargs)


def _forward(name: str) -> Callable[..., Any]:
    def method(self: Proxy, *args: Any) -> Any:
        args = tuple(each._get() if type(each) is Proxy else each for each in args)  # noqa: SLF001 - of this class
        return getattr(self._get(), name)(*args)

    return method


# Python looks these up on the class, and not by __getattr__.
for _name in [
    "str",
    "repr",
    "bool",
    "hash",
    "eq",
    "ne",
    "lt",
    "le",
    "gt",
    "ge",
    "len",
    "iter",
    "getitem",
    "contains",
    "add",
    "radd",
    "sub",
    "rsub",
    "mul",
    "rmul",
    "int",
    "float",
    "index",
    "format",
]:
    if _name == "bool":
        setattr(Proxy, "__bool__", lambda self: bool(self._get()))  # noqa: B010 - not every value has the method
    else:
        setattr(Proxy, f"__{_name}__", _forward(f"__{_name}__"))
