"""
A DAG run for people: its tasks as a tree with state, try and duration, drawn again as it changes; or a line for each
change where there is no terminal.
"""

import shutil
import sys
from collections import Counter
from collections.abc import Callable
from datetime import datetime
from typing import Final, TextIO

from airlock_server.launching.local import loglines
from airlock_server.rules.scheduling.graph import DagGraph
from airlock_server.rules.scheduling.snapshot import Key
from airlock_server.store.engine.types import now
from airlock_server.store.runs.progress import Row
from airlock_wire.states import FINISHED, TaskInstanceState

_S = TaskInstanceState

#: Colours of a terminal by state.
_COLOURS: Final = {
    _S.SUCCESS: "32",
    _S.FAILED: "31",
    _S.UPSTREAM_FAILED: "33",
    _S.SKIPPED: "35",
    _S.RUNNING: "36",
    _S.UP_FOR_RETRY: "33",
    _S.DEFERRED: "34",
    _S.AWAITING_INPUT: "34",
}
#: In these the date of a start is that of an earlier try.
_NOT_BEGUN: Final = frozenset({_S.NONE, _S.SCHEDULED, _S.QUEUED, _S.UP_FOR_RETRY})
_UP_AND_CLEAR: Final = "\x1b[{}F\x1b[J"
_NO_WRAP: Final = "\x1b[?7l"
_WRAP: Final = "\x1b[?7h"


def label(state: TaskInstanceState) -> str:
    """Returns a state's word for people; a state that is not set is waiting."""
    return "waiting" if state is _S.NONE else state.value


def name_of(key: Key) -> str:
    """Returns a task instance's name within its run."""
    return key.task_id if key.map_index < 0 else f"{key.task_id}[{key.map_index}]"


def depths(graph: DagGraph) -> dict[str, int]:
    """
    Returns each task's depth in the tree, in the tree's order: a task stands below one of those directly before it.
    """
    children: dict[str | None, list[str]] = {}
    for task_id in sorted(graph.order, key=lambda each: graph.order[each]):
        before = max(graph.upstream[task_id], key=lambda each: graph.order[each], default=None)
        children.setdefault(before, []).append(task_id)
    depth: dict[str, int] = {}
    waiting = [(task_id, 0) for task_id in reversed(children.get(None, []))]
    while waiting:
        task_id, level = waiting.pop()
        depth[task_id] = level
        waiting += [(each, level + 1) for each in reversed(children.get(task_id, []))]
    return depth


def tree(graph: DagGraph, rows: list[Row], moment: datetime, *, colours: bool = False) -> list[str]:
    """Returns the lines of a run: one for each task, in which the instances of a mapped task are counted."""
    by_task: dict[str, list[Row]] = {}
    for row in rows:
        by_task.setdefault(row.instance.task_id, []).append(row)
    names = {task_id: "  " * level + task_id for task_id, level in depths(graph).items()}
    width = max(map(len, names.values()), default=0)
    return [
        f"{loglines.printable(name):<{width}}  {_task(by_task.get(task_id, []), moment, colours=colours)}".rstrip()
        for task_id, name in names.items()
    ]


def _task(rows: list[Row], moment: datetime, *, colours: bool) -> str:
    if not rows:
        return ""
    if len(rows) == 1 and rows[0].instance.map_index < 0:
        tries = rows[0].instance.try_number
        suffix = f"try {tries}" if tries > 1 else ""
        return f"{_word(rows[0].instance.state, colours=colours)}  {_duration(rows, moment)}  {suffix}"
    counts = Counter(row.instance.state for row in rows)
    words = ", ".join(f"{count} {_word(state, colours=colours, pad=0)}" for state, count in counts.most_common())
    return f"[{len(rows)}] {words}  {_duration(rows, moment)}"


def _word(state: TaskInstanceState, *, colours: bool, pad: int = 17) -> str:
    text = f"{label(state):<{pad}}"
    code = _COLOURS.get(state)
    return f"\x1b[{code}m{text}\x1b[0m" if colours and code else text


def _duration(rows: list[Row], moment: datetime) -> str:
    starts = [row.start_date for row in rows if row.start_date is not None and row.instance.state not in _NOT_BEGUN]
    if not starts:
        return ""
    ends = [row.instance.end_date for row in rows if row.instance.state in FINISHED and row.instance.end_date]
    end = max(ends) if len(ends) == len(rows) else moment
    return f"{max(0.0, (end - min(starts)).total_seconds()):7.1f} s"


def is_live(stream: TextIO) -> bool:
    """Tells whether a stream is a terminal in which a picture can be drawn again."""
    return stream.isatty()


def fitting(lines: list[str], height: int) -> list[str]:
    """Returns as many lines as a terminal can draw over again; the last one then counts those that are left out."""
    if len(lines) <= height:
        return lines
    shown = max(height - 1, 0)
    return [*lines[:shown], f"... {len(lines) - shown} more tasks"]


class Live:
    """Draws the tree over itself. Lines of tasks are in their logs, and not shown."""

    def __init__(self, graph: DagGraph, stream: TextIO | None = None) -> None:
        self._graph = graph
        self._stream = stream or sys.stdout
        self._drawn = 0

    def show(self, rows: list[Row]) -> None:
        """Draws a run as it is now."""
        size = shutil.get_terminal_size()
        lines = fitting(tree(self._graph, rows, now(), colours=True), size.lines - 1)
        up = _UP_AND_CLEAR.format(self._drawn) if self._drawn else ""
        # A long line must not wrap: the lines that are drawn over are counted.
        self._stream.write(f"{up}{_NO_WRAP}" + "".join(f"{line}\n" for line in lines) + _WRAP)
        self._stream.flush()
        self._drawn = len(lines)


class Plain:
    """Writes a line for each change of a state."""

    def __init__(self, say: Callable[[str], None]) -> None:
        self._say = say
        self._states: dict[Key, tuple[TaskInstanceState, int]] = {}

    def show(self, rows: list[Row]) -> None:
        """Writes what has changed since the last call."""
        for row in sorted(rows, key=lambda row: row.instance.key):
            instance = row.instance
            change = (instance.state, instance.try_number)
            if self._states.get(instance.key) == change:
                continue
            self._states[instance.key] = change
            if instance.state not in (_S.NONE, _S.SCHEDULED):
                tries = f"  try {instance.try_number}" if instance.try_number > 1 else ""
                moment = now().strftime("%H:%M:%S.%f")[:12]
                self._say(f"{moment} {name_of(instance.key)}  {label(instance.state)}{tries}")
