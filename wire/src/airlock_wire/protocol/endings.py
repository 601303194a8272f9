"""
Terminal messages of a launch whose task goes on later: it waits for a trigger, for a date, or for a person.

They are terminal messages, as ``SucceedTask`` is: one a launch. The task instance keeps its id and its try number, and
a later launch of it resumes.
"""

from datetime import datetime
from typing import Any, Literal

from airlock_wire.protocol.messages import Message


class DeferTask(Message, frozen=True, kw_only=True):
    """
    The task waits for a trigger. ``trigger_timeout`` is an ISO 8601 duration; ``trigger_kwargs`` is a map, or the text
    that an encrypting client made of one.
    """

    classpath: str
    next_method: str
    state: Literal["deferred"] = "deferred"
    trigger_kwargs: dict[str, Any] | str | None = None
    trigger_timeout: str | None = None
    queue: str | None = None
    next_kwargs: dict[str, Any] | None = None
    rendered_map_index: str | None = None


class RescheduleTask(Message, frozen=True, kw_only=True):
    """The task wants to be started again at a date, with nothing remembered."""

    reschedule_date: datetime
    end_date: datetime
    state: Literal["up_for_reschedule"] = "up_for_reschedule"


class AwaitInputTask(Message, frozen=True, kw_only=True):
    """The task waits for a person's answer. ``timeout`` is an ISO 8601 duration."""

    next_method: str
    state: Literal["awaiting_input"] = "awaiting_input"
    timeout: str | None = None
    next_kwargs: dict[str, Any] | None = None
    rendered_map_index: str | None = None
