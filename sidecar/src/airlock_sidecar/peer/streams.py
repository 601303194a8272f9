"""
Pumps the runner's output into the log store, from three pipes whose reading ends the launcher handed over. A process of
the task's may ask for further channels for log lines.

Bytes go from a pipe straight into a spool file in the state folder, by splice, and never through this process's memory.
So a kill at any instant finds each byte in the pipe (which the launcher holds open too) or in the spool. The spool is
cut only after its lines are in the log: after a kill a line may be there twice, but it is never missing.
"""

import os
import queue
import select
import threading
from collections.abc import Callable

from airlock_sidecar.errors import NotAllowed
from airlock_wire import pod

_CHUNK_BYTES = 65536
#: Once so many bytes of a spool are in the log, a spool with only the rest replaces it.
_SPOOL_BYTES = 1024 * 1024

#: The most log channels of a launch: one for each process that asks, which is more than a task needs.
MAX_CHANNELS = 64
_LOG = pod.STREAMS[0]
#: The byte that wakes the pump for another channel, or for the end.
_NEW, _FINISH = b"n", b"f"

#: Writes a stream's bytes into the log: takes (stream, data, whether the stream has ended), returns the bytes it used.
Sink = Callable[[str, bytes, bool], int]


class _Spool:
    """
    The spool of one stream: bytes that were taken from the pipe and are not in the log yet.

    A file beside it says how many bytes are in the log, and for which inode: a large spool is replaced by a new file
    with the rest, for which the old number is wrong.
    """

    def __init__(self, folder: str, name: str) -> None:
        self.name = name
        self._path = f"{folder}/{name}.spool"
        self._done_fd = os.open(f"{folder}/{name}.done", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        self._fd = os.open(self._path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        status = os.fstat(self._fd)
        self._inode, self._end = status.st_ino, status.st_size
        note = os.pread(self._done_fd, 16, 0)
        same = int.from_bytes(note[:8], "big") == self._inode
        self._drained = min(int.from_bytes(note[8:], "big"), self._end) if same else 0

    def fill(self, pipe: int) -> bool:
        """
        Moves up to a chunk from the pipe to the spool; returns False at its end. Called when the pipe is readable.
        """
        count = os.splice(pipe, self._fd, _CHUNK_BYTES, offset_dst=self._end)
        self._end += count
        return count > 0

    def drain(self, sink: Sink, *, ended: bool) -> None:
        """Gives the spooled bytes to the sink, and drops those that the sink has used."""
        if self._end == self._drained:
            return
        data = os.pread(self._fd, self._end - self._drained, self._drained)
        self._drained += sink(self.name, data, ended)
        if self._drained == self._end:
            # The file is cut first: a kill in between leaves a number past its end, which is read as the end.
            os.ftruncate(self._fd, 0)
            self._drained = self._end = 0
        elif self._drained > _SPOOL_BYTES:
            self._replace(data[len(data) - (self._end - self._drained) :])
        os.pwrite(self._done_fd, self._inode.to_bytes(8, "big") + self._drained.to_bytes(8, "big"), 0)

    def _replace(self, rest: bytes) -> None:
        new = os.open(f"{self._path}.new", os.O_RDWR | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, 0o600)
        os.write(new, rest)
        os.replace(f"{self._path}.new", self._path)
        os.close(self._fd)
        self._fd, self._inode, self._drained, self._end = new, os.fstat(new).st_ino, 0, len(rest)


class _Channel:
    """
    A further channel for log lines: its reading end, and a line that has not ended. It is not spooled, because it ends
    with this process; a process that asked for it can ask the next sidecar.
    """

    def __init__(self) -> None:
        self._rest = b""

    def fill(self, pipe: int) -> bool:
        """Takes what the pipe has, up to a chunk; False at its end."""
        piece = os.read(pipe, _CHUNK_BYTES)
        self._rest += piece
        return bool(piece)

    def drain(self, sink: Sink, *, ended: bool) -> None:
        """Gives the whole lines to the sink."""
        self._rest = self._rest[sink(_LOG, self._rest, ended) :]


class Streams:
    """
    The three streams and the thread that pumps them.

    ``finish`` is called when the child is gone, and everything that it wrote is in the pipes. They are emptied and not
    read to their end, because a daemon that the child left behind may hold them open for ever.
    """

    def __init__(self, folder: str, sink: Sink) -> None:
        self._sink = sink
        self._spools = {name: _Spool(folder, name) for name in pod.STREAMS}
        self._wake_read, self._wake_write = os.pipe()
        self._thread = threading.Thread(target=self._pump, name="streams", daemon=True)
        self._pipes: dict[int, _Spool | _Channel] = {}
        #: Reading ends that the pump does not know yet.
        self._new: queue.SimpleQueue[int] = queue.SimpleQueue()
        #: How many channels are open, including those that the pump does not know yet.
        self._open = 0
        self._counting = threading.Lock()

    def start(self, fds: list[int]) -> None:
        """Starts to pump from these reading ends, in the order of ``pod.STREAMS``."""
        self._pipes = dict(zip(fds, self._spools.values(), strict=True))
        for spool in self._spools.values():
            spool.drain(self._sink, ended=False)
        self._thread.start()

    def open_log(self) -> int:
        """
        Returns the writing end of another channel for log lines, which the caller passes on and closes. Raises
        errors.NotAllowed.
        """
        with self._counting:
            if self._open >= MAX_CHANNELS:
                text = f"this launch has {MAX_CHANNELS} log channels open already; one that is closed is given back"
                raise NotAllowed("log channels", text)
            self._open += 1
        try:
            reader, writer = os.pipe2(os.O_CLOEXEC)
        except OSError:
            self._closed()
            raise
        self._new.put(reader)
        os.write(self._wake_write, _NEW)
        return writer

    def finish(self, seconds: float) -> None:
        """Empties the pipes into the log, ends the last lines and stops; gives up after so many seconds."""
        if not self._pipes:
            self._end_lines()
            return
        os.write(self._wake_write, _FINISH)
        self._thread.join(seconds)

    def _pump(self) -> None:
        poll = select.poll()
        poll.register(self._wake_read, select.POLLIN)
        for fd in self._pipes:
            poll.register(fd, select.POLLIN)
        finishing = False
        while True:
            ready = [fd for fd, _ in poll.poll(0 if finishing else None)]
            if self._wake_read in ready:
                finishing = self._woken(poll) or finishing
                ready.remove(self._wake_read)
            elif finishing and not ready:
                break
            for fd in ready:
                stream = self._pipes[fd]
                if stream.fill(fd):
                    stream.drain(self._sink, ended=False)
                else:
                    poll.unregister(fd)
                    if isinstance(stream, _Channel):
                        self._give_back(fd, stream)
        self._end_lines()

    def _give_back(self, fd: int, channel: _Channel) -> None:
        """Closes a channel that nobody can write to any more."""
        channel.drain(self._sink, ended=True)
        del self._pipes[fd]
        os.close(fd)
        self._closed()

    def _closed(self) -> None:
        with self._counting:
            self._open -= 1

    def _woken(self, poll: "select.poll") -> bool:
        """Adds the channels that were opened; returns True when it is time to finish."""
        finish = _FINISH in os.read(self._wake_read, _CHUNK_BYTES)
        while not self._new.empty():
            fd = self._new.get()
            self._pipes[fd] = _Channel()
            poll.register(fd, select.POLLIN)
        return finish

    def _end_lines(self) -> None:
        for stream in [*self._spools.values(), *self._pipes.values()]:
            stream.drain(self._sink, ended=True)
