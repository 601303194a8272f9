"""
Skips that the task directly before decided: a branch names the tasks that go on, a short circuit those that do not.
"""

from collections.abc import Mapping

from airlock_server.rules.scheduling.board import Board
from airlock_server.rules.scheduling.mapping import Lengths
from airlock_server.rules.scheduling.snapshot import UNMAPPED, Key, SkipRecord
from airlock_wire.states import FINISHED


def skipped_before(board: Board, lengths: Lengths, records: Mapping[Key, SkipRecord], key: Key) -> bool:
    """
    Tells whether a task directly before an instance has decided that it is skipped.

    The record stays, so an instance that is cleared alone is skipped again.
    """
    for parent_id in board.graph.upstream[key.task_id]:
        if not board.graph.tasks[parent_id].can_skip:
            continue
        index = _index(board, lengths, key, parent_id)
        parent = None if index is None else board.get(Key(parent_id, index))
        if parent is None or parent.state not in FINISHED:
            continue
        record = records.get(parent.key)
        if record is not None and _skips(record, key.task_id):
            return True
    return False


def _index(board: Board, lengths: Lengths, key: Key, parent_id: str) -> int | None:
    """
    Returns the index of the parent that decides for an instance: its own, or its counterpart in their mapped group.

    Airflow does not look for a counterpart in a group, and so skips nothing there (apache/airflow#67265).
    """
    if board.graph.tasks[parent_id].expansion is not None:
        return key.map_index
    if not board.graph.is_mapped(parent_id):
        return UNMAPPED
    indexes = lengths.relevant(key.task_id, key.map_index, parent_id)
    return indexes if isinstance(indexes, int) else None


def _skips(record: SkipRecord, task_id: str) -> bool:
    if record.followed is not None:
        return task_id not in record.followed
    return record.skipped is not None and task_id in record.skipped
