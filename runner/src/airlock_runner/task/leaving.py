"""
Does before a task's outcome is final what Python does at the end of a program: threads and processes that the task
started end, and its exit functions run. Otherwise work that they hold could be lost although the task succeeds.

Plain Python waits for ever. Here everything together has ``WAIT_SECONDS``, and the log says what is cut off then. Only
modules that the task itself imported are looked at: others hold no work of its own.
"""

import atexit
import os
import signal
import sys
import time
from collections.abc import Callable
from types import FrameType
from typing import Any

from airlock.sdk.exceptions import AirlockTaskTimeout, TaskTerminated
from airlock_runner.logs import Logs
from airlock_wire.pod import CHILD_EXIT_BROKEN, EXIT_OK

#: How long all of it may take. A limit of the task's own, ``execution_timeout``, may end it earlier.
WAIT_SECONDS = 300.0
#: The same for a task that was told to stop, whose launcher waits five seconds.
STOPPED_WAIT_SECONDS = 2.0
#: Between two interruptions of what goes on when the time is over.
_AGAIN_SECONDS = 1.0
_LOST = "what it had not done yet is lost: wait for it in the task, or give it less to do"


class _TimeIsOver(BaseException):
    """Raised into work that takes too long."""


class _Phase:
    """Work that the alarm may interrupt. Between two phases it passes: the task has not failed by it."""

    def __init__(self) -> None:
        self._runs = False

    def interrupt(self, _signal: int, _frame: FrameType | None) -> None:
        if self._runs:
            raise _TimeIsOver

    def run(self, work: Callable[[], Any]) -> None:
        try:
            self._runs = True
            work()
            self._runs = False
        except _TimeIsOver:
            self._runs = False


def forget_the_launcher() -> None:
    """Drops what the parent of this process would do at its exit: it is not this one's to do."""
    atexit._clear()  # noqa: SLF001 - there is no public way


def leave(logs: Logs, error: BaseException | None, seconds: float = WAIT_SECONDS) -> None:
    """
    Waits for what the task left running, then runs its exit functions; call it in the main thread. ``error`` is what
    ended the task. Raises what a stop of the task raises meanwhile.
    """
    threads, processes = sys.modules.get("threading"), sys.modules.get("multiprocessing.process")
    if threads is None and processes is None and atexit._ncallbacks() == 0:  # noqa: SLF001 - no public way
        return
    if isinstance(error, TaskTerminated | AirlockTaskTimeout):
        seconds = STOPPED_WAIT_SECONDS
    ends = time.monotonic() + seconds
    phase = _Phase()
    before: Any = signal.signal(signal.SIGALRM, phase.interrupt)
    signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGALRM})
    # The alarm repeats, because Python ignores what an exit function raises and continues with the next one.
    signal.setitimer(signal.ITIMER_REAL, seconds, _AGAIN_SECONDS)
    try:
        if threads is not None:
            phase.run(threads._shutdown)  # noqa: SLF001 - what Python itself calls
            _say_threads(logs, threads)
        if processes is not None:
            phase.run(lambda: _join(processes, ends))
            _end_processes(logs, processes)
        phase.run(atexit._run_exitfuncs)  # noqa: SLF001 - there is no public way
        if time.monotonic() >= ends:
            logs.write(
                "warning",
                f"the task's end took longer than the {seconds:g} s that it may: exit functions and "
                f"what they waited for were cut off; {_LOST}",
            )
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)


def _say_threads(logs: Logs, threading: Any) -> None:
    for thread in threading.enumerate():
        if not thread.daemon and thread is not threading.main_thread():
            logs.write("warning", f"thread {thread.name!r} was still running at the end of the task's time; {_LOST}")


def _join(multiprocessing: Any, ends: float) -> None:
    for process in _own(multiprocessing):
        if not process.daemon:  # Python itself ends those, by an exit function.
            process.join(max(0.0, ends - time.monotonic()))


def _end_processes(logs: Logs, multiprocessing: Any) -> None:
    """Ends the processes that still run: an exit function would wait for them without a bound."""
    for process in _own(multiprocessing):
        if not process.daemon:
            process.kill()
            process.join(_AGAIN_SECONDS)
            label = f"process {process.name!r} (pid {process.pid})"
            logs.write("warning", f"{label} was still running at the end of the task's time and was ended; {_LOST}")


def _own(multiprocessing: Any) -> list[Any]:
    """
    Returns the processes that this one started and that still run; one that forked knows those of its parent as well.
    """
    return [each for each in multiprocessing.active_children() if each._parent_pid == os.getpid()]  # noqa: SLF001 - as above


def exit_code(error: BaseException | None) -> int:
    """Returns the exit code of a process that came to its end with ``error``, as Python itself gives it."""
    if error is None:
        return EXIT_OK
    if not isinstance(error, SystemExit):
        return CHILD_EXIT_BROKEN
    if error.code is None:
        return EXIT_OK
    return error.code & 0xFF if isinstance(error.code, int) else CHILD_EXIT_BROKEN


def end_fork(error: BaseException | None) -> None:
    """Ends a process that the task forked: its error goes to stderr, its exit functions run, and no outcome is told."""
    code = exit_code(error)
    if isinstance(error, SystemExit):
        if code and not isinstance(error.code, int):
            print(error.code, file=sys.stderr)  # noqa: T201 - as Python itself
    elif error is not None:
        sys.excepthook(type(error), error, error.__traceback__)
    try:
        atexit._run_exitfuncs()  # noqa: SLF001 - there is no public way
    finally:
        for stream in (sys.stdout, sys.stderr):
            if stream is not None:
                stream.flush()
        os._exit(code)
