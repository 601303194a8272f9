"""
The bodies of PATCH /run, PATCH /state and PUT /heartbeat. Strict: a key that is not known here is an error.

Each report knows its changes to the row; the store moves the state.
"""

from datetime import datetime, timedelta
from typing import Annotated, Any, Literal

import msgspec

from airlock_server.rules.assets import AssetProfile, OutletEvent, Outlets
from airlock_server.store.task_instances import Report
from airlock_server.web.errors import InvalidRequest, Problem
from airlock_server.web.validation import decode
from airlock_wire.states import TaskInstanceState

Moment = Annotated[datetime, msgspec.Meta(tz=True)]
Pid = Annotated[int, msgspec.Meta(ge=-(2**63), le=2**63 - 1)]

_MAX_RETRY_REASON_CHARS = 500
_MAX_PARTITION_KEY_CHARS = 250
#: Beyond it the date at which a timeout ends may not exist in a calendar.
_MAX_TIMEOUT = timedelta(days=365_000)


class EnterRunning(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A launch says that it runs the task instance."""

    state: Literal["running"]
    hostname: str
    unixname: str
    pid: Pid
    start_date: Moment


class Heartbeat(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A launch says that it still runs the task instance."""

    hostname: str
    pid: Pid


class SkipDownstream(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Task instances to skip: each a task, or a task and a map index."""

    tasks: list[str | tuple[str, int]]


class _Report(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    state: str

    def report(self) -> Report:
        """Returns what it means for the row."""
        return Report(state=TaskInstanceState(self.state))


class _Ended(_Report, frozen=True, kw_only=True):
    end_date: Moment
    rendered_map_index: str | msgspec.UnsetType | None = msgspec.UNSET

    def _values(self) -> dict[str, Any]:
        values: dict[str, Any] = {"end_date": self.end_date, "next_method": None, "next_kwargs": None}
        if self.rendered_map_index is not msgspec.UNSET:
            values["rendered_map_index"] = self.rendered_map_index
        return values

    def report(self) -> Report:
        """Returns what the report does to the row."""
        return Report(state=TaskInstanceState(self.state), values=self._values())


class Ended(_Ended, frozen=True, kw_only=True):
    """The task ended in a state without further fields."""

    state: Literal["failed", "skipped", "removed", "upstream_failed"]


class Succeeded(_Ended, frozen=True, kw_only=True):
    """The task ended well."""

    state: Literal["success"]
    task_outlets: list[AssetProfile] = []
    outlet_events: list[OutletEvent] = []

    def report(self) -> Report:
        """Returns what the report does to the row."""
        outlets = Outlets(self.task_outlets, self.outlet_events)
        assets = msgspec.to_builtins(outlets)
        return Report(
            state=TaskInstanceState.SUCCESS,
            values=self._values(),
            record=assets if any(assets.values()) else None,
            problem=_partition_key_problem(self.outlet_events),
            outlets=outlets,
        )


class RetryLater(_Ended, frozen=True, kw_only=True):
    """The try ended; there is another."""

    state: Literal["up_for_retry"]
    retry_delay_seconds: float | None = None
    retry_reason: str | None = None

    def report(self) -> Report:
        """Returns what the report does to the row."""
        reason = self.retry_reason[:_MAX_RETRY_REASON_CHARS] if self.retry_reason else None
        values = {"retry_delay_seconds": self.retry_delay_seconds, "retry_reason": reason}
        return Report(state=TaskInstanceState.UP_FOR_RETRY, values=self._values() | values)


class Deferred(_Report, frozen=True, kw_only=True):
    """The task waits for a trigger. A ``trigger_kwargs`` that is text was encrypted by the client."""

    state: Literal["deferred"]
    classpath: str
    next_method: str
    trigger_kwargs: dict[str, Any] | str = {}
    trigger_timeout: timedelta | None = None
    queue: str | None = None
    next_kwargs: dict[str, Any] = {}
    rendered_map_index: str | None = None

    def report(self) -> Report:
        """Returns what the report does to the row."""
        return Report(
            state=TaskInstanceState.DEFERRED,
            values={
                "next_method": self.next_method,
                "next_kwargs": self.next_kwargs,
            },
            timeout=self.trigger_timeout,
            record={"classpath": self.classpath, "trigger_kwargs": self.trigger_kwargs, "queue": self.queue},
        )


class RescheduleLater(_Report, frozen=True, kw_only=True):
    """The task asks to be started again at a date."""

    state: Literal["up_for_reschedule"]
    reschedule_date: Moment
    end_date: Moment

    def report(self) -> Report:
        """Returns what the report does to the row."""
        dates = {"reschedule_date": self.reschedule_date, "end_date": self.end_date}
        return Report(
            state=TaskInstanceState.UP_FOR_RESCHEDULE, values=dates | {"next_method": None, "next_kwargs": None}
        )


class AwaitingInput(_Report, frozen=True, kw_only=True):
    """The task waits for a person."""

    state: Literal["awaiting_input"]
    next_method: str
    timeout: timedelta | None = None
    next_kwargs: dict[str, Any] = {}
    rendered_map_index: str | None = None

    def report(self) -> Report:
        """Returns what the report does to the row."""
        return Report(
            state=TaskInstanceState.AWAITING_INPUT,
            values={
                "next_method": self.next_method,
                "next_kwargs": self.next_kwargs,
            },
            timeout=self.timeout,
        )


class Impossible(_Report, frozen=True, kw_only=True):
    """A state that parses, as in Airflow, but that a running task cannot report: the task failed."""

    state: Literal["scheduled", "queued", "restarting"]


class _Tagged(msgspec.Struct, frozen=True):
    state: str


_tagged = msgspec.json.Decoder(_Tagged)
_by_state: dict[str, msgspec.json.Decoder[Any]] = {
    state: msgspec.json.Decoder(kind)
    for kind, states in (
        (Ended, ("failed", "skipped", "removed", "upstream_failed")),
        (Succeeded, ("success",)),
        (RetryLater, ("up_for_retry",)),
        (Deferred, ("deferred",)),
        (RescheduleLater, ("up_for_reschedule",)),
        (AwaitingInput, ("awaiting_input",)),
        (Impossible, ("scheduled", "queued", "restarting")),
    )
    for state in states
}

enter_running = msgspec.json.Decoder(EnterRunning)
heartbeat = msgspec.json.Decoder(Heartbeat)
skip_downstream = msgspec.json.Decoder(SkipDownstream)


def decode_report(body: bytes, content_type: str) -> Report:
    """Returns the report in the body of PATCH /state; raises InvalidRequest."""
    state = decode(_tagged, body, content_type).state
    decoder = _by_state.get(state)
    if decoder is None:
        expected = ", ".join(sorted(_by_state))
        message = f"Input tag '{state[:100]}' found using 'state' does not match any of the expected tags: {expected}"
        raise InvalidRequest(Problem("union_tag_invalid", ["body"], message))
    payload: _Report = decode(decoder, body, content_type)
    report = payload.report()
    if report.timeout is not None and abs(report.timeout) > _MAX_TIMEOUT:
        raise InvalidRequest(Problem("value_error", ["body"], f"The timeout is longer than {_MAX_TIMEOUT.days} days"))
    return report


def _partition_key_problem(events: list[OutletEvent]) -> str | None:
    for event in events:
        key = event.partition_key
        if key is None:
            continue
        if not isinstance(key, str) or not key.strip():
            return f"an outlet event's partition_key must be text that is not blank, not {key!r}"
        if len(key) > _MAX_PARTITION_KEY_CHARS:
            return f"an outlet event's partition_key has {len(key)} characters; {_MAX_PARTITION_KEY_CHARS} is the most"
    return None
