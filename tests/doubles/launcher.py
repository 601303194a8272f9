"""A launcher and its runner in one, played word by word, so that a test can also say what neither ever would."""

import os
import socket
import time
from typing import Any

from doubles.sidecar import Sidecar

from airlock_runner.link import Link, LinkLost, Streams
from airlock_wire import pod
from airlock_wire.protocol import frames
from airlock_wire.protocol.frames import Response

SUCCEED = {"type": "SucceedTask", "state": "success", "end_date": "2026-01-01T00:00:00Z"}
FAIL = {"type": "TaskState", "state": "failed", "end_date": "2026-01-01T00:00:00Z"}
RETRY = {"type": "RetryTask", "state": "up_for_retry", "end_date": "2026-01-01T00:00:00Z"}
#: What a runner sends right before it calls the task.
USER_CODE_BEGINS = {"type": "SetRenderedFields", "rendered_fields": {}}


class PlayedLauncher:
    """A launcher and runner in one, played by a test word by word."""

    def __init__(self, sidecar: Sidecar) -> None:
        self.socket_dir = str(sidecar.folder / "socket")
        self.streams = Streams()
        self.nonce = ""
        self._link: Link | None = None
        self._heard: list[dict[str, Any]] = []
        self._next_id = 0

    @property
    def link(self) -> Link:
        """The connection, once there is one."""
        assert self._link is not None, "not connected"
        return self._link

    @property
    def frames(self) -> socket.socket:
        """The runner's end of it."""
        return self.link._frames

    def connect(self, seconds: float = 10, **kwargs: Any) -> "PlayedLauncher":
        ends = time.monotonic() + seconds
        while True:
            try:
                self._link = Link.connect(self.socket_dir, self.streams, **kwargs)
                break
            except LinkLost:
                assert time.monotonic() < ends, "the sidecar did not listen"
                time.sleep(0.01)
        self.frames.settimeout(30)
        return self

    def begin(self, **kwargs: Any) -> dict[str, Any]:
        """Everything up to the startup message, whose body it returns; arguments as of ``Link.connect``."""
        self.connect(**kwargs)
        self.say(pod.FORKED)
        self.nonce = self.hear(pod.NONCE)["nonce"]
        self.say(pod.KEPT)
        return self._started()

    def come_back(self, **kwargs: Any) -> dict[str, Any]:
        """Reconnects to a restarted sidecar."""
        self.link.close()
        self.connect(nonce=self.nonce, forked=True, **kwargs)
        self.say(pod.FORKED)
        return self._started()

    def _started(self) -> dict[str, Any]:
        body: dict[str, Any] = self.answer().body
        return body

    def say(self, event: str, **fields: Any) -> None:
        self.link.say(event, **fields)

    def hear(self, event: str) -> dict[str, Any]:
        self.link.control.settimeout(30)
        while True:
            for line in self._heard:
                if line["event"] == event:
                    self._heard.remove(line)
                    return line
            self._heard += self.link.hear()

    def send(self, body: Any) -> int:
        self.frames.sendall(frames.request(self._next_id, body))
        self._next_id += 1
        return self._next_id - 1

    def answer(self) -> Response:
        return frames.decode_response(frames.read_payload(self.frames))

    def ask(self, body: Any) -> Response:
        asked = self.send(body)
        answer = self.answer()
        assert answer.id == asked
        return answer

    def write(self, stream: str, data: bytes) -> None:
        view = memoryview(data)
        while view:
            view = view[os.write(self.streams.writers[pod.STREAMS.index(stream)], view) :]

    def exit(self, code: int | None = 0, signal: int | None = None) -> None:
        """The child's end: its descriptors close, then the launcher reports."""
        self.frames.shutdown(socket.SHUT_WR)
        self.say(pod.EXITED, code=code, signal=signal, oom=False)
        while self.hear(pod.ACK)["of"] != pod.EXITED:
            pass

    def vanish(self) -> None:
        self.link.close()

    def clean(self) -> None:
        if self._link is not None:
            self._link.close()
        for fd in (*self.streams.readers, *self.streams.writers):
            os.close(fd)
