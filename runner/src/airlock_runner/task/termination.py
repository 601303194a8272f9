"""
Handles SIGTERM while a task runs (ADR 0005).

If the task has ``on_kill``, that is called, and the task goes on until it ends because of it. In any other task
TaskTerminated is raised in the main thread, so that its ``finally`` blocks run, or AirlockTaskTimeout once the task's
time is over: the sidecar keeps the time, and then stops the task by this very signal. A second SIGTERM is ignored: it
must not break into the clean-up that the first began. SIGKILL ends whatever does not end.
"""

import os
import signal
import time
from _thread import get_ident
from collections.abc import Callable
from datetime import timedelta
from types import FrameType
from typing import Any

from airlock.sdk.exceptions import AirlockTaskTimeout, TaskTerminated
from airlock_runner.channel import Channel


def install(channel: Channel, on_kill: Callable[[], Any] | None, limit: timedelta | None = None) -> None:
    """
    Makes SIGTERM stop the task in this process. Call it in the main thread, when the task begins. ``limit`` is the
    task's execution_timeout.
    """
    began = time.monotonic()

    def stop(_signal: int, _frame: FrameType | None) -> None:
        ignore()
        if on_kill is not None:
            channel.when_idle(on_kill)
        elif limit is not None and time.monotonic() - began >= limit.total_seconds():
            raise AirlockTaskTimeout(f"the task ran longer than its execution_timeout of {limit}")
        else:
            raise TaskTerminated("the task was told to stop (SIGTERM)")

    signal.signal(signal.SIGTERM, stop)
    _keep_from_forks(stop)


def ignore() -> None:
    """Makes SIGTERM do nothing: the task has ended or is ending."""
    signal.signal(signal.SIGTERM, signal.SIG_IGN)


def _keep_from_forks(handler: Callable[[int, FrameType | None], None]) -> None:
    """
    Gives processes that user code forks SIGTERM's default action: they are not the task, and end as processes do.

    The signal is held back during the fork, because Python forgets one that it sees between fork and reset.
    """
    masks: dict[int, set[int]] = {}

    def hold() -> None:
        masks[get_ident()] = set(signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGTERM}))

    def release() -> None:
        signal.pthread_sigmask(signal.SIG_SETMASK, masks.pop(get_ident()))

    def reset_and_release() -> None:
        if signal.getsignal(signal.SIGTERM) in (handler, signal.SIG_IGN):
            signal.signal(signal.SIGTERM, signal.SIG_DFL)
        release()

    os.register_at_fork(before=hold, after_in_parent=release, after_in_child=reset_and_release)


def restore() -> None:
    """Sets SIGTERM and SIGINT as in a fresh Python process, whatever the parent had set before the fork."""
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    signal.signal(signal.SIGINT, signal.default_int_handler)
