"""
``bundle``: fetches a bundle and leaves its files for the runner, in the one container that has the credential for it.

    python /airlock/opt/launcher bundle [--deadline-seconds N] NAME VERSION TARGET

VERSION may be empty, for the newest. A child, in a session of its own, runs Airflow and copies. This process shows the
child's output, masked, and ends everything when the deadline passes. One rename at the end makes TARGET, so TARGET is
whole or absent. If fetching failed, the last line on stderr says why, and the operator quotes it. Standard library of
Python 3.10 only.
"""

import json
import os
import re
import select
import shutil
import signal
import sys
import time
from collections.abc import Callable
from contextlib import suppress
from typing import Any, NamedTuple, NoReturn

from airlock_runner import stdio
from airlock_runner.airflow import fetching, masking
from airlock_wire.pod import BUNDLE_VERSION, BUNDLE_VERSION_RULE, EXIT_USAGE

#: How long all of it may take where nobody says.
DEADLINE_SECONDS = 300.0
_USAGE = "usage: python launcher bundle [--deadline-seconds N] NAME VERSION TARGET"
#: A longer line of output is not shown: a cut could leave half of a secret, which masking would not recognise.
_MAX_LINE_BYTES = 65536
#: The operator quotes one line of a kubelet's 2 KiB.
_MAX_WHY = 1000
#: What the child may say of links and errors fits in a pipe, which is read at its end.
_MAX_PATHS, _MAX_PATH, _MAX_ERROR = 20, 200, 4000
_PIPE_BYTES = 65536
_LOOK_SECONDS = 0.1
_NOT_SHOWN = b"(a line that is too long to show)"
_TOLD_TO_STOP = 128 + signal.SIGTERM


class Asked(NamedTuple):
    """The arguments of the command."""

    name: str
    version: str
    target: str
    seconds: float

    @property
    def new(self) -> str:
        """The folder that is renamed to the target."""
        return f"{self.target}.new"


class _Stopped(BaseException):
    """SIGTERM came: the pod is deleted. The kernel does not end the first process of a container by default."""


def main(argv: list[str]) -> int:
    """Runs the command; returns 0, or 1 after a last line that says what to do, or the code for wrong usage."""
    args = parse(argv)
    if args is None:
        _say(_USAGE)
        return EXIT_USAGE
    mask = masking.masker(os.environ)
    label = f"bundle {args.name!r}, " + (f"version {args.version!r}" if args.version else "its newest version")
    try:
        signal.signal(signal.SIGTERM, _stop)
        result = _fetched(args, mask)
    except _Stopped:
        _clear(args)
        return _TOLD_TO_STOP
    except (fetching.Unfetched, OSError) as e:
        _clear(args)
        why = mask(" ".join(str(e).split()))
        _say(f"airlock-launcher: {mask(label)}, was not fetched: {why[:_MAX_WHY]}")
        return 1
    version = f"version {result['version']}" if result["version"] else "no version"
    amount = f"{result['files']} files, {result['bytes']} bytes"
    print(mask(f"airlock-launcher: bundle {args.name!r}, {version}, {amount}, is in {args.target}"))  # noqa: T201 - what it was asked for
    return 0


def parse(argv: list[str]) -> Asked | None:
    """Returns the arguments after ``bundle``; None where they are not as the usage says. Pure."""
    seconds = DEADLINE_SECONDS
    if argv[:1] == ["--deadline-seconds"]:
        try:
            seconds = float(argv[1])
        except (IndexError, ValueError):
            return None
        argv = argv[2:]
    if len(argv) != 3 or not (argv[0] and argv[2] and 0 < seconds < float("inf")):
        return None
    return Asked(argv[0], argv[1], argv[2].rstrip("/"), seconds)


def _stop(*_: Any) -> NoReturn:
    raise _Stopped


def _fetched(args: Asked, mask: Callable[[str], str]) -> dict[str, Any]:
    """Returns the child's account of what is in the target now; raises Unfetched or OSError."""
    if args.version and not re.fullmatch(BUNDLE_VERSION, args.version):
        raise fetching.Unfetched(f"{BUNDLE_VERSION_RULE}; correct spec.bundle.version")
    _clear(args)
    output, results = os.pipe(), os.pipe()
    child = os.fork()
    if child == 0:
        _child(args, output, results)
    try:
        os.close(output[1])
        os.close(results[1])
        code = _watch(child, output[0], mask, time.monotonic() + args.seconds)
        result = json.loads(os.read(results[0], _PIPE_BYTES) or b"{}") if code is not None else {}
    finally:
        _end(child)
        os.close(output[0])
        os.close(results[0])
    if code is None:
        raise fetching.Unfetched(
            f"it took longer than {args.seconds:g} s; check that this pod can reach where it comes from, and its size"
        )
    if "error" in result:
        raise fetching.Unfetched(result["error"])
    if code != 0 or not result:
        cause = f"signal {-code}" if code < 0 else f"exit code {code}"
        raise fetching.Unfetched(f"the process that fetched it ended with {cause}; see the lines above")
    for path in result["left_out"]:
        _say(mask(f"airlock-launcher: {path!r} was left out: it leads out of the bundle, or is not a file"))
    os.rename(args.new, args.target)
    return dict(result)


def _child(args: Asked, output: tuple[int, int], results: tuple[int, int]) -> NoReturn:
    """Does everything that may print, hang or read the credential, and ends the process."""
    code = 1
    try:
        os.setsid()
        signal.signal(signal.SIGTERM, signal.SIG_DFL)
        for fd in (1, 2):
            os.dup2(output[1], fd)
        os.close(output[0])
        os.close(results[0])
        stdio.print_by_line()
        # Make git fail instead of prompting for ever.
        os.environ.setdefault("GIT_TERMINAL_PROMPT", "0")
        try:
            version, copied = fetching.fetch(args.name, args.version, args.new)
            left_out = [path[:_MAX_PATH] for path in copied.left_out[:_MAX_PATHS]]
            result = {"version": version, "files": copied.files, "bytes": copied.bytes, "left_out": left_out}
        except fetching.Unfetched as e:
            result = {"error": str(e)[:_MAX_ERROR]}
        os.write(results[1], json.dumps(result).encode())
        code = 0
    except BaseException:  # noqa: BLE001 - the process's edge: whatever it was, the container's log gets it
        import traceback  # only for what nobody thought of

        traceback.print_exc()
    finally:
        stdio.flush()
        os._exit(code)


def _watch(child: int, output: int, mask: Callable[[str], str], ends: float) -> int | None:
    """Shows the child's output until it ends; returns its exit code (a signal as negative), None after the deadline."""
    os.set_blocking(output, False)
    lines = _Lines()
    closed = False
    while (seconds_left := ends - time.monotonic()) > 0:
        # A process that the child started may hold the pipe open longer, and the child may close the pipe earlier.
        select.select([] if closed else [output], [], [], min(seconds_left, _LOOK_SECONDS))
        # WNOWAIT keeps the child's pid reserved until its session has been killed.
        wait_status = os.waitid(os.P_PID, child, os.WEXITED | os.WNOHANG | os.WNOWAIT)
        data = _available(output)
        closed = data == b""
        for line in lines.complete(data or b"", last=wait_status is not None):
            _say(mask(line))
        if wait_status is not None:
            return wait_status.si_status if wait_status.si_code == os.CLD_EXITED else -wait_status.si_status
    return None


class _Lines:
    """Splits bytes that come in pieces into whole lines."""

    def __init__(self) -> None:
        self._rest = b""
        self._too_long = False

    def complete(self, data: bytes, *, last: bool) -> list[str]:
        """Returns the lines that are whole now; with ``last`` also the one that has no end."""
        *whole, self._rest = (self._rest + data).split(b"\n")
        if last and self._rest:
            whole.append(self._rest)
        if self._too_long and whole:
            whole[0], self._too_long = _NOT_SHOWN, False
        if len(self._rest) > _MAX_LINE_BYTES:
            self._rest, self._too_long = b"", True
        printable = (each if len(each) <= _MAX_LINE_BYTES else _NOT_SHOWN for each in whole)
        return [each.decode(errors="backslashreplace") for each in printable]


def _available(fd: int) -> bytes | None:
    """Returns what there is to read, at once; empty at the end, None where there is nothing now."""
    data = b""
    try:
        while len(data) < _PIPE_BYTES:
            more = os.read(fd, _PIPE_BYTES)
            if not more:
                break
            data += more
    except BlockingIOError:
        return data or None
    return data


def _end(child: int) -> None:
    """Kills the child and whatever it started, which is in its session."""
    for kill in (os.killpg, os.kill):
        with suppress(ProcessLookupError):
            kill(child, signal.SIGKILL)
    with suppress(ChildProcessError):
        os.waitpid(child, 0)


def _clear(args: Asked) -> None:
    """Removes what an earlier start of this container left, or what this one did not finish."""
    for path in (args.new, args.target):
        shutil.rmtree(path, ignore_errors=True)


def _say(line: str) -> None:
    print(line, file=sys.stderr, flush=True)  # noqa: T201 - the container's log
