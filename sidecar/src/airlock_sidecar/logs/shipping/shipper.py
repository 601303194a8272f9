"""
The thread that copies a log from its local file into an object store, while the log grows.

It reads the file that the log store appends to, so writing a line never waits for it. Only a log that is far ahead of
the store makes the runner's streams wait. ``notes`` remembers beside the file what was sent, and ``segments`` decides
which object a line goes to. Every write replaces the version that was read: a superseded launch that flushes late adds
its lines behind the newer launch's, and overwrites nothing.
"""

import os
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

from airlock_sidecar.logs import holes
from airlock_sidecar.logs.shipping import segments
from airlock_sidecar.logs.shipping.errors import LogStoreError, StoreAway, StoreChanged, StoreRefused
from airlock_sidecar.logs.shipping.notes import Notes
from airlock_sidecar.settings import Logs
from airlock_wire import logplace

if TYPE_CHECKING:
    from airlock_sidecar.logs.shipping.objects import Objects, Version

_MIB = 1024 * 1024
#: Another writer of the same log flushes once, so this many changes in a row are a fault of the store.
_MOST_CHANGES = 8
#: A runner that was told to stop is killed 10 s before its pod's time is over; the rest of the log has half of that.
_HURRIED_SECONDS = 5.0
#: Between two tries when the launch is over: what is left of its time is short.
_LAST_TRIES_SECONDS = 1.0


class Say(Protocol):
    """Writes a line of the sidecar's own into the log."""

    def __call__(self, event: str, level: str = "info") -> None:
        """``level`` as in a log record."""


class Shipper:
    """Ships one log into its store. ``connect`` makes the store's client, in the shipper's thread."""

    def __init__(self, file: Path, path: str, settings: Logs, connect: Callable[[], "Objects"], say: Say) -> None:
        self._fd = os.open(file, os.O_RDWR | os.O_CLOEXEC)
        self._path = path
        self._every = settings.chunk_seconds
        self._segment = settings.segment_mib * _MIB
        self._most_local = settings.local_mib * _MIB
        self._final = settings.final_seconds
        self._connect = connect
        self._say = say
        self._notes = Notes(file)
        self._note = self._notes.read(self._size())
        self._freed = 0
        #: The last segment as it is in the store; None until it was looked up.
        self._image: bytes | None = None
        self._version: Version | None = None
        self._number = 0
        self._objects: Objects | None = None
        self._waiting_since: float | None = None
        self._failures = 0
        self._answered = self._refused = self._finishing = False
        self._changed = threading.Condition()

    def start(self) -> None:
        """Starts the thread."""
        threading.Thread(target=self._run, name="shipper", daemon=True).start()

    # --- called by the threads that write the log ---

    def wrote(self) -> None:
        """Notes that lines were added to the file."""
        with self._changed:
            if self._waiting_since is None:
                self._waiting_since = time.monotonic()
                self._changed.notify_all()
            elif self._unsent() >= self._segment:
                self._changed.notify_all()

    def wait_for_room(self, going: Callable[[], bool]) -> None:
        """
        Waits while ``going()`` is true and the log is too far ahead of a store that answered once and is away.

        It does not wait for a store that refuses or never answered. Then it gives up the oldest lines that the store
        lacks, and the log says so: a wrong setting must not cost the task or fill the disk.
        """
        with self._changed:
            while self._unsent() > self._most_local and self._answered and not self._refused and going():
                self._changed.wait(1)
            lost_bytes = 0
            if self._unsent() > self._most_local and (self._refused or not self._answered):
                lost_bytes = self._give_up()
        if lost_bytes:
            self._say(f"{lost_bytes} bytes of this log will be missing in its store, which does not take them", "error")

    def finish(self, *, hurried: bool) -> int:
        """Sends what is left, within a bound. Returns how many bytes the store lacks."""
        ends = time.monotonic() + (min(self._final, _HURRIED_SECONDS) if hurried else self._final)
        with self._changed:
            self._finishing = True
            self._changed.notify_all()
            while self._unsent() and (seconds_left := ends - time.monotonic()) > 0:
                self._changed.wait(seconds_left)
            return self._unsent() + self._note.lost

    # --- the thread ---

    def _run(self) -> None:
        while True:
            try:
                self._ship()
            except LogStoreError as e:
                self._failed(e)
            else:
                self._succeeded()
            with self._changed:
                self._changed.notify_all()
                self._pause()

    def _pause(self) -> None:
        """Waits until something is due, or until a failed try may be repeated."""
        if self._failures:
            until = time.monotonic() + segments.pause(self._failures)
            hurried = self._finishing
            while (seconds_left := until - time.monotonic()) > 0:
                self._changed.wait(min(seconds_left, _LAST_TRIES_SECONDS) if hurried else seconds_left)
                if self._finishing:
                    return
        while not self._due():
            since = self._waiting_since
            self._changed.wait(None if since is None else max(since + self._every - time.monotonic(), 0.01))

    def _due(self) -> bool:
        unsent = self._unsent()
        if self._finishing and unsent:
            return True
        room = self._segment - len(self._image or b"")
        waited = time.monotonic() - (self._waiting_since or time.monotonic())
        return segments.due(unsent, room, waited, self._every)

    def _ship(self) -> None:
        """Writes everything that is due now. Raises a LogStoreError."""
        if self._objects is None:
            self._objects = self._connect()
        if self._image is None:
            self._look_up(self._objects)
        changes = 0
        while changes or self._due():
            with self._changed:
                # What comes from now on waits anew.
                self._waiting_since = time.monotonic()
            try:
                if not self._send(self._objects):
                    break
                changes = 0
            except StoreChanged as e:
                changes += 1
                if changes > _MOST_CHANGES:
                    raise StoreAway(
                        f"{logplace.segment_key(self._path, self._number)} changes all the time: {e}"
                    ) from e
                self._look_up(self._objects)
        with self._changed:
            if not self._unsent():
                self._waiting_since = None

    def _look_up(self, objects: "Objects") -> None:
        """Looks up how much of this log the store has, and whether the last write without an answer is in it."""
        self._image = None
        note = self._note
        if note.trying:
            body, version = objects.read(logplace.segment_key(self._path, note.number))
            if version is not None and note.arrived(body):
                self._settle()
        names = objects.names(self._path.rpartition("/")[0])
        last = logplace.last_segment(self._path, names)
        image, self._version, number = b"", None, last or 0
        if last is not None and names[logplace.segment_key(self._path, last)] < self._segment:
            image, self._version = objects.read(logplace.segment_key(self._path, last))
        elif last is not None:
            number = last + 1
        if image and not image.endswith(b"\n"):
            image += b"\n"
        self._number, self._image = number, image
        self._answered = True

    def _send(self, objects: "Objects") -> bool:
        """Writes the segment with as many unsent lines as it can hold; returns False if no whole line is unsent."""
        assert self._image is not None  # noqa: S101 - it was looked up
        with self._changed:
            note, start = self._note, self._note.sent
            # If the last write was not answered, exactly the same bytes are written again.
            most = note.trying - start if note.trying else self._segment
            data = os.pread(self._fd, most, start)
            whole = segments.whole_lines(data, len(data))
            room = self._segment - len(self._image)
            size = segments.whole_lines(data, room)
            if whole and (size == 0 or (note.trying and size < whole)):
                self._number, self._image, self._version = self._number + 1, b"", None
                size = whole
            if not size:
                return False
            body = self._image + data[:size]
            note.attempt(self._number, body, start + size)
            self._notes.write(note)
        self._version = objects.write(logplace.segment_key(self._path, self._number), body, self._version)
        self._image = body
        self._settle()
        return True

    def _settle(self) -> None:
        with self._changed:
            self._note.settle()
            self._notes.write(self._note)
            if self._size() - self._freed > self._most_local // 2:
                self._free(self._note.sent)
            self._changed.notify_all()

    def _failed(self, error: LogStoreError) -> None:
        refused = isinstance(error, StoreRefused)
        repeated = self._failures and refused == self._refused
        with self._changed:
            self._failures += 1
            self._refused = refused
        # The next try reads the credentials anew, and looks up whether the last write arrived.
        self._objects, self._image = None, None
        if not repeated and refused:
            self._say(f"the log store refuses this log: {error}. It is kept here only, and tried again", "error")
        elif not repeated:
            self._say(f"the log store does not answer: {error}. It is tried again", "warning")

    def _succeeded(self) -> None:
        with self._changed:
            again, self._failures, self._refused = self._failures, 0, False
        if again:
            self._say("the log store takes this log again")

    # --- the local file; under the lock ---

    def _size(self) -> int:
        return os.fstat(self._fd).st_size

    def _unsent(self) -> int:
        return self._size() - self._note.sent

    def _give_up(self) -> int:
        """Gives up the oldest lines that were not sent, down to half of what may be kept; returns their bytes."""
        upto = self._size() - self._most_local // 2
        upto += os.pread(self._fd, _MIB, upto).find(b"\n") + 1
        lost_bytes = upto - self._note.sent
        self._note.sent, self._note.trying, self._note.lost = upto, 0, self._note.lost + lost_bytes
        self._notes.write(self._note)
        self._free(upto)
        return lost_bytes

    def _free(self, upto: int) -> None:
        """Frees the parts of the file that are not needed, if the file system can do that."""
        holes.punch(self._fd, self._freed, upto - self._freed)
        self._freed = upto
