"""What threads tell the main thread, in order, and the one thing that may come at any time: SIGTERM."""

import queue
import threading
import time
from typing import Any, NamedTuple

#: After SIGTERM, how long the server may still take to answer before the record says that it did not.
FLUSH_SECONDS = 45.0


class Event(NamedTuple):
    """Something that happened: a word, and what goes with it."""

    kind: str
    value: Any = None


class Events:
    """The queue. ``terminated`` once SIGTERM was taken from it; ``flushed`` is set FLUSH_SECONDS later."""

    def __init__(self) -> None:
        self._queue: queue.SimpleQueue[Event] = queue.SimpleQueue()
        self.terminated = False
        self.flushed = threading.Event()

    def tell(self, kind: str, value: Any = None) -> None:
        """Adds an event; from any thread."""
        self._queue.put(Event(kind, value))

    def next(self, deadline: float | None = None) -> Event:
        """Returns the next event; ``deadline`` when that moment (monotonic seconds) came first."""
        try:
            if deadline is None:
                return self._note(self._queue.get())
            return self._note(self._queue.get(timeout=max(0.0, deadline - time.monotonic())))
        except queue.Empty:
            return Event("deadline")

    def drain(self) -> None:
        """Takes what there is, for its side effect on ``terminated``: nothing else matters any more."""
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
