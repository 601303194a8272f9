"""
The runner: what the launcher's forked child becomes. It imports user code, so it must never hold a credential.

The first line of user code must come within 150 ms, so this package imports only what each launch needs.
`tests/unit/runner/test_imports.py` holds it to that.
"""

import os
from typing import NoReturn

from airlock.sdk import _channel
from airlock.sdk.exceptions import ChannelError
from airlock_runner import logs, stdio
from airlock_runner.channel import Channel
from airlock_runner.task import leaving, termination
from airlock_runner.task.execute import execute
from airlock_wire.pod import CHILD_EXIT_BROKEN, EXIT_OK
from airlock_wire.protocol.messages import DagFileParseRequest, StartupDetails


def run(frames_fd: int, log_fd: int, handoff_fd: int, bundle_root: str) -> NoReturn:
    """
    Serves one launch and ends the process: code 0 when the last message was acknowledged, also for a failed task; 1
    when it could not be delivered or the runner itself broke.

    ``frames_fd`` is a connected stream socket, and ``log_fd`` the writing end of a pipe for log lines. ``handoff_fd``
    is a socket on which the launcher passes a fresh frames socket (one byte and the descriptor). The process ends
    without Python's own shutdown: ``leaving`` does what user code expects of that, before the outcome is reported.
    """
    code = CHILD_EXIT_BROKEN
    log = logs.Logs(log_fd)
    try:
        termination.restore()
        leaving.forget_the_launcher()
        stdio.print_by_line()
        logs.install(log)
        code = _serve(Channel(frames_fd, handoff_fd), os.path.realpath(bundle_root), log)
    except BaseException as e:  # noqa: BLE001 - the process's edge: nothing may get past it
        log.write("critical", f"the runner itself broke: {type(e).__name__}: {logs.text_of(e)}", error=e)
    finally:
        # A process that user code forked and that returns to here has code 1 already: it could not report.
        stdio.flush()
        os._exit(code)


def _serve(channel: Channel, root: str, log: logs.Logs) -> int:
    start = channel.first()
    if isinstance(start, StartupDetails):
        _channel.install(channel)
        return execute(start, channel, root, log)
    if isinstance(start, DagFileParseRequest):
        from airlock_runner.parse.mode import (
            parse,  # the rarer mode; the other is loaded while the server is being asked
        )

        _channel.install(channel)
        channel.ask(parse(start, root))
        return EXIT_OK
    from airlock_wire.protocol.triggers import TriggerRequest  # as above

    if isinstance(start, TriggerRequest):
        from airlock_runner.trigger.mode import run as run_trigger

        _channel.install(channel)
        return run_trigger(start, channel, root, log)
    from airlock_wire.protocol.timetables import TimetableRequest

    if isinstance(start, TimetableRequest):
        from airlock_runner.timetable.mode import answer

        _channel.install(channel)
        channel.ask(answer(start, root))
        return EXIT_OK
    from airlock_wire.protocol.callbacks import CallbackRequest

    if isinstance(start, CallbackRequest):
        from airlock_runner.callback.mode import run as call_back

        _channel.install(channel)
        channel.ask(call_back(start, channel, root, log))
        return EXIT_OK
    raise ChannelError(f"the first message was {type(start).__name__}, which starts nothing")
