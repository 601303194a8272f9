"""
A warm parent: a process that has imported what its children need, and forks one for each request. It runs nothing of a
child's itself, so whatever a child does, the next one starts from the same state. Standard library only.

A request is a datagram with a JSON object and descriptors, and its answer the child's process id. The child belongs to
the process that asked: the parent forks twice, and the orphan goes to the nearest ancestor that takes orphans.
"""

import contextlib
import gc
import json
import os
import resource
import signal
import socket
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from airlock_wire.process import kernel

#: Bytes of a request, and its descriptors, at most.
MAX_REQUEST_BYTES = 64 * 1024
MAX_DESCRIPTORS = 8
#: Descriptors that are being moved are put from this number on.
_FREE_FROM = 100
#: Processes of a user of its own, so that a child that forks without an end is stopped.
_MAX_PROCESSES = 256
_ORPHAN_PAUSE_SECONDS = 0.0002


def request(
    arguments: Sequence[str],
    *,
    environ: Mapping[str, str] | None = None,
    targets: Sequence[int] = (),
    memory_bytes: int = 0,
    own_user: bool = False,
) -> bytes:
    """
    Returns a request. ``environ`` replaces the environment. ``targets`` are the numbers that the descriptors get, in
    their order. ``own_user`` says that no other process has the child's user.
    """
    fields: dict[str, Any] = {"arguments": list(arguments), "targets": list(targets)}
    if environ is not None:
        fields["environ"] = dict(environ)
    if memory_bytes:
        fields["memory_bytes"] = memory_bytes
    if own_user:
        fields["own_user"] = True
    return json.dumps(fields).encode()


def serve(descriptor: int, main: Callable[[list[str]], int]) -> None:
    """
    Forks a child for each request on the socket ``descriptor``, and returns when nobody holds its other end. A child
    runs ``main`` with the request's arguments, and exits with what that returns.
    """
    # What is there now stays for good: collecting it would only copy its pages in each child.
    gc.collect()
    gc.freeze()
    sock = socket.socket(fileno=descriptor)
    while True:
        data, descriptors, _, _ = socket.recv_fds(sock, MAX_REQUEST_BYTES, MAX_DESCRIPTORS)
        if not data:
            return
        pid = _fork_twice(sock, json.loads(data), descriptors, main)
        for each in descriptors:
            os.close(each)
        sock.send(json.dumps({"pid": pid}).encode())


def _fork_twice(
    sock: socket.socket, fields: dict[str, Any], descriptors: list[int], main: Callable[[list[str]], int]
) -> int:
    """Returns the id of a child that has become an orphan."""
    reading, writing = os.pipe()
    middle = os.fork()
    if middle == 0:
        try:
            between = os.getpid()
            pid = os.fork()
            if pid:
                os.write(writing, str(pid).encode())
                os._exit(0)
            os.close(reading)
            os.close(writing)
            sock.close()
            _become_child(between, fields, descriptors)
            code = main(fields["arguments"])
            with contextlib.suppress(OSError, ValueError):
                sys.stdout.flush()
            os._exit(code)
        finally:
            os._exit(1)
    os.close(writing)
    os.waitpid(middle, 0)
    pid = int(os.read(reading, 32) or b"0")
    os.close(reading)
    return pid


def _become_child(between: int, fields: dict[str, Any], descriptors: list[int]) -> None:
    os.setsid()
    moved = [_move_up(each) for each in descriptors]
    for each, target in zip(moved, fields["targets"], strict=True):
        os.dup2(each, target)
        os.close(each)
    if "environ" in fields:
        os.environ.clear()
        os.environ.update(fields["environ"])
    if memory_bytes := fields.get("memory_bytes"):
        resource.setrlimit(resource.RLIMIT_DATA, (memory_bytes, memory_bytes))
    if fields.get("own_user"):
        resource.setrlimit(resource.RLIMIT_NPROC, (_MAX_PROCESSES, _MAX_PROCESSES))
    # Whoever asks for its parent now must hear of the one that stays.
    while os.getppid() == between:
        time.sleep(_ORPHAN_PAUSE_SECONDS)


def _move_up(descriptor: int) -> int:
    """Returns a copy of a descriptor, which is closed, with a number above all targets."""
    import fcntl

    copy = fcntl.fcntl(descriptor, fcntl.F_DUPFD_CLOEXEC, _FREE_FROM)
    os.close(descriptor)
    return copy


def prepare(asker: int) -> None:
    """Makes this process a warm parent: hidden from its own children's code, and ended with the process ``asker``."""
    kernel.hide()
    kernel.end_with(asker)
    signal.signal(signal.SIGINT, signal.SIG_IGN)
