"""
How a run ends: by its leaves, by a deadlock, or by its time limit. And fail_fast, which stops the rest of a run.
"""

from collections.abc import Iterable, Iterator
from datetime import UTC, datetime, timedelta

from airlock_server.rules.scheduling import past
from airlock_server.rules.scheduling.board import Board
from airlock_server.rules.scheduling.snapshot import End, Key, Run
from airlock_server.rules.scheduling.states import UNFINISHED, UNSUCCESSFUL
from airlock_wire.dags.dag import SerializedDag
from airlock_wire.states import TaskInstanceState

_S = TaskInstanceState
_NEVER = datetime.min.replace(tzinfo=UTC)


def end(board: Board, *, runnable: bool) -> End | None:
    """
    Returns how a run ended, None if it goes on. ``runnable``: an instance runs, or may run now or at a later time.
    """
    if board.unfinished:
        return _deadlock(board) if not runnable and _may_deadlock(board) else None
    leaves = board.graph.leaves
    if any(board.states[each][state] for each in leaves for state in UNSUCCESSFUL):
        return End(state="failed", reason="task_failure", relevant=_latest(board, _S.FAILED))
    return End(state="success", reason="success", relevant=_latest(board, _S.SUCCESS))


def times_out(dag: SerializedDag, run: Run) -> datetime | None:
    """Returns when a run has taken too long; None without a limit, and before the run has started."""
    if dag.dagrun_timeout_seconds is None or run.start_date is None:
        return None
    return run.start_date + timedelta(seconds=dag.dagrun_timeout_seconds)


def fail_fast(board: Board, failed: Iterable[Key]) -> Iterator[tuple[Key, TaskInstanceState]]:
    """
    Yields the states of the instances that a failure stops: one that runs fails, and every other is skipped.

    Teardowns go on, and so do other instances of the task that failed.
    """
    failed_ids = {key.task_id for key in failed}
    if not (board.graph.dag.fail_fast and failed_ids):
        return
    for key in sorted(board.unfinished):
        if not board.graph.tasks[key.task_id].is_teardown and failed_ids - {key.task_id}:
            state = board.rows[key.task_id][key.map_index].state
            yield key, _S.FAILED if state is _S.RUNNING else _S.SKIPPED


def _may_deadlock(board: Board) -> bool:
    """Tells whether no unfinished instance waits for something outside of its run."""
    for task_id, map_index in board.unfinished:
        task = board.graph.tasks[task_id]
        limited = task.max_active_tis_per_dag is not None or task.max_active_tis_per_dagrun is not None
        waits = board.rows[task_id][map_index].state in {_S.DEFERRED, _S.AWAITING_INPUT}
        if limited or waits or past.depends(task):
            return False
    return True


def _deadlock(board: Board) -> End:
    """Returns a deadlock, with the first instance that has a finished task before it."""
    done = {task_id for task_id, states in board.states.items() if any(states.total() and states[s] for s in _FINISHED)}
    blocked = (key for key in sorted(board.unfinished) if board.graph.upstream[key.task_id] & done)
    return End(state="failed", reason="all_tasks_deadlocked", relevant=next(blocked, None))


_FINISHED = frozenset(_S) - UNFINISHED


def _latest(board: Board, state: TaskInstanceState) -> Key | None:
    """Returns the instance that came into a state last."""
    ended = [instance for instance in board if instance.state is state]
    return max(ended, key=lambda each: each.end_date or _NEVER).key if ended else None
