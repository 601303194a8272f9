"""
The rows that a run must have for its DAG: tasks that are new, gone or back, and literal map lengths that changed.
"""

from collections.abc import Iterator

from airlock_server.rules.scheduling.board import Board
from airlock_server.rules.scheduling.graph import DagGraph
from airlock_server.rules.scheduling.mapping import Lengths, literal_total
from airlock_server.rules.scheduling.snapshot import UNMAPPED, Instance, Key, Run
from airlock_wire.states import TaskInstanceState

_S = TaskInstanceState


def missing(graph: DagGraph, board: Board, run: Run) -> Iterator[Instance]:
    """Yields an instance for each task of the run that has none; a task with literal lengths is already expanded."""
    for task_id, task in graph.tasks.items():
        if board.rows[task_id] or not _takes_part(graph, task_id, run):
            continue
        total = literal_total(graph, task_id) if graph.is_mapped(task_id) else None
        for index in range(total) if total else (UNMAPPED,):
            yield Instance(task_id=task_id, map_index=index, max_tries=task.retries)


def _takes_part(graph: DagGraph, task_id: str, run: Run) -> bool:
    """Tells whether the dates of a task let it take part in a run."""
    date, task = run.logical_date, graph.tasks[task_id]
    if run.run_type == "backfill" or date is None:
        return True
    return (task.start_date is None or task.start_date <= date) and (task.end_date is None or date <= task.end_date)


def corrections(board: Board, lengths: Lengths) -> Iterator[tuple[Key, TaskInstanceState]]:
    """
    Yields states for existing rows after the DAG changed: a task that came back loses ``removed``, an index that does
    not exist any more gets it.
    """
    for task_id, rows in board.rows.items():
        mapped = board.graph.is_mapped(task_id)
        literal = literal_total(board.graph, task_id) if mapped else None
        total = lengths.total(task_id) if mapped else None
        for instance in rows.values():
            applies = not mapped or _applies(instance.map_index, literal, total)
            if not applies and instance.state is not _S.REMOVED:
                yield instance.key, _S.REMOVED
            elif applies and instance.state is _S.REMOVED:
                yield instance.key, _S.NONE


def _applies(map_index: int, literal: int | None, total: int | None) -> bool:
    """Tells whether a mapped task has this index."""
    if literal:
        return 0 <= map_index < literal
    if total is None:
        return map_index == UNMAPPED
    return map_index < max(total, 1)
