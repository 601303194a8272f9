"""Deadlines of DAG runs: counted from what, how long, and what is called when one is missed."""

import datetime as dt
import warnings
from collections.abc import Callable
from typing import Any, ClassVar, Final, Self, overload

from airlock.sdk.basis.record import Record
from airlock.sdk.definitions.callback import AsyncCallback, Callback, SyncCallback

REFERENCE_TYPE_FIELD: Final = "reference_type"


class BaseDeadlineReference:
    """
    The base of what a deadline is counted from. The scheduler evaluates those below.

    An author's own reference has ``_evaluate_with``, and runs in a runner.
    """

    @property
    def reference_name(self) -> str:
        """The name of the class."""
        return type(self).__name__

    def serialize_reference(self) -> dict[str, Any]:
        """Returns the reference as plain JSON. A reference with fields adds them."""
        return {REFERENCE_TYPE_FIELD: self.reference_name}

    @classmethod
    def deserialize_reference(cls, reference_data: dict[str, Any]) -> Self:  # noqa: ARG003 - for those with fields
        """Returns the reference of what ``serialize_reference`` returned."""
        return cls()

    def __eq__(self, other: object) -> bool:
        """Tells whether both are one kind with the same fields."""
        if not isinstance(other, BaseDeadlineReference):
            return NotImplemented
        return self.serialize_reference() == other.serialize_reference()

    def __hash__(self) -> int:
        """Returns a hash of the kind and the fields."""
        return hash(frozenset(self.serialize_reference().items()))


class DagRunLogicalDateDeadline(BaseDeadlineReference):
    """The run's logical date."""


class DagRunQueuedAtDeadline(BaseDeadlineReference):
    """The moment at which the run was queued."""


class FixedDatetimeDeadline(BaseDeadlineReference):
    """A fixed moment."""

    def __init__(self, _datetime: dt.datetime) -> None:
        """``_datetime`` is the moment."""
        self._datetime = _datetime

    def serialize_reference(self) -> dict[str, Any]:
        """Returns the moment as a timestamp."""
        return {**super().serialize_reference(), "datetime": self._datetime.timestamp()}

    @classmethod
    def deserialize_reference(cls, reference_data: dict[str, Any]) -> Self:
        """Returns the reference to a timestamp."""
        return cls(dt.datetime.fromtimestamp(reference_data["datetime"], dt.UTC))


class AverageRuntimeDeadline(BaseDeadlineReference):
    """The start of the run and, after it, as long as the last runs took on average."""

    DEFAULT_LIMIT: ClassVar[int] = 10

    def __init__(self, max_runs: int, min_runs: int | None = None) -> None:
        """
        ``max_runs`` is how many runs count; with fewer than ``min_runs`` there is no deadline.

        Raises ValueError for a ``min_runs`` below 1.
        """
        self.max_runs = max_runs
        self.min_runs = max_runs if min_runs is None else min_runs
        if self.min_runs < 1:
            raise ValueError(f"AverageRuntimeDeadline: min_runs must be at least 1, not {self.min_runs}")

    def serialize_reference(self) -> dict[str, Any]:
        """Returns both counts."""
        return {**super().serialize_reference(), "max_runs": self.max_runs, "min_runs": self.min_runs}

    @classmethod
    def deserialize_reference(cls, reference_data: dict[str, Any]) -> Self:
        """Returns the reference of both counts."""
        return cls(reference_data.get("max_runs", cls.DEFAULT_LIMIT), reference_data.get("min_runs"))


_Kinds = tuple[type[BaseDeadlineReference], ...]


class DeadlineReference:
    """Everything that a deadline may be counted from."""

    class TYPES:
        """Which references are evaluated when the run is made, and which when it is queued."""

        DAGRUN_CREATED: ClassVar[_Kinds] = (DagRunLogicalDateDeadline, FixedDatetimeDeadline, AverageRuntimeDeadline)
        DAGRUN_QUEUED: ClassVar[_Kinds] = (DagRunQueuedAtDeadline,)
        DAGRUN: ClassVar[_Kinds] = DAGRUN_CREATED + DAGRUN_QUEUED

    DAGRUN_LOGICAL_DATE: ClassVar[BaseDeadlineReference] = DagRunLogicalDateDeadline()
    DAGRUN_QUEUED_AT: ClassVar[BaseDeadlineReference] = DagRunQueuedAtDeadline()

    @classmethod
    def AVERAGE_RUNTIME(cls, max_runs: int = 0, min_runs: int | None = None) -> BaseDeadlineReference:  # noqa: N802 - Airflow's
        """Returns the start of the run and the average of ``max_runs`` runs, 10 unless given."""
        return AverageRuntimeDeadline(max_runs or AverageRuntimeDeadline.DEFAULT_LIMIT, min_runs)

    @classmethod
    def FIXED_DATETIME(cls, dt: dt.datetime) -> BaseDeadlineReference:  # noqa: N802 - Airflow's
        """Returns a fixed moment."""
        return FixedDatetimeDeadline(dt)

    @classmethod
    def register_custom_reference(
        cls,
        reference_class: type[BaseDeadlineReference],
        deadline_reference_type: _Kinds | None = None,
    ) -> type[BaseDeadlineReference]:
        """
        Makes an author's reference one of ``DeadlineReference``, by the name of its class, and returns the class.

        ``deadline_reference_type`` is DAGRUN_CREATED, the default, or DAGRUN_QUEUED of ``TYPES``. Raises ValueError for
        another, or for a class that is not a reference. Raises TypeError for one that needs arguments.
        """
        kinds = cls.TYPES.DAGRUN_CREATED if deadline_reference_type is None else deadline_reference_type
        if not issubclass(reference_class, BaseDeadlineReference):
            raise ValueError(f"{reference_class.__name__} must be derived from BaseDeadlineReference")
        try:
            reference = reference_class()
        except TypeError as error:
            raise TypeError(
                f"{reference_class.__name__} must be made without arguments; give each of them a default ({error})"
            ) from error
        if kinds is cls.TYPES.DAGRUN_CREATED:
            cls.TYPES.DAGRUN_CREATED = (*kinds, reference_class)
        elif kinds is cls.TYPES.DAGRUN_QUEUED:
            cls.TYPES.DAGRUN_QUEUED = (*kinds, reference_class)
        else:
            raise ValueError(
                "deadline_reference_type must be DAGRUN_CREATED or DAGRUN_QUEUED of DeadlineReference.TYPES"
            )
        cls.TYPES.DAGRUN = cls.TYPES.DAGRUN_CREATED + cls.TYPES.DAGRUN_QUEUED
        setattr(cls, reference_class.__name__, reference)
        return reference_class


@overload
def deadline_reference(deadline_reference_type: type[BaseDeadlineReference]) -> type[BaseDeadlineReference]: ...
@overload
def deadline_reference(
    deadline_reference_type: _Kinds | None = None,
) -> Callable[[type[BaseDeadlineReference]], type[BaseDeadlineReference]]: ...
def deadline_reference(deadline_reference_type: Any = None) -> Any:
    """Makes a class one of ``DeadlineReference``: ``@deadline_reference``, with or without one of its ``TYPES``."""
    if isinstance(deadline_reference_type, type):
        return DeadlineReference.register_custom_reference(deadline_reference_type)
    return lambda each: DeadlineReference.register_custom_reference(each, deadline_reference_type)


class VariableInterval(Record):
    """An interval whose seconds are in a variable. It is read when the deadline is evaluated."""

    _record: ClassVar[tuple[str, ...]] = ("key",)

    def __init__(self, key: str) -> None:
        """``key`` is the variable's."""
        self.key = key

    def resolve(self) -> dt.timedelta:
        """
        Returns the interval, with a DeprecationWarning: the scheduler reads the variable by itself.

        Raises ValueError for a variable that is absent or not a whole number of seconds.
        """
        warnings.warn(
            "VariableInterval.resolve() is deprecated; the variable is read when the deadline is evaluated",
            DeprecationWarning,
            stacklevel=2,
        )
        from airlock.sdk import Variable  # deferred: the two need each other
        from airlock.sdk.exceptions import AirlockRuntimeError

        try:
            value = Variable.get(self.key)
        except AirlockRuntimeError as error:
            raise ValueError(f"VariableInterval: there is no variable {self.key!r}; create it") from error
        try:
            return dt.timedelta(seconds=int(value))
        except (TypeError, ValueError) as error:
            raise ValueError(
                f"VariableInterval: the variable {self.key!r} must be a whole number of seconds, not {value!r}"
            ) from error


class DeadlineAlert:
    """A deadline: ``interval`` after ``reference``; ``callback`` is called if the run has not ended by then."""

    def __init__(
        self,
        reference: BaseDeadlineReference,
        interval: dt.timedelta | VariableInterval,
        callback: Callback,
        name: str | None = None,
    ) -> None:
        """Raises ValueError for a callback that is neither an AsyncCallback nor a SyncCallback."""
        if not isinstance(callback, AsyncCallback | SyncCallback):
            raise ValueError(f"DeadlineAlert: callback must be an AsyncCallback or SyncCallback, not {callback!r}")
        self.reference = reference
        self.interval = interval
        self.callback = callback
        self.name = name

    def __eq__(self, other: object) -> bool:
        """Tells whether both are counted from the same kind of reference, with one interval and callback."""
        if not isinstance(other, DeadlineAlert):
            return NotImplemented
        kinds = isinstance(self.reference, type(other.reference))
        return kinds and (self.interval, self.callback) == (other.interval, other.callback)

    def __hash__(self) -> int:
        """Returns a hash of the kind of reference, the interval and the callback."""
        return hash((type(self.reference).__name__, self.interval, self.callback))
