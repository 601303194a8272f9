"""
The socket in the pod, the launcher's two connections, and the end of listening.

Only the runner's user may connect (SO_PEERCRED; its pid is 0 across containers, so only the UID is checked), and only
the launcher does, before user code runs. After both hellos the socket is closed and its name removed. After a restart
of a sealed session a hello needs the nonce, which user code never saw.
"""

import hmac
import os
import re
import socket
import stat
import struct
import time
from collections.abc import Callable
from typing import Any, NamedTuple

from airlock_sidecar.errors import LauncherBroke
from airlock_wire import pod

_HELLO_SECONDS = 5.0
_UCRED = struct.Struct("3i")
_VERSION = re.compile(r"\d{4}-\d\d-\d\d")


class Session(NamedTuple):
    """A launcher's connections, and the reading ends of the three streams in the order of ``pod.STREAMS``."""

    control: socket.socket
    frames: socket.socket
    streams: list[int]
    #: The launcher forked before this sidecar started, so a runner waits for fresh descriptors.
    forked: bool
    #: The version of the Execution API whose answers the runner reads; empty for the sidecar's own.
    api_version: str = ""
    #: The runner takes and sends XComs as JSON text.
    json_values: bool = False
    #: The runner removes the XComs of an earlier try itself.
    clears_xcoms: bool = False


class Listener:
    """The listening socket. ``on_refusal`` is called with the kind of each refusal."""

    def __init__(self, folder: str, runner_uid: int, on_refusal: Callable[[str], None]) -> None:
        self._path = os.path.join(folder, pod.SOCKET_NAME)
        self._uid = os.getuid() if runner_uid < 0 else runner_uid
        self._on_refusal = on_refusal
        # A killed sidecar leaves its socket's name behind; nobody else can have made that name.
        if os.path.lexists(self._path):
            os.unlink(self._path)
        self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM | socket.SOCK_CLOEXEC)
        self._socket.bind(self._path)
        # The folder's mode and the peer check decide who may come; the socket itself must let the other UID connect.
        os.chmod(self._path, 0o666)  # noqa: S103
        self._socket.listen(8)

    def accept(self, deadline: float, nonce: str) -> Session | None:
        """
        Returns the launcher's session, or None if no launcher came before ``deadline`` (monotonic seconds).

        ``nonce`` is empty if no launcher has a nonce yet. Else a hello without it is refused, and waiting goes on.
        """
        control: tuple[socket.socket, dict[str, Any], list[int]] | None = None
        while (seconds_left := deadline - time.monotonic()) > 0:
            self._socket.settimeout(seconds_left)
            try:
                peer, _ = self._socket.accept()
            except TimeoutError:
                return None
            try:
                hello, fds = self._hello(peer, nonce)
                if hello["event"] == pod.HELLO_CONTROL and len(fds) == len(pod.STREAMS):
                    _only_pipes(fds)
                    if control is not None:
                        # The launcher starts again: its first try broke off half way.
                        _close(control[0], control[2])
                    control = peer, hello, fds
                    peer.sendall(pod.line(pod.WELCOME))
                elif hello["event"] == pod.HELLO_FRAMES and control is not None and not fds:
                    peer.sendall(pod.line(pod.WELCOME))
                    launcher, fields, pipes = control
                    version = str(fields.get("api_version", ""))
                    return Session(
                        launcher,
                        peer,
                        pipes,
                        forked=bool(fields.get("forked")),
                        api_version=version if _VERSION.fullmatch(version) else "",
                        json_values=fields.get("json_values") is True,
                        clears_xcoms=fields.get("clears_xcoms") is True,
                    )
                else:
                    raise LauncherBroke("a hello out of turn")
            except (LauncherBroke, OSError, ValueError):
                self._on_refusal("hello")
                peer.close()
        return None

    def close(self) -> None:
        """Stops listening and removes the name, so that nobody can connect from here on."""
        self._socket.close()
        if os.path.lexists(self._path):
            os.unlink(self._path)

    def _hello(self, peer: socket.socket, nonce: str) -> tuple[dict[str, Any], list[int]]:
        credentials = peer.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, _UCRED.size)
        _, uid, _ = _UCRED.unpack(credentials)
        if uid != self._uid:
            raise LauncherBroke(f"a connection from user {uid}")
        peer.settimeout(_HELLO_SECONDS)
        raw, fds, _, _ = socket.recv_fds(peer, pod.MAX_CONTROL_LINE_BYTES, len(pod.STREAMS), socket.MSG_CMSG_CLOEXEC)
        try:
            if not raw.endswith(b"\n"):
                raise LauncherBroke("a hello that is not a line")
            hello = pod.parse_line(raw)
            if nonce and not hmac.compare_digest(str(hello.get("nonce", "")).encode(), nonce.encode()):
                raise LauncherBroke("a hello without the nonce")
        except (LauncherBroke, ValueError):
            _close(None, fds)
            raise
        peer.settimeout(None)
        return hello, fds


def _only_pipes(fds: list[int]) -> None:
    # Anything else could block, seek or lie about its end; the launcher passes pipes.
    if not all(stat.S_ISFIFO(os.fstat(fd).st_mode) for fd in fds):
        _close(None, fds)
        raise LauncherBroke("a stream that is not a pipe")


def _close(peer: socket.socket | None, fds: list[int]) -> None:
    if peer is not None:
        peer.close()
    for fd in fds:
        os.close(fd)
