"""The queue of events from threads to the main thread, in order; SIGTERM can arrive at any time."""

import queue
import threading
import time
from typing import Any, NamedTuple

#: After SIGTERM, how long the server may still take to answer before the record says that it did not.
FLUSH_SECONDS = 45.0


class Event(NamedTuple):
    """An event: its kind as a word, and its value."""

    kind: str
    value: Any = None


class Events:
    """The queue. ``terminated`` is True once SIGTERM was taken from it; ``flushed`` is set FLUSH_SECONDS later."""

    def __init__(self) -> None:
        self._queue: queue.SimpleQueue[Event] = queue.SimpleQueue()
        self.terminated = False
        self.flushed = threading.Event()

    def tell(self, kind: str, value: Any = None) -> None:
        """Adds an event; from any thread."""
        self._queue.put(Event(kind, value))

    def next(self, deadline: float | None = None) -> Event:
        """Returns the next event, or the event ``deadline`` if that moment (monotonic seconds) comes first."""
        try:
            if deadline is None:
                return self._note(self._queue.get())
            return self._note(self._queue.get(timeout=max(0.0, deadline - time.monotonic())))
        except queue.Empty:
            return Event("deadline")

    def drain(self) -> None:
        """Empties the queue, so that ``terminated`` is up to date; the other events do not matter any more."""
        try:
            while True:
                self._note(self._queue.get_nowait())
        except queue.Empty:
            return

    def _note(self, event: Event) -> Event:
        if event.kind == "terminate" and not self.terminated:
            self.terminated = True
            threading.Timer(FLUSH_SECONDS, self.flushed.set).start()
        return event
