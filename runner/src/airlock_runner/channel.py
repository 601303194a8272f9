"""
The runner's end of the frames socket: one request at a time, each answered before the next is sent.

It does three things that plain blocking reads and writes would not:

* **The sidecar may die and come back.** The launcher then passes a fresh socket over ``handoff``, and the one
  outstanding request is sent again under its id. The caller notices nothing but the time.
* **A signal handler may raise in the middle** (a task being stopped, or a timeout of the author's own). What was
  sent and received until then is kept. The next request first finishes the interrupted one, so the stream stays whole.
  For this the results of system calls go from C straight into lists. Between the return of a call and an assignment
  Python may run a handler, and bytes that only the interrupted expression holds would be lost.
* **Threads may ask at once.** A lock is held from the first byte of a request to the last of its answer.

A process that user code forks shares the socket but must not speak on it; its requests are refused.
"""

import errno
import os
import socket
from _thread import allocate_lock, get_ident
from collections.abc import Callable
from contextlib import suppress
from functools import partial
from typing import Any, Final, TypeVar

import msgspec

from airlock.sdk.exceptions import (
    AirlockException,
    AirlockRuntimeError,
    ChannelError,
    ChannelLost,
    FrameTooLarge,
    PermissionDenied,
)
from airlock_wire.protocol import frames
from airlock_wire.protocol.messages import ErrorResponse, ErrorType, Message, SetXCom, to_runner

#: How long a lost sidecar may take to come back, per loss. The launcher gives up earlier and then closes ``handoff``.
HANDOFF_SECONDS: Final = 150.0
#: How often the sidecar may be lost during one request.
MAX_LOSSES: Final = 10

T = TypeVar("T")

_HANDOFF_BYTE: Final = b"F"
_READ_BYTES: Final = 65536
#: Messages that only start a runner. A sidecar that came back may send one again; it is not an answer.
_STARTS: Final = frozenset(
    {"StartupDetails", "DagFileParseRequest", "TriggerRequest", "TimetableRequest", "CallbackRequest"}
)


class _Lost(Exception):
    """The socket is dead."""


class ChannelClosed(ChannelLost):
    """User code closed the socket or replaced it with another file: nothing can be asked or reported any more."""


#: The author's message then.
CLOSED: Final = (
    "the task closed the descriptor that its runner reaches the platform by: os.closerange or os.close was called for "
    "descriptors that are not its own; close those that the task itself opened"
)


class Channel:
    """Asks the sidecar. ``frames_fd`` is a connected stream socket; fresh ones arrive on ``handoff_fd``."""

    def __init__(self, frames_fd: int, handoff_fd: int, handoff_seconds: float = HANDOFF_SECONDS) -> None:
        """Takes both descriptors over."""
        self._socket = socket.socket(fileno=frames_fd)
        self._handoff = socket.socket(fileno=handoff_fd)
        self._handoff.settimeout(handoff_seconds)
        self._handoff_seconds = handoff_seconds
        #: The process that may ask. A process that user code forks shares the socket and must not use it.
        self.pid = os.getpid()
        self._lock = allocate_lock()
        self._holder: int | None = None
        self._when_idle: Callable[[], None] | None = None
        self._next_id = 0
        # The request being served: its id and bytes, how many bytes each send took, and what was received so far.
        self._outstanding: tuple[int, bytes] | None = None
        #: Called if the outstanding request, which nobody waits for, is refused.
        self._on_refusal: Callable[[AirlockException], None] | None = None
        self._sent_bytes: list[int] = []
        self._received: list[bytes] = []

    def first(self) -> Message:
        """Returns the message that starts this runner. Raises ChannelLost, or ChannelError if it is not one."""
        for _ in range(MAX_LOSSES):
            try:
                response = self._read()
            except _Lost:
                self._reconnect()
                continue
            self._forget_read(response[1])
            if (message := _message(response[0])) is None:
                raise ChannelError("the sidecar's first frame is empty")
            return message
        raise ChannelLost(f"the sidecar was lost {MAX_LOSSES} times before the first message")

    def ask(self, message: Message) -> Message | None:
        """
        Returns the sidecar's answer to a message, None for an empty one. It waits as long as the sidecar does, and the
        sidecar waits until an absent API is back.

        Raises AirlockRuntimeError for an answer in the error slot, FrameTooLarge and ChannelError (nothing was sent)
        and ChannelLost (the sidecar is gone for good).
        """
        return _message(self._in_turn(message, self._asked))

    def tell(self, message: Message, on_refusal: Callable[[AirlockException], None]) -> None:
        """
        Sends a message and does not wait for its answer. The answer is read before the next request; if it is a
        refusal, ``on_refusal`` is then called with what ``ask`` would have raised.

        Raises FrameTooLarge and ChannelError if it cannot be sent. If the sidecar is lost meanwhile, the message is
        sent again, like any other request.
        """
        self._in_turn(message, partial(self._told, on_refusal=on_refusal))

    def _in_turn(self, message: Message, act: Callable[[Message], T]) -> T:
        """
        Acts on the message while only this thread has the channel and no request is outstanding. This is not a context
        manager: a signal handler that raises as one begins would leave the lock taken.
        """
        if os.getpid() != self.pid:
            raise ChannelError(
                f"{type(message).__name__} was asked in a process that the task started; only the task's own process "
                f"(pid {self.pid}) reaches the platform: ask there and pass the value on"
            )
        if self._holder == get_ident():
            raise ChannelError(f"{type(message).__name__} was asked by a signal handler in the middle of a request")
        try:
            with self._lock:
                try:
                    self._holder = get_ident()
                    if self._outstanding is not None:
                        self._hear_out(*self._outstanding)
                    return act(message)
                finally:
                    self._holder = None
        finally:
            if (callback := self._when_idle) is not None:
                self._when_idle = None
                callback()

    def _asked(self, message: Message) -> frames.Response:
        return self._settle(*self._begin(message))

    def _told(self, message: Message, on_refusal: Callable[[AirlockException], None]) -> None:
        _, data = self._begin(message)
        self._on_refusal = on_refusal
        with suppress(_Lost):
            self._send(data)

    def _begin(self, message: Message) -> tuple[int, bytes]:
        """Makes a message the outstanding request."""
        request = (self._next_id, _encoded(self._next_id, message))
        self._next_id += 1
        self._sent_bytes.clear()
        self._on_refusal = None
        self._outstanding = request
        return request

    def _hear_out(self, request_id: int, data: bytes) -> None:
        """Ends a request that nobody waits for: it came from ``tell``, or its caller was interrupted."""
        on_refusal = self._on_refusal
        if on_refusal is None:
            self._settle(request_id, data)
            return
        try:
            _message(self._settle(request_id, data))
        except ChannelLost:
            raise
        except AirlockException as e:
            on_refusal(e)

    def when_idle(self, callback: Callable[[], None]) -> None:
        """
        Calls back now, or at the end of the request that this very thread is in the middle of.

        It is for signal handlers: their code may ask too, and a request cannot begin inside another.
        """
        if self._holder == get_ident():
            self._when_idle = callback
        else:
            callback()

    def _settle(self, request_id: int, data: bytes) -> frames.Response:
        """Returns the answer to the outstanding request, over as many sockets as it takes."""
        for _ in range(MAX_LOSSES):
            try:
                return self._exchange(request_id, data)
            except _Lost:
                self._reconnect()
        raise ChannelLost(f"the sidecar was lost {MAX_LOSSES} times during one request")

    def _exchange(self, request_id: int, data: bytes) -> frames.Response:
        """Sends what is left of the outstanding request and reads up to its answer."""
        self._send(data)
        while True:
            response, size = self._read()
            # In this order an interruption between the two lines leaves an answer that nobody waits for: it is ignored.
            if answers := response.id == request_id and not _starts(response):
                self._outstanding = None
            self._forget_read(size)
            if answers:
                return response

    def _send(self, data: bytes) -> None:
        view = memoryview(data)
        while (offset := sum(self._sent_bytes)) < len(data):
            _from_system(self._sent_bytes, self._socket.send, view[offset:])

    def _read(self) -> tuple[frames.Response, int]:
        """Returns the next response, which stays in the buffer, and its size there."""
        header = self._buffer(frames.HEADER_BYTES)
        length = int.from_bytes(header[: frames.HEADER_BYTES], "big")
        if length > frames.MAX_FRAME_BYTES:
            raise ChannelError(f"the sidecar sent a frame of {length} bytes; at most {frames.MAX_FRAME_BYTES} are read")
        size = frames.HEADER_BYTES + length
        try:
            return frames.decode_response(memoryview(self._buffer(size))[frames.HEADER_BYTES : size]), size
        except frames.Undecodable as e:
            # Its length was right, so the stream goes on after it; only this answer is lost.
            self._outstanding = None
            self._forget_read(size)
            raise ChannelError(f"the sidecar sent a frame that does not decode: {e}") from e

    def _buffer(self, size: int) -> bytes:
        """Returns the buffer once it holds at least ``size`` bytes."""
        while (missing := size - sum(map(len, self._received))) > 0:
            flags = socket.MSG_WAITALL if missing > _READ_BYTES else 0
            count = max(missing, _READ_BYTES)
            _from_system(self._received, self._socket.recv, missing if flags else count, flags)
            if not self._received[-1]:
                raise _Lost
        if len(self._received) > 1:
            self._received[:] = [b"".join(self._received)]
        return self._received[0]

    def _forget_read(self, size: int) -> None:
        self._received[:] = [self._received[0][size:]]

    def _reconnect(self) -> None:
        """Waits for a fresh socket from the launcher and starts over on it."""
        try:
            data, fds, _, _ = socket.recv_fds(self._handoff, 1, 1, socket.MSG_CMSG_CLOEXEC)
        except TimeoutError:
            raise ChannelLost(f"the sidecar went away and did not come back in {self._handoff_seconds:g} s") from None
        except OSError as e:
            raise ChannelLost(f"the sidecar went away, and so did the launcher: {e}") from e
        if data != _HANDOFF_BYTE or not fds:
            raise ChannelLost("the sidecar went away, and the launcher has no new connection to it")
        self._socket.close()
        self._socket = socket.socket(fileno=fds[0])
        self._sent_bytes.clear()
        self._received.clear()


def _from_system(into: list[Any], call: Callable[..., Any], *args: Any) -> None:
    """Appends a socket call's result without a moment in which a signal handler could lose it; see the module."""
    try:
        into.extend(map(call, *([arg] for arg in args)))
    except (BrokenPipeError, ConnectionResetError, ConnectionAbortedError) as e:
        raise _Lost from e
    except OSError as e:
        if e.errno in (errno.EBADF, errno.ENOTSOCK):
            raise ChannelClosed(CLOSED) from e
        raise


def _encoded(request_id: int, message: Message) -> bytes:
    try:
        data = _request(request_id, message)
    except (TypeError, ValueError, OverflowError, RecursionError) as e:
        raise ChannelError(f"{type(message).__name__} cannot be sent: {e}; pass plain JSON values") from e
    size = len(data) - frames.HEADER_BYTES
    if size > frames.MAX_FRAME_BYTES:
        key = getattr(message, "key", None)
        raise FrameTooLarge(
            f"{type(message).__name__}{f' {key!r}' if key else ''} is {size / 2**20:.1f} MiB; at most "
            f"{frames.MAX_FRAME_BYTES / 2**20:g} MiB can be sent: keep the value in storage and pass its address"
        )
    return data


def _request(request_id: int, message: Message) -> bytes:
    if not isinstance(message, SetXCom) or not isinstance(message.value, bytes):
        return frames.request(request_id, message)
    # An encoder would move the value several times, as its buffer grows.
    fields = {name: getattr(message, name) for name in message.__struct_fields__ if name != "value"}
    body = {"type": SetXCom.__name__, **fields}
    return b"".join(frames.around(request_id, body, "value", memoryview(message.value)))


def _starts(response: frames.Response) -> bool:
    return isinstance(response.body, dict) and response.body.get("type") in _STARTS


def _message(response: frames.Response) -> Message | None:
    """Returns the message in an answer's body; raises what is in its error slot."""
    if response.error is not None:
        try:
            error = msgspec.convert(response.error, ErrorResponse)
        except msgspec.ValidationError:
            error = ErrorResponse(detail={"message": str(response.error)})
        raise PermissionDenied(error) if error.error is ErrorType.PERMISSION_DENIED else AirlockRuntimeError(error)
    if response.body is None:
        return None
    try:
        return to_runner(response.body)
    except msgspec.ValidationError as e:
        raise ChannelError(f"the sidecar's answer is not one that this runner knows: {e}") from e
