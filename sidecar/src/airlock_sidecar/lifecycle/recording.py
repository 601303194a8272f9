"""Turns the memory of a launch into facts for judging, and into the record for the owner."""

from datetime import datetime
from pathlib import Path

import msgspec

from airlock_sidecar.lifecycle import judging
from airlock_sidecar.state.journal import Terminal
from airlock_sidecar.state.launch import Launch
from airlock_wire import record
from airlock_wire.options import is_seconds
from airlock_wire.workload import Callback, Execute, Parse, Timetable


def facts(launch: Launch) -> judging.Facts:
    """Returns the facts of a launch that has ended."""
    memory, work = launch.memory, launch.workload
    terminal = memory.terminal
    return judging.Facts(
        reported=terminal.state if terminal is not None and not (terminal.judged or terminal.withheld) else None,
        parsed=memory.parsed,
        exit=memory.exit,
        signalled=bool(memory.signalled),
        stopped=memory.stopped,
        stopped_message=memory.stopped_message,
        connected="connected" in memory.timeline,
        should_retry=launch.should_retry,
        judges=isinstance(work, Execute) and work.judges,
        limit=launch.limit,
        mode=mode_of(launch),
    )


def mode_of(launch: Launch) -> judging.Mode:
    """Returns what the runner of a launch does."""
    match launch.workload:
        case Execute():
            return "execute"
        case Parse():
            return "parse"
        case Callback():
            return "callback"
        case Timetable():
            return "timetable"
        case _:
            return "trigger"


def write(launch: Launch, verdict: judging.Verdict, file: str) -> None:
    """Writes the record."""
    memory = launch.memory
    terminal = memory.terminal
    entry = record.Record(
        reason=verdict.reason,
        state=terminal.state if terminal is not None else None,
        acknowledged=terminal is not None and terminal.acknowledged,
        judged=terminal is not None and terminal.judged,
        message=launch.masker.mask(verdict.message),
        exit=memory.exit,
        restarts=memory.starts - 1,
        refusals=memory.refusals,
        timeline=memory.timeline,
        log_missing=launch.log_missing,
        options=memory.options,
        retry_delay_seconds=_policy_delay(terminal),
        logical_date=_logical_date(launch) if memory.options is not None else None,
    )
    Path(file).write_bytes(record.encode(entry))


def _policy_delay(terminal: Terminal | None) -> float | None:
    """Returns the delay that the task's retry policy answered; None without one, or for one that cannot be."""
    value = None if terminal is None else terminal.payload.get("retry_delay_seconds")
    return float(value) if isinstance(value, int | float) and is_seconds(value) else None


def _logical_date(launch: Launch) -> datetime | None:
    """Returns the logical date of the DAG run, as the server told it."""
    context = (launch.memory.startup or {}).get("ti_context") or {}
    return msgspec.convert((context.get("dag_run") or {}).get("logical_date"), datetime | None)
