"""Turns the memory of a launch into facts for judging, and into the record for the owner."""

from pathlib import Path

from airlock_sidecar.lifecycle import judging
from airlock_sidecar.state.launch import Launch
from airlock_wire import record
from airlock_wire.workload import Execute, Parse


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
    work = launch.workload
    return "execute" if isinstance(work, Execute) else "parse" if isinstance(work, Parse) else "trigger"


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
    )
    Path(file).write_bytes(record.encode(entry))
