"""``context["task_state_store"]``: what a task keeps for its next tries (AIP-103)."""

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from types import ModuleType
from typing import TYPE_CHECKING, Any, Final, NamedTuple

import msgspec

from airlock.sdk import _channel
from airlock.sdk._retention import NEVER_EXPIRE
from airlock.sdk.definitions.variable import refusal
from airlock.sdk.exceptions import ChannelError
from airlock_runner.json_values import plain
from airlock_wire.protocol.messages import ErrorResponse, ErrorType, Message, TaskStateStoreResult

if TYPE_CHECKING:
    from airlock_runner.task.stores.state_backend import Backend

#: The name of the stores' settings in the server's answer to PATCH /run; it is absent where all are at their defaults.
SETTINGS: Final = "state_store"


class StoreSettings(NamedTuple):
    """
    The server's settings of the stores. A store of state is for offsets and ids: a value of more bytes than
    ``max_value_storage_bytes`` is kept, and the log says that it should not be one; 0: never. ``worker_backend`` is the
    path of the class that keeps the values.
    """

    default_retention_days: int = 30
    max_value_storage_bytes: int = 65535
    worker_backend: str = ""


DEFAULTS: Final = StoreSettings()


def settings_in(run_context: Mapping[str, Any]) -> StoreSettings:
    """Returns the settings in the server's answer to PATCH /run; the defaults where it has none."""
    sent = run_context.get(SETTINGS) or {}
    return StoreSettings(**{name: sent[name] for name in StoreSettings._fields if name in sent})


class TaskStateStore:
    """The values of one task instance, which all of its tries share."""

    def __init__(
        self, ti_id: str, key: tuple[str, str, str, int] = ("", "", "", -1), settings: StoreSettings = DEFAULTS
    ) -> None:
        """``ti_id`` and ``key`` (DAG, run, task, map index) are the task instance's own."""
        self._ti_id = ti_id
        self._key = key
        self._settings = settings

    def get(self, key: str, default: Any = None) -> Any:
        """Returns the value of ``key``; ``default`` if nothing is kept, or not any more."""
        answer = self._ask(_stores().GetTaskStateStore(ti_id=self._ti_id, key=checked(key, _NAME)), f"get({key!r})")
        if isinstance(answer, ErrorResponse):
            return default
        if not isinstance(answer, TaskStateStoreResult):
            raise ChannelError(f"{_NAME}.get({key!r}) was answered with {type(answer).__name__}")
        return answer.value if (backend := self._backend()) is None else backend.value_of_task(answer.value)

    def set(self, key: str, value: Any, *, retention: timedelta | None = None) -> None:
        """
        Keeps ``value``, which must be JSON and not None, for ``retention``: 30 days, or what ``[state_store]
        default_retention_days`` says, by default; ``NEVER_EXPIRE`` for ever.
        """
        what = f"the value of {_NAME}.set({key!r})"
        if retention is not None and retention <= timedelta():
            raise ValueError(f"{_NAME}.set({key!r}): retention must be more than nothing, not {retention}")
        content = storable(value, what)
        checked(key, _NAME)
        if (backend := self._backend()) is not None:
            content = backend.keep_for_task(self._key, key, content)
        warn_of_large(content, what, self._settings)
        message = _stores().SetTaskStateStore(
            ti_id=self._ti_id, key=key, value=content, expires_at=self._expires_at(retention)
        )
        self._ask(message, f"set({key!r})")

    def delete(self, key: str) -> None:
        """Forgets the value of ``key``, if there is one."""
        self._ask(_stores().DeleteTaskStateStore(ti_id=self._ti_id, key=checked(key, _NAME)), f"delete({key!r})")
        if (backend := self._backend()) is not None:
            backend.delete_of_task(self._key, key)

    def clear(self, *, all_map_indices: bool = False) -> None:
        """
        Forgets all values of this task instance. ``all_map_indices``: those of all instances of this task in this DAG
        run, which Airlock's server does alone.
        """
        kind = _stores().ClearAllTaskStateStore if all_map_indices else _stores().ClearTaskStateStore
        self._ask(kind(ti_id=self._ti_id), f"clear({'all_map_indices=True' if all_map_indices else ''})")
        if (backend := self._backend()) is not None:
            backend.clear_of_task(self._key, all_map_indices=all_map_indices)

    def _expires_at(self, retention: timedelta | None) -> datetime | None:
        days = self._settings.default_retention_days
        lasts = retention or (timedelta(days=days) if days else NEVER_EXPIRE)
        return None if lasts == NEVER_EXPIRE else datetime.now(UTC) + lasts

    def _backend(self) -> "Backend | None":
        return backend_of(self._settings)

    def _ask(self, message: Message, call: str) -> Any:
        return ask(message, f"{_NAME}.{call}", ErrorType.TASK_STORE_NOT_FOUND)


_NAME: Final = "task_state_store"


def backend_of(settings: StoreSettings) -> "Backend | None":
    """Returns the backend that keeps the values; None where the server does."""
    if not settings.worker_backend:
        return None
    from airlock_runner.task.stores import state_backend  # deferred: few installations have one

    return state_backend.load(settings.worker_backend)


def storable(value: Any, what: str) -> Any:
    """Returns a value as plain JSON; raises NotJson, or ValueError for None."""
    if value is None:
        raise ValueError(f"{what} is None, which get() could not tell from nothing; delete the key instead")
    return plain(value, what)


def warn_of_large(content: Any, what: str, settings: StoreSettings) -> None:
    """Logs that a value is larger than a store of state is for."""
    limit = settings.max_value_storage_bytes
    if not limit or (size := len(msgspec.json.encode(content))) <= limit:
        return
    import logging  # deferred: a task that does not log does not pay for it

    text = "%s has %d bytes, more than %d: keep it elsewhere, and its address here"
    logging.getLogger("airlock.task").warning(text, what, size, limit)


def ask(message: Message, call: str, absent: ErrorType) -> Any:
    """Returns the answer, also that the key is not kept (``absent``); raises what refuses the call."""
    answer = _channel.ask(message, call)
    if isinstance(answer, ErrorResponse) and answer.error is not absent:
        raise refusal(answer, call)
    return answer


def checked(key: str, store: str) -> str:
    """Returns a key; raises TypeError for one that is not text."""
    if not isinstance(key, str) or not key:
        raise TypeError(f"a key of {store} must be text and not empty, not {key!r}")
    return key


def _stores() -> ModuleType:
    # Deferred: most tasks keep nothing, and defining the types takes a millisecond of every start.
    from airlock_wire.protocol import stores

    return stores
