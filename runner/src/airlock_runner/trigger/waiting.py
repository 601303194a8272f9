"""Runs a trigger in an event loop until its first event, until its time is over, or until it is told to stop."""

import asyncio
import signal
from contextlib import aclosing, suppress
from typing import Any, Final

from airlock.sdk.bases.trigger import TriggerEvent
from airlock_runner.logs import Logs

#: How long ``on_kill`` may take. The launch's own grace period may be shorter.
ON_KILL_SECONDS: Final = 30.0


class Stopped(Exception):
    """The trigger was told to stop: nobody waits for its event any more."""


class TookTooLong(Exception):
    """The trigger did not fire in its time."""


class NoEvent(Exception):
    """``run`` ended without an event."""


def wait_for_event(trigger: Any, seconds: float | None, logs: Logs) -> TriggerEvent:
    """
    Returns the first event of a trigger. ``seconds`` None: no time limit.

    Raises Stopped after SIGTERM, TookTooLong, NoEvent, or what the trigger raises. ``cleanup`` is always called, and
    ``on_kill`` before it after SIGTERM alone.
    """
    with asyncio.Runner() as runner:
        return runner.run(_wait(trigger, seconds, logs))


async def _wait(trigger: Any, seconds: float | None, logs: Logs) -> TriggerEvent:
    stopped = asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, stopped.set)
    logs.write("info", f"trigger {type(trigger).__qualname__} waits")
    events = asyncio.ensure_future(_first(trigger))
    stop = asyncio.ensure_future(stopped.wait())
    try:
        await asyncio.wait({events, stop}, timeout=seconds, return_when=asyncio.FIRST_COMPLETED)
        if events.done():
            return events.result()
        await _end(events, logs)
        if not stopped.is_set():
            raise TookTooLong
        await _call(trigger.on_kill(), "on_kill", logs, ON_KILL_SECONDS)
        raise Stopped
    finally:
        stop.cancel()
        await _call(trigger.cleanup(), "cleanup", logs, None)


async def _first(trigger: Any) -> TriggerEvent:
    stream = trigger.run()
    if not hasattr(stream, "__aiter__"):
        if asyncio.iscoroutine(stream):
            stream.close()
        raise TypeError(f"{type(trigger).__name__}.run must be `async def` with a `yield`, which makes it a generator")
    async with aclosing(stream):
        async for event in stream:
            if not isinstance(event, TriggerEvent):
                kind = type(event).__name__
                raise TypeError(f"{type(trigger).__name__}.run yielded a {kind}; it must yield a TriggerEvent")
            return event
    raise NoEvent("Trigger exited without sending an event")


async def _end(events: "asyncio.Future[TriggerEvent]", logs: Logs) -> None:
    """Cancels the trigger's own work, and waits until that has ended."""
    events.cancel()
    with suppress(asyncio.CancelledError):
        try:
            await events
        except Exception as e:  # noqa: BLE001 - the author's code, whose event nobody waits for any more
            logs.write("warning", f"the trigger raised while it was ended: {type(e).__name__}", error=e)


async def _call(work: Any, name: str, logs: Logs, seconds: float | None) -> None:
    """Awaits the author's code, whose error is logged and changes nothing."""
    try:
        await asyncio.wait_for(work, seconds)
    except Exception as e:  # noqa: BLE001 - as the docstring says
        logs.write("warning", f"{name} of the trigger failed: {type(e).__name__}: {e}", error=e)
