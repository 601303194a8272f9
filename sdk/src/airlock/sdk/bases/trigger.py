"""Triggers: what a deferred task waits for, and what watches for changes of an asset. A triggerer runs them."""

import abc
from collections.abc import AsyncIterator, Hashable, Mapping
from datetime import timedelta
from typing import TYPE_CHECKING, Any, ClassVar, Final

from airlock.sdk.basis.record import Record
from airlock.sdk.basis.states import TaskInstanceState

if TYPE_CHECKING:
    import logging

_UNSET: Final = object()


class StartTriggerArgs(Record):
    """
    How a task starts in the triggerer, without a worker before it.

    ``trigger_cls`` is the trigger's class path and ``trigger_kwargs`` its arguments. ``next_method`` is the operator's
    method that goes on with the event, and ``next_kwargs`` are its arguments. ``timeout`` bounds the wait.
    """

    _record: ClassVar[tuple[str, ...]] = ("trigger_cls", "next_method", "trigger_kwargs", "next_kwargs", "timeout")

    def __init__(
        self,
        trigger_cls: str,
        next_method: str,
        trigger_kwargs: dict[str, Any] | None = None,
        next_kwargs: dict[str, Any] | None = None,
        timeout: timedelta | None = None,
    ) -> None:
        self.trigger_cls = trigger_cls
        self.next_method = next_method
        self.trigger_kwargs = trigger_kwargs
        self.next_kwargs = next_kwargs
        self.timeout = timeout


class BaseTrigger(abc.ABC):
    """
    The base of all triggers.

    An operator hands a trigger to TaskDeferred, and a triggerer makes it anew elsewhere: ``serialize`` says how. Then
    ``run`` waits, and yields a TriggerEvent.
    """

    supports_triggerer_queue: ClassVar[bool] = True

    def __init__(self, **kwargs: Any) -> None:
        """Leaves ``trigger_id`` and ``task_instance`` to the triggerer, which sets them before it runs the trigger."""
        del kwargs
        self.trigger_id: int | None = None
        self.task_id: str | None = None
        self.template_fields: tuple[str, ...] = ()
        self.template_ext: tuple[str, ...] = ()
        self._task_instance: Any = None

    @property
    def log(self) -> "logging.Logger":
        """The logger of the trigger's class."""
        import logging  # deferred: an operator that defers has no use for it

        return logging.getLogger(f"{type(self).__module__}.{type(self).__name__}")

    @property
    def task_instance(self) -> Any:
        """The deferred task instance; None in an operator, and for a trigger that watches an asset."""
        return getattr(self, "_task_instance", None)

    @task_instance.setter
    def task_instance(self, value: Any) -> None:
        """Takes the task instance, and with it which of the trigger's fields are templates."""
        self._task_instance = value
        if value:
            self.task_id = value.task_id
        task = self.task
        if not task:
            return
        self.template_ext = task.template_ext
        start = getattr(task, "start_trigger_args", None)
        names = set(start.trigger_kwargs or {}) if start else set()
        self.template_fields = tuple(each for each in task.template_fields if each in names and hasattr(self, each))

    @property
    def task(self) -> Any:
        """The operator of the deferred task instance, if it is known."""
        return getattr(self.task_instance, "task", None)

    @abc.abstractmethod
    def serialize(self) -> tuple[str, dict[str, Any]]:
        """Returns the path of the trigger's class, and the arguments that make an equal trigger of it."""

    @abc.abstractmethod
    def run(self) -> AsyncIterator["TriggerEvent"]:
        """
        Yields an event when what the trigger waits for has happened.

        A trigger that a task waits for ends after its first event. It may run in two triggerers for a moment, and more
        than once.
        """

    async def cleanup(self) -> None:  # noqa: B027 - most triggers hold nothing
        """Frees what this process holds for the trigger. Called whenever ``run`` ends, a stop of the triggerer too."""

    async def on_kill(self) -> None:  # noqa: B027 - most triggers wait for no work outside
        """Stops the work outside that the trigger waits for. Called only when a user ended or cleared the task."""

    @staticmethod
    def repr(classpath: str, kwargs: Mapping[str, Any]) -> str:
        """Returns a trigger as one line for people: its class and arguments."""
        return f"<{classpath} {', '.join(f'{name}={value}' for name, value in kwargs.items())}>"

    def __repr__(self) -> str:
        """Returns the class and the arguments."""
        return self.repr(*self.serialize())


class BaseEventTrigger(BaseTrigger):
    """
    The base of the triggers that watch for changes of an asset, and so may yield many events.

    Triggers of one ``shared_stream_key`` share one source of raw events: ``open_shared_stream`` opens it once, and each
    trigger's ``filter_shared_stream`` picks its own events.
    """

    supports_triggerer_queue: ClassVar[bool] = False

    def __init__(self, **kwargs: Any) -> None:
        """Leaves ``asset_state_store`` to the triggerer, which sets it before it runs the trigger."""
        super().__init__(**kwargs)
        self.asset_state_store: Any = None

    @staticmethod
    def hash(classpath: str, kwargs: Mapping[str, Any]) -> int:
        """Returns a number that two triggers share if their class and arguments are equal."""
        import json  # deferred: only what registers triggers needs them

        from airlock.sdk.serde import serialize

        return hash((classpath, json.dumps(serialize(dict(kwargs)), sort_keys=True)))

    def shared_stream_key(self) -> Hashable | None:
        """Returns what triggers that share a stream have in common; None for a trigger with a stream of its own."""
        return None

    @classmethod
    def open_shared_stream(cls, kwargs: dict[str, Any]) -> AsyncIterator[Any]:
        """Yields the raw events for all triggers of one key, for ever. ``kwargs`` are those of one of the triggers."""
        raise NotImplementedError(f"{cls.__name__} has a shared_stream_key, so it must implement open_shared_stream")

    @classmethod
    def create_shared_stream_producer(cls, kwargs: dict[str, Any]) -> Any:
        """Returns a source whose events are confirmed one by one, for a broker that keeps them until then."""
        raise NotImplementedError(f"{cls.__name__} does not implement create_shared_stream_producer")

    def filter_shared_stream(
        self,
        shared_stream: AsyncIterator[Any],  # noqa: ARG002 - for those that implement it
    ) -> AsyncIterator["TriggerEvent"]:
        """Yields this trigger's events of the raw ones in a shared stream."""
        kind = type(self).__name__
        raise NotImplementedError(f"{kind} has a shared_stream_key, so it must implement filter_shared_stream")


class TriggerEvent(Record):
    """What a trigger yields. ``payload`` goes to the task, or into the asset's event, and must be serializable."""

    _record: ClassVar[tuple[str, ...]] = ("payload",)

    def __init__(self, payload: Any, **kwargs: Any) -> None:
        """Other arguments are ignored, as Airflow ignores them."""
        del kwargs
        self.payload = payload

    def __repr__(self) -> str:
        """Returns the payload."""
        return f"TriggerEvent<{self.payload!r}>"


class BaseTaskEndEvent(TriggerEvent):
    """An event that ends the task without a worker. ``xcoms`` are pushed for it."""

    _record: ClassVar[tuple[str, ...]] = ("task_instance_state", "xcoms")

    task_instance_state: TaskInstanceState

    def __init__(self, *, xcoms: dict[str, Any] | None = None, payload: Any = _UNSET, **kwargs: Any) -> None:
        """Raises ValueError for a payload: no method of the task would be given it."""
        if payload is not _UNSET:
            raise ValueError(f"{type(self).__name__} takes no payload, because the task is over; use xcoms=")
        state = kwargs.pop("task_instance_state", type(self).task_instance_state)
        super().__init__(payload=str(state), **kwargs)
        self.task_instance_state = TaskInstanceState(state)
        self.xcoms = xcoms


class TaskSuccessEvent(BaseTaskEndEvent):
    """Ends the task as a success."""

    task_instance_state = TaskInstanceState.SUCCESS


class TaskFailedEvent(BaseTaskEndEvent):
    """Ends the task as failed."""

    task_instance_state = TaskInstanceState.FAILED


class TaskSkippedEvent(BaseTaskEndEvent):
    """Ends the task as skipped."""

    task_instance_state = TaskInstanceState.SKIPPED
