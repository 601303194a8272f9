"""``context["task_state_store"]``: what a task keeps for its next tries (AIP-103)."""

from datetime import UTC, datetime, timedelta
from types import ModuleType
from typing import Any, Final

import msgspec

from airlock.sdk import _channel
from airlock.sdk._retention import NEVER_EXPIRE
from airlock.sdk._variable import refusal
from airlock.sdk.exceptions import ChannelError
from airlock_runner.json_values import plain
from airlock_wire.protocol.messages import ErrorResponse, ErrorType, Message, TaskStateStoreResult, ToRunner

#: How long a value lasts that says nothing of it, as in Airflow.
DEFAULT_RETENTION: Final = timedelta(days=30)
#: A store of state is for offsets and ids; a larger value is kept, and the log says that it should not be one.
LARGE_BYTES: Final = 65535


class TaskStateStore:
    """The values of one task instance, which all of its tries share."""

    def __init__(self, ti_id: str) -> None:
        """``ti_id`` is the task instance's own."""
        self._ti_id = ti_id

    def get(self, key: str, default: Any = None) -> Any:
        """Returns the value of ``key``; ``default`` if nothing is kept, or not any more."""
        answer = _ask(_stores().GetTaskStateStore(ti_id=self._ti_id, key=_checked(key)), f"get({key!r})")
        if isinstance(answer, ErrorResponse):
            return default
        if not isinstance(answer, TaskStateStoreResult):
            raise ChannelError(f"task_state_store.get({key!r}) was answered with {type(answer).__name__}")
        return answer.value

    def set(self, key: str, value: Any, *, retention: timedelta | None = None) -> None:
        """
        Keeps ``value``, which must be JSON and not None, for ``retention``: 30 days by default, ``NEVER_EXPIRE`` for
        ever.
        """
        what = f"the value of task_state_store.set({key!r})"
        if value is None:
            raise ValueError(f"{what} is None, which get() could not tell from nothing; delete the key instead")
        if retention is not None and retention <= timedelta():
            raise ValueError(f"task_state_store.set({key!r}): retention must be more than nothing, not {retention}")
        content = plain(value, what)
        size = len(msgspec.json.encode(content))
        if size > LARGE_BYTES:
            import logging  # deferred: a task that does not log does not pay for it

            text = "%s has %d bytes, more than %d: keep it elsewhere, and its address here"
            logging.getLogger("airlock.task").warning(text, what, size, LARGE_BYTES)
        lasts = DEFAULT_RETENTION if retention is None else retention
        expires_at = None if lasts == NEVER_EXPIRE else datetime.now(UTC) + lasts
        message = _stores().SetTaskStateStore(
            ti_id=self._ti_id, key=_checked(key), value=content, expires_at=expires_at
        )
        _ask(message, f"set({key!r})")

    def delete(self, key: str) -> None:
        """Forgets the value of ``key``, if there is one."""
        _ask(_stores().DeleteTaskStateStore(ti_id=self._ti_id, key=_checked(key)), f"delete({key!r})")

    def clear(self) -> None:
        """Forgets all values of this task instance."""
        _ask(_stores().ClearTaskStateStore(ti_id=self._ti_id), "clear()")


def _stores() -> ModuleType:
    # Deferred: most tasks keep nothing, and defining the types takes a millisecond of every start.
    from airlock_wire.protocol import stores

    return stores


def _ask(message: Message, call: str) -> ToRunner | None:
    """Returns the answer, also that the key is not kept; raises what refuses the call."""
    call = f"task_state_store.{call}"
    answer = _channel.ask(message, call)
    if isinstance(answer, ErrorResponse) and answer.error is not ErrorType.TASK_STORE_NOT_FOUND:
        raise refusal(answer, call)
    return answer


def _checked(key: str) -> str:
    if not isinstance(key, str) or not key:
        raise TypeError(f"a key of task_state_store must be text and not empty, not {key!r}")
    return key
