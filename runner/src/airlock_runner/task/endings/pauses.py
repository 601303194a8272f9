"""The terminal messages of a task that goes on later: it waits for a date, a trigger or a person."""

from datetime import datetime, timedelta
from typing import Any

from airlock.sdk.exceptions import AirlockRescheduleException, TaskAwaitingInput, TaskDeferred
from airlock_runner.json_values import serialized
from airlock_wire.protocol.endings import AwaitInputTask, DeferTask, RescheduleTask
from airlock_wire.protocol.messages import Message


def message(error: Any, now: datetime, rendered_map_index: str | None) -> Message:
    """Returns the message for what a task raised."""
    if isinstance(error, AirlockRescheduleException):
        return RescheduleTask(reschedule_date=error.reschedule_date, end_date=now)
    if isinstance(error, TaskDeferred):
        classpath, arguments = error.trigger.serialize()
        return DeferTask(
            classpath=classpath,
            trigger_kwargs=serialized(arguments, "the trigger's arguments"),
            trigger_timeout=_duration(error.timeout),
            next_method=error.method_name,
            next_kwargs=serialized(error.kwargs or {}, "the arguments of the next method"),
            rendered_map_index=rendered_map_index,
        )
    assert isinstance(error, TaskAwaitingInput)  # noqa: S101 - the third kind of pauses
    return AwaitInputTask(
        timeout=_duration(error.timeout),
        next_method=error.method_name,
        next_kwargs=serialized(error.kwargs or {}, "the arguments of the next method"),
        rendered_map_index=rendered_map_index,
    )


def _duration(span: timedelta | None) -> str | None:
    """Returns a span of time as ISO 8601 writes it, in seconds."""
    return None if span is None else f"PT{span.total_seconds():f}S"
