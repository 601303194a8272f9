"""
The launcher's link to the sidecar: two connections and three pipes. Standard library only.
"""

import os
import signal
import socket
from collections.abc import Mapping
from types import MappingProxyType
from typing import Any, Final

from airlock_wire import pod

_HELLO_SECONDS = 5.0

#: How the runner speaks: fields of the hello, which ``airlock_wire.pod`` describes.
Speaks = Mapping[str, Any]
NOTHING_ELSE: Final[Speaks] = MappingProxyType({})


class LinkLost(Exception):
    """Not connected: the sidecar is not up yet, or was lost. Retry until the deadline."""


class Streams:
    """
    The pipes for log records, stdout and stderr. The launcher keeps the reading ends open though it never reads:
    while it does, a sidecar may die and come back without a byte lost and without user code seeing a broken pipe.
    """

    def __init__(self) -> None:
        pipes = [os.pipe() for _ in pod.STREAMS]
        self.readers = tuple(read for read, _ in pipes)
        self.writers = tuple(write for _, write in pipes)

    def become_child(self) -> int:
        """Puts the child's stdio on the pipes and closes the launcher's ends; returns the log records' descriptor."""
        for fd in self.readers:
            os.close(fd)
        log, stdout, stderr = self.writers
        null = os.open(os.devnull, os.O_RDONLY)
        for fd, target in ((null, 0), (stdout, 1), (stderr, 2)):
            os.dup2(fd, target)
            os.close(fd)
        signal.set_wakeup_fd(-1)
        for number in (signal.SIGTERM, signal.SIGINT, signal.SIGCHLD):
            signal.signal(number, signal.SIG_DFL)
        return int(log)

    def become_parent(self) -> None:
        """Closes the child's ends in the launcher, after the fork."""
        for fd in self.writers:
            os.close(fd)


class Link:
    """Both connections, after both hellos were welcomed."""

    def __init__(self, socket_dir: str, streams: Streams, control: socket.socket, frames: socket.socket) -> None:
        self.socket_dir = socket_dir
        self.streams = streams
        self.control = control
        self._frames = frames
        self._buffer = b""

    @classmethod
    def connect(
        cls, socket_dir: str, streams: Streams, *, speaks: Speaks = NOTHING_ELSE, nonce: str = "", forked: bool = False
    ) -> "Link":
        """
        Connects, in one try; raises LinkLost. ``nonce`` and ``forked`` are for a sidecar that came back.
        ``speaks`` says how the runner speaks.
        """
        path = os.path.join(socket_dir, pod.SOCKET_NAME)
        fields: dict[str, Any] = {**speaks, "nonce": nonce} if nonce else dict(speaks)
        peers: list[socket.socket] = []
        try:
            for hello, fds in ((pod.HELLO_CONTROL, list(streams.readers)), (pod.HELLO_FRAMES, [])):
                peer = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
                peers.append(peer)
                peer.settimeout(_HELLO_SECONDS)
                peer.connect(path)
                socket.send_fds(peer, [pod.line(hello, forked=forked, **fields)], fds)
                _read_welcome(peer)
                peer.settimeout(None)
        except (OSError, ValueError, LinkLost) as e:
            for peer in peers:
                peer.close()
            raise LinkLost(str(e)) from e
        return cls(socket_dir, streams, *peers)

    def say(self, event: str, **fields: Any) -> None:
        """Sends a control line; raises LinkLost."""
        try:
            self.control.sendall(pod.line(event, **fields))
        except OSError as e:
            raise LinkLost(str(e)) from e

    def hear(self) -> list[dict[str, Any]]:
        """Returns the whole lines that have arrived; raises LinkLost at the end, or for an invalid control line."""
        try:
            piece = self.control.recv(pod.MAX_CONTROL_LINE_BYTES)
            if not piece:
                raise LinkLost("the sidecar closed the control channel")
            *lines, self._buffer = (self._buffer + piece).split(b"\n")
            return [pod.parse_line(line) for line in lines]
        except (OSError, ValueError) as e:
            raise LinkLost(str(e)) from e

    def hand_over(self, child: socket.socket) -> None:
        """Passes this link's frames connection to the child; a child that is gone needs none."""
        try:
            socket.send_fds(child, [b"F"], [self._frames.fileno()])
        except OSError:
            pass
        finally:
            self._frames.close()

    def close(self) -> None:
        """Gives the connections up. The pipes stay."""
        self.control.close()
        self._frames.close()


def receive_frames(handoff: int) -> int:
    """Returns, in the child, the launcher's first frames connection; raises EOFError if the launcher ended."""
    peer = socket.socket(fileno=handoff)
    try:
        _, fds, _, _ = socket.recv_fds(peer, 1, 1, socket.MSG_CMSG_CLOEXEC)
        if not fds:
            raise EOFError("the launcher ended before it reached the sidecar")
        return fds[0]
    finally:
        peer.detach()


def _read_welcome(peer: socket.socket) -> None:
    # Byte by byte: what follows the welcome on the control connection belongs to ``hear``.
    line = b""
    while not line.endswith(b"\n"):
        piece = peer.recv(1)
        if not piece or len(line) > pod.MAX_CONTROL_LINE_BYTES:
            raise LinkLost("the sidecar refused the hello")
        line += piece
    if pod.parse_line(line)["event"] != pod.WELCOME:
        raise LinkLost("the sidecar did not welcome the hello")
