"""
Serves the runner's frames: each frame gets one answer, whatever it holds.
"""

import os
import socket
from collections.abc import Callable
from typing import Any, NamedTuple

import msgspec

from airlock_sidecar import errors
from airlock_sidecar.clock import now
from airlock_sidecar.peer.intake import Frame, Intake
from airlock_sidecar.requests import refusals, weight
from airlock_sidecar.requests.bulk import as_json
from airlock_sidecar.requests.handlers import DescriptorReply, Handler
from airlock_sidecar.requests.json_values import XComText
from airlock_sidecar.requests.route import Route
from airlock_sidecar.requests.routes import ROUTES
from airlock_sidecar.requests.trace import Trace
from airlock_sidecar.state import journal
from airlock_sidecar.state.launch import Launch
from airlock_wire.protocol import frames, messages, whole
from airlock_wire.protocol.messages import ErrorResponse, ErrorType

#: The largest terminal message by weight: it is held several times, and journalled.
MOST_LAST_WORDS = 4 * 1024 * 1024

#: Reports a terminal message to the server by state, payload and digest; True if the server has it.
Report = Callable[[str, dict[str, Any], str], bool]


class _Answer(NamedTuple):
    """A frame's bytes, in pieces where one is large, and the descriptor that goes with it, or -1."""

    pieces: tuple[bytes | memoryview, ...]
    fd: int = -1

    @property
    def size(self) -> int:
        """The length of all pieces, the frame's header included."""
        return sum(map(len, self.pieces))


class Dispatcher:
    """Serves one frames connection until its end. Without ``report`` no terminal message is taken."""

    def __init__(self, launch: Launch, table: dict[type[Any], Handler], report: Report | None, trace: Trace) -> None:
        self._launch = launch
        self._table = table
        self._report = report
        self._trace = trace
        self._replayed = ""

    def serve(self, sock: socket.socket, max_frame_bytes: int) -> None:
        """Answers every frame. Returns at the end of the stream; raises errors.RunnerBroke."""
        self._replayed = self._launch.memory.in_flight
        intake = Intake(sock, max_frame_bytes)
        while (frame := intake.next()) is not None:
            self._trace.keep(frame.payload)
            answer = self._answer(frame)
            if answer.size - frames.HEADER_BYTES > max_frame_bytes:
                request_id = frames.leading_id(frame.payload[:16])
                error = _error(f"the answer is over {max_frame_bytes} bytes")
                answer = answer._replace(pieces=(frames.response(request_id, error=error),))
            self._trace.keep_answer(answer.pieces)
            try:
                _send(sock, answer)
            except OSError:
                # The runner is gone or does not read: there is nobody to answer.
                return

    def _answer(self, frame: Frame) -> _Answer:
        request_id = frames.leading_id(frame.payload[:16])
        if frame.too_long:
            self._launch.refused("frame too large")
            detail = {"reason": "FrameTooLarge", "bytes": frame.too_long}
            text = f"a frame of {frame.too_long} bytes is too large"
            return _refused(request_id, text, **detail)
        try:
            request = frames.decode_raw_request(frame.payload)
            request_id = request.id
            message, route = _message(request.body)
        except errors.NotAllowed as e:
            self._launch.refused(e.kind)
            return _refused(request_id, str(e), reason="TooLarge", bytes=len(frame.payload))
        except (frames.Undecodable, whole.UnknownMessage) as e:
            self._launch.refused("undecodable")
            self._trace.say("in", request_id, "undecodable", len(frame.payload))
            text = f"not a request that is served here: {e}"
            return _refused(request_id, text, status_code=400)
        self._trace.say("in", request_id, type(message).__name__, len(frame.payload), message.__struct_fields__)
        try:
            body, error = self._handle(message, route, request.body), None
        except errors.ApiError as e:
            body, error = None, refusals.raised(e)
        except errors.Unserved:
            body, error = None, _error("Unhandled request", status_code=400)
        except errors.NotGranted as e:
            self._launch.refused(e.kind)
            body, error = None, ErrorResponse(error=ErrorType.PERMISSION_DENIED, detail=e.shown)
        except (errors.NotAllowed, errors.GaveUp, ValueError, msgspec.MsgspecError, RecursionError) as e:
            if isinstance(e, errors.NotAllowed):
                self._launch.refused(e.kind)
            body, error = None, _error(str(e), exception_type=type(e).__name__)
        body, fd = (body.body, body.fd) if isinstance(body, DescriptorReply) else (body, -1)
        if isinstance(body, XComText):
            answer = _Answer(body.frame(request_id))
        else:
            answer = _Answer((frames.response(request_id, body, error),), fd)
        self._trace.say("out", request_id, _name(error or body), answer.size)
        return answer

    def _handle(self, message: Any, route: Route | None, body: msgspec.Raw) -> Any:
        digest = journal.digest(body)
        if isinstance(message, whole.TERMINAL):
            return self._terminal(message, digest)
        handler = self._table.get(type(message))
        if handler is None:
            raise errors.NotAllowed("unserved", f"{type(message).__name__} is not served to this runner")
        if route is None or not route.changes:
            return handler(message)
        replay = digest == self._replayed
        with self._launch.remembering() as memory:
            memory.in_flight = digest
        try:
            return handler(message)
        except (errors.NotFound, errors.Conflict):
            if not replay:
                raise
            return None
        finally:
            self._replayed = ""

    def _terminal(self, message: Any, digest: str) -> None:
        if self._report is None:
            raise errors.NotAllowed("unserved", f"{type(message).__name__} is not served to this runner")
        before = self._launch.memory.terminal
        if before is not None and before.digest != digest:
            text = f"this launch already reported {before.state}; a second terminal message is refused"
            raise errors.NotAllowed("second terminal message", text)
        if before is not None and (before.acknowledged or before.dropped):
            # The runner repeats itself: the answer to its first message was lost when this sidecar was restarted.
            return
        # Through JSON and back, before it is journalled: what could not be sent must not be remembered either.
        payload = msgspec.json.decode(as_json(message), type=dict[str, Any])
        del payload["type"]
        payload = {key: value for key, value in payload.items() if value is not None}
        try:
            self._table[type(message)](message)
        except errors.NotAllowed as e:
            # The log is the only place that says why the task did not end as its author meant.
            self._launch.log(f"refused: {e}", "error")
            raise
        if isinstance(message, messages.TaskState):
            # Only this message may lack its date and needs one; the others have no date.
            payload.setdefault("end_date", now())
        self._report(message.state, payload, digest)


def _message(body: msgspec.Raw) -> tuple[Any, Route | None]:
    """Decodes the message in a body, and finds its row. Raises UnknownMessage, and NotAllowed for what is too large."""
    data = memoryview(body)
    small = len(data) <= weight.SMALL_BYTES
    message = whole.decode(body) if small else _large_message(body, data)
    kind = type(message)
    route = ROUTES.get(kind)
    if small:
        return message, route
    if isinstance(message, whole.TERMINAL):
        # It is kept until the server has it, through restarts too.
        weight.check(data, kind.__name__, MOST_LAST_WORDS, MOST_LAST_WORDS)
    elif route is not None and not (route.body or route.whole):
        # All of it would be in the address.
        raise weight.too_large(kind.__name__)
    return message, route


def _large_message(body: msgspec.Raw, data: memoryview) -> Any:
    """Decodes a large message. It is weighed first, except an XCom, which is passed on in pieces."""
    if (xcom := whole.large_xcom(body)) is not None:
        return xcom
    weight.check(data, "the message")
    return whole.decode(body)


def _refused(request_id: int, text: str, **detail: Any) -> _Answer:
    return _Answer((frames.response(request_id, error=_error(text, **detail)),))


def _send(sock: socket.socket, answer: _Answer) -> None:
    """Sends a frame, a descriptor with its first bytes: where Airflow's runner takes it from."""
    first, *others = answer.pieces
    if answer.fd >= 0:
        try:
            sent_bytes = socket.send_fds(sock, [first], [answer.fd])
        finally:
            os.close(answer.fd)
        first = first[sent_bytes:]
    for piece in (first, *others):
        sock.sendall(piece)


def _name(body: Any) -> str:
    if isinstance(body, XComText):
        return messages.XComResult.__name__
    return str(body.get("type")) if isinstance(body, dict) else type(body).__name__


def _error(text: str, **detail: Any) -> ErrorResponse:
    return ErrorResponse(error=ErrorType.API_SERVER_ERROR, detail={"status_code": None, "message": text} | detail)
