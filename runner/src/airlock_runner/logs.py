"""
Log records as JSON lines on the log pipe, in the form that Airflow's task logs have.

A record is one line: ``timestamp level event logger``, then ``filename lineno`` where known, ``exception`` (a list:
the error, its cause, the cause's cause, ...) and whatever extras the caller gave. The sidecar masks, adds the ids of
the task instance, and stores.

`logging` takes 7 ms to import, so a task that does not use it does not pay for it: a watcher in ``sys.meta_path``
sees the first import and puts our handler on the root logger.
"""

import contextlib
import errno
import os
import sys
from _thread import RLock
from collections.abc import Callable
from datetime import UTC, datetime
from importlib.machinery import ModuleSpec, PathFinder, SourceFileLoader
from types import ModuleType
from typing import TYPE_CHECKING, Any, Final

import msgspec

import airlock.sdk
import airlock.standard
import airlock_runner

if TYPE_CHECKING:
    from logging import LogRecord

MAX_LINE_BYTES: Final = 64 * 1024
#: The logger that the runner's own records, and so a task's outcome, are under.
TASK: Final = "airlock.task"

_MAX_FRAMES = 50
_MAX_CHAIN = 10
_OUR_MODULES = (airlock.sdk, airlock.standard, airlock_runner)
_OURS = tuple(f"{place}{os.sep}" for module in _OUR_MODULES for place in module.__path__)


class Logs:
    """Writes to the log pipe. Writing never raises into user code; a full pipe makes the writer wait."""

    def __init__(self, fd: int) -> None:
        """Takes the writing end of the pipe."""
        self._fd = fd
        self._lock = RLock()
        self._torn = False

    def write(
        self, level: str, event: str, *, logger: str = TASK, error: BaseException | None = None, **fields: Any
    ) -> None:
        """Writes a record with the time of now. ``error`` becomes its ``exception``; ``fields`` are further keys."""
        record = {"timestamp": datetime.now(UTC).isoformat(), "level": level, "event": event, "logger": logger}
        if error is not None:
            fields["exception"] = exception_chain(error)
        self.put({**record, **fields})

    def put(self, record: dict[str, Any]) -> None:
        """Writes a finished record. Values that are not JSON are written as their repr; a record too long is cut."""
        line = encoded(record)
        with self._lock:
            # A signal handler raised in the middle of a long line and left the line without an end.
            view = memoryview(b"\n" + line if self._torn else line)
            self._torn = True
            try:
                while view:
                    view = view[os.write(self._fd, view) :]
            except OSError as e:
                # The pipe is gone, so nobody reads it, and the task's own work goes on. If the task itself closed it,
                # its standard error may still be open.
                if e.errno == errno.EBADF:
                    with contextlib.suppress(OSError):
                        os.write(2, f"{record.get('event', '')}\n".encode(errors="backslashreplace"))
                return
            self._torn = False


def encoded(record: dict[str, Any]) -> bytes:
    """
    Returns the record's line, newline included. Over MAX_LINE_BYTES the extras are dropped, then the event is cut.
    """
    line = _json(record)
    if len(line) < MAX_LINE_BYTES:
        return line + b"\n"
    event = str(record.get("event", ""))
    fields: dict[str, Any] = {
        key: record[key] for key in ("timestamp", "level", "logger", "filename", "lineno") if key in record
    }
    marked = f" [cut: the record was {len(line)} bytes, at most {MAX_LINE_BYTES} are kept]"
    chars = len(event)
    while True:
        line = _json({**fields, "event": event[:chars] + marked})
        if len(line) < MAX_LINE_BYTES:
            return line + b"\n"
        chars //= 2


def _json(record: dict[str, Any]) -> bytes:
    try:
        return msgspec.json.encode(record, enc_hook=repr)
    except Exception as e:  # noqa: BLE001 - a value's own repr may raise anything, and a log call must not
        plain = {key: value for key, value in record.items() if isinstance(value, str | int | float)}
        plain["event"] = (
            f"{_ascii(plain.get('event', ''))} [some of this record could not be written: {type(e).__name__}]"
        )
        return msgspec.json.encode({_ascii(key): _ascii(value) for key, value in plain.items()})


def _ascii(value: Any) -> Any:
    # Lone surrogates are the text that JSON cannot carry.
    return value.encode(errors="backslashreplace").decode() if isinstance(value, str) else value


def exception_chain(error: BaseException) -> list[dict[str, Any]]:
    """
    Returns the error and what led to it, outermost first, each with its frames from the first line of user code on.
    """
    chain: list[dict[str, Any]] = []
    seen_ids: set[int] = set()
    current: BaseException | None = error
    is_cause = False
    while current is not None and id(current) not in seen_ids and len(chain) < _MAX_CHAIN:
        seen_ids.add(id(current))
        chain.append(_link(current, is_cause=is_cause))
        is_cause = current.__cause__ is not None
        current = current.__cause__ or (None if current.__suppress_context__ else current.__context__)
    return chain


def _link(error: BaseException, *, is_cause: bool) -> dict[str, Any]:
    group = isinstance(error, BaseExceptionGroup)
    return {
        "exc_type": type(error).__name__,
        "exc_value": text_of(error),
        "exc_notes": [str(note) for note in getattr(error, "__notes__", ())],
        "syntax_error": None,
        "is_cause": is_cause,
        "frames": _frames(error),
        "is_group": group,
        "exceptions": [exception_chain(e) for e in error.exceptions[:_MAX_CHAIN]] if group else [],  # type: ignore[attr-defined] # a group has them
    }


def _frames(error: BaseException) -> list[dict[str, Any]]:
    frames: list[dict[str, Any]] = []
    trace = error.__traceback__
    while trace is not None:
        code = trace.tb_frame.f_code
        frames.append({"filename": code.co_filename, "lineno": trace.tb_lineno, "name": code.co_name})
        trace = trace.tb_next
    # Our own frames say nothing to an author, unless there are no others.
    frames = [frame for frame in frames if not _is_ours(frame["filename"])] or frames
    return frames[-_MAX_FRAMES:]


def _is_ours(filename: str) -> bool:
    return filename.startswith(_OURS) or filename.startswith("<frozen importlib")


def text_of(error: BaseException) -> str:
    """Returns the error's own text, or its kind where making that text fails."""
    try:
        return str(error)
    except Exception:  # noqa: BLE001 - the author's __str__ may raise anything
        return f"<{type(error).__name__} without a readable text>"


def install(logs: Logs) -> None:
    """Sends what user code logs through `logging` to the pipe, from INFO up, at once or when it imports `logging`."""
    if "logging" in sys.modules:
        _handle(logs)
    else:
        sys.meta_path.insert(0, _LoggingWatcher(lambda: _handle(logs)))


class _LoggingWatcher:
    """Finds nothing itself; sees the first import of `logging` and has ``then`` called after it."""

    def __init__(self, then: Callable[[], None]) -> None:
        self._then = then

    def find_spec(self, name: str, path: Any, target: ModuleType | None = None) -> ModuleSpec | None:  # noqa: ARG002 - the import system's call
        if name != "logging":
            return None
        sys.meta_path.remove(self)
        spec = PathFinder.find_spec(name)
        if spec is not None and isinstance(spec.loader, SourceFileLoader):
            spec.loader = _Then(spec.loader.name, spec.loader.path, self._then)
        return spec


class _Then(SourceFileLoader):
    """Loads a module and then calls ``then``."""

    def __init__(self, name: str, path: str, then: Callable[[], None]) -> None:
        super().__init__(name, path)
        self._then = then

    def exec_module(self, module: ModuleType) -> None:
        super().exec_module(module)
        self._then()


def _handle(logs: Logs) -> None:
    import logging

    standard = set(vars(logging.makeLogRecord({}))) | {"message", "asctime", "taskName"}

    class Handler(logging.Handler):
        """Puts records on the pipe; what goes wrong is reported as `logging` does, on stderr."""

        def emit(self, record: "LogRecord") -> None:
            try:
                logs.put(_record(record, standard))
            except Exception:  # noqa: BLE001 - a log call must not raise into user code
                self.handleError(record)

    root = logging.getLogger()
    root.addHandler(Handler())
    root.setLevel(logging.INFO)


def _record(record: "LogRecord", standard: set[str]) -> dict[str, Any]:
    line: dict[str, Any] = {
        "timestamp": datetime.fromtimestamp(record.created, UTC).isoformat(),
        "level": record.levelname.lower(),
        "event": record.getMessage(),
        "logger": record.name,
        "filename": record.filename,
        "lineno": record.lineno,
    }
    for key, value in vars(record).items():
        if key not in standard and key not in line:
            line[key] = value
    if record.exc_info and record.exc_info[1] is not None:
        line["exception"] = exception_chain(record.exc_info[1])
    if record.stack_info:
        line["stack"] = record.stack_info
    return line
