"""The queue of events from threads to the main thread, in order; SIGTERM can arrive at any time."""

import queue
import threading
import time
from typing import Any

import msgspec

from airlock_sidecar.lifecycle.entering import Entered
from airlock_sidecar.peer.listener import Session
from airlock_sidecar.state.stops import Stop

#: After SIGTERM, how long the server may still take to answer before the record says that it did not.
FLUSH_SECONDS = 45.0


class Accepted(msgspec.Struct, frozen=True):
    """The launcher connected; None if it did not connect in time."""

    session: Session | None


class ControlLine(msgspec.Struct, frozen=True):
    """The launcher sent a line on the control channel."""

    line: dict[str, Any]


class ControlEnded(msgspec.Struct, frozen=True):
    """The control channel ended, or what came was not a line."""


class HeartLost(msgspec.Struct, frozen=True):
    """A heartbeat was refused for good."""

    why: Stop
    message: str


class StreamBroke(msgspec.Struct, frozen=True):
    """The runner sent what is not a frame."""

    message: str


class Reported(msgspec.Struct, frozen=True):
    """The runner's last message was handled."""


class DeadlineChanged(msgspec.Struct, frozen=True):
    """User code begins, or the runner told options of the task: the deadline may be another."""


class Terminated(msgspec.Struct, frozen=True):
    """SIGTERM came."""


class DeadlinePassed(msgspec.Struct, frozen=True):
    """No event came before the deadline."""


#: ``Entered`` is the answer to /run.
Event = (
    Accepted
    | Entered
    | ControlLine
    | ControlEnded
    | HeartLost
    | StreamBroke
    | Reported
    | DeadlineChanged
    | Terminated
    | DeadlinePassed
)


class Events:
    """The queue. ``terminated`` is True once SIGTERM was taken from it; ``flushed`` is set FLUSH_SECONDS later."""

    def __init__(self) -> None:
        self._queue: queue.SimpleQueue[Event] = queue.SimpleQueue()
        self.terminated = False
        self.flushed = threading.Event()

    def tell(self, event: Event) -> None:
        """Adds an event; from any thread."""
        self._queue.put(event)

    def next(self, deadline: float | None = None) -> Event:
        """Returns the next event, or DeadlinePassed if that moment (monotonic seconds) comes first."""
        try:
            if deadline is None:
                return self._note(self._queue.get())
            return self._note(self._queue.get(timeout=max(0.0, deadline - time.monotonic())))
        except queue.Empty:
            return DeadlinePassed()

    def drain(self) -> None:
        """Empties the queue, so that ``terminated`` is up to date; the other events do not matter any more."""
        try:
            while True:
                self._note(self._queue.get_nowait())
        except queue.Empty:
            return

    def _note(self, event: Event) -> Event:
        if isinstance(event, Terminated) and not self.terminated:
            self.terminated = True
            threading.Timer(FLUSH_SECONDS, self.flushed.set).start()
        return event
