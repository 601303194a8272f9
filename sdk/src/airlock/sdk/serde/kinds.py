"""
The classes that need more than their own fields: which module of ``serializers`` writes and reads them.

By names, so that nothing is imported for a class that no value has.
"""

from typing import Any, Final, Protocol, cast


class Serializer(Protocol):
    """A module of ``serializers``."""

    VERSION: int

    def write(self, value: Any) -> Any:
        """Returns the data of an object: JSON, or values that are serialized in turn."""

    def read(self, classname: str, version: int, data: Any) -> Any:
        """Returns the object of this data. Raises TypeError for data that is not the class's."""


_NUMPY = (
    "int8", "int16", "int32", "int64", "uint8", "uint16", "uint32", "uint64", "float64", "float32", "float16",
    "complex128", "complex64", "bool", "bool_",
)  # fmt: skip

#: The module of each class, by the class's path.
_MODULES: Final = {
    "builtins.frozenset": "collections",
    "builtins.set": "collections",
    "builtins.tuple": "collections",
    "datetime.date": "dates",
    "datetime.datetime": "dates",
    "datetime.timedelta": "dates",
    "pendulum.date.Date": "dates",
    "pendulum.datetime.DateTime": "dates",
    "datetime.timezone": "timezones",
    "pendulum.tz.timezone.FixedTimezone": "timezones",
    "pendulum.tz.timezone.Timezone": "timezones",
    "zoneinfo.ZoneInfo": "timezones",
    "decimal.Decimal": "numbers",
    "uuid.UUID": "numbers",
    **{f"numpy.{name}": "numpy" for name in _NUMPY},
    "pandas.DataFrame": "pandas",
    "pandas.core.frame.DataFrame": "pandas",
}


def serializer_of(classname: str) -> Serializer | None:
    """Returns the module that writes and reads objects of a class; None if the class needs none."""
    name = _MODULES.get(classname)
    if name is None:
        return None
    from importlib import import_module  # deferred: plain values need no import

    return cast("Serializer", import_module(f"airlock.sdk.serde.serializers.{name}"))
