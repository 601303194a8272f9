"""
Decides what happens next in a DAG run: which instances appear, which end without a run, which start,
and whether the run ends.

One entry: ``decide``. A decision goes in passes, as Airflow's scheduler does: each pass sees the states that the passes
before it left, and only looks at instances that a change may concern. So what one end costs depends on what follows it.
"""

from collections.abc import Iterable
from datetime import datetime

import msgspec

from airlock_server.rules.scheduling import past, resolution, retries, rows, skipping, upstream
from airlock_server.rules.scheduling.board import Board
from airlock_server.rules.scheduling.graph import DagGraph
from airlock_server.rules.scheduling.mapping import Lengths
from airlock_server.rules.scheduling.snapshot import (
    UNMAPPED,
    Changes,
    End,
    Insert,
    Instance,
    Key,
    Move,
    Snapshot,
    Start,
)
from airlock_server.rules.scheduling.states import ACTIVE, SCHEDULABLE
from airlock_server.rules.scheduling.weights import priority_weight
from airlock_wire.states import TaskInstanceState

_S = TaskInstanceState


def decide(snapshot: Snapshot, graph: DagGraph | None = None) -> Changes:
    """
    Returns what to do in a run now. ``graph`` is that of the snapshot's DAG, for whoever decides more than once.
    """
    return _Decision(snapshot, graph or DagGraph(snapshot.dag)).changes()


class _Decision:
    """One decision: a board of its own, and the changes so far."""

    def __init__(self, snapshot: Snapshot, graph: DagGraph) -> None:
        self._snapshot = snapshot
        self._graph = graph
        known = [each for each in snapshot.instances if each.task_id in graph.tasks]
        self._gone = [each for each in snapshot.instances if each.task_id not in graph.tasks]
        self._board = Board(graph, known)
        self._lengths = Lengths(self._board, snapshot.lengths, snapshot.pushed)
        self._inserts: dict[Key, Insert] = {}
        self._moves: dict[Key, Move] = {}
        self._renumbered: list[str] = []
        self._dropped: list[str] = []
        self._revised: set[str] = set()
        #: Instances that run once there is room, and those that wait for nothing but the clock.
        self._ready: dict[Key, int] = {}
        self._timed: dict[Key, datetime] = {}
        self._deferred: list[Start] = []

    def changes(self) -> Changes:
        for each in self._gone:
            if each.state is not _S.REMOVED:
                self._moves[each.key] = Move(key=each.key, state=_S.REMOVED)
        limit = resolution.times_out(self._snapshot.dag, self._snapshot.run)
        if limit is not None and limit < self._snapshot.now and (self._board.unfinished or not self._board_is_there()):
            return self._timed_out()
        if not self._snapshot.complete:
            self._complete()
        for key, state in list(resolution.fail_fast(self._board, self._snapshot.failed)):
            self._end(key, state)
        self._settle()
        starts = self._starts()
        return self._result(starts, self._resolution(), limit)

    def _board_is_there(self) -> bool:
        return any(self._board.rows.values())

    def _timed_out(self) -> Changes:
        for key in sorted(self._board.unfinished):
            self._end(key, _S.SKIPPED)
        return self._result([], End(state="failed", reason="timed_out"), None)

    def _result(self, starts: list[Start], end: End | None, limit: datetime | None) -> Changes:
        moments = [*self._timed.values(), *([limit] if limit is not None and end is None else [])]
        return Changes(
            renumbered=self._renumbered,
            dropped=self._dropped,
            inserts=list(self._inserts.values()),
            moves=list(self._moves.values()),
            starts=starts,
            due=min(moments, default=None),
            end=end,
        )

    # --- rows ---

    def _complete(self) -> None:
        for key, state in list(rows.corrections(self._board, self._lengths)):
            self._end(key, state)
        for instance in list(rows.missing(self._graph, self._board, self._snapshot.run)):
            self._insert(instance)

    def _insert(self, instance: Instance) -> None:
        self._board.put(instance)
        self._inserts[instance.key] = Insert(
            task_id=instance.task_id,
            map_index=instance.map_index,
            max_tries=instance.max_tries,
            priority_weight=priority_weight(self._graph, instance.task_id),
        )

    def _end(self, key: Key, state: TaskInstanceState, try_number: int | None = None) -> None:
        self._board.set(key, state)
        self._moves[key] = Move(key=key, state=state, try_number=try_number)

    # --- passes ---

    def _settle(self) -> None:
        """Looks at instances until no state changes any more."""
        candidates: Iterable[Key] = list(self._board.unfinished)
        while candidates:
            candidates = self._pass(candidates)

    def _pass(self, candidates: Iterable[Key]) -> list[Key]:
        """
        Looks at some instances, and returns those to look at next.

        Within a pass states stay as they were at its start, and only expansions are seen at once.
        """
        ends: dict[Key, tuple[TaskInstanceState, int | None]] = {}
        queue = sorted(candidates, key=lambda key: (self._graph.order[key.task_id], key.map_index))
        for key in queue:
            instance = self._board.get(key)
            if instance is None or instance.state not in SCHEDULABLE or key in self._ready or key in ends:
                continue
            state, passes = self._judge(key)
            if state is not None:
                ends[key] = (state, None)
            elif passes and key.map_index == UNMAPPED and self._graph.is_mapped(key.task_id):
                queue.extend(self._expand(key, ends))
            elif passes and (due := self._due(instance)) is not None:
                self._timed[key] = due
            elif passes:
                queue.extend(self._revise(key, ends))
                if key not in ends:
                    self._accept(instance, ends)
        for key, (state, try_number) in ends.items():
            self._timed.pop(key, None)
            self._end(key, state, try_number)
        after = {each for key in ends for each in self._graph.dependents(key.task_id)}
        return [Key(each, index) for each in after for index in self._board.rows[each]]

    def _judge(self, key: Key) -> tuple[TaskInstanceState | None, bool]:
        """Returns the state that an instance gets instead of running, and whether it may run."""
        snapshot, task = self._snapshot, self._graph.tasks[key.task_id]
        past_met = past.met(snapshot.dag, task, snapshot.run, snapshot.past)
        may_skip = past_met or not task.wait_for_past_depends_before_skipping
        if may_skip and skipping.skipped_before(self._board, self._lengths, snapshot.skip_records, key):
            return _S.SKIPPED, False
        verdicts = upstream.verdicts(self._board, self._lengths, key)
        states = [
            each.state for each in verdicts if each.state is not None and (may_skip or each.state is not _S.SKIPPED)
        ]
        if _S.UPSTREAM_FAILED in states:
            return _S.UPSTREAM_FAILED, False
        blocked = not may_skip and skipping.skipped_before(self._board, self._lengths, snapshot.skip_records, key)
        return next(iter(states), None), past_met and not blocked and all(each.passes for each in verdicts)

    def _due(self, instance: Instance) -> datetime | None:
        """Returns until when an instance waits for the clock alone; None if it need not wait."""
        snapshot, due = self._snapshot, None
        if instance.state is _S.UP_FOR_RETRY:
            task = self._graph.tasks[instance.task_id]
            due = retries.next_try(
                snapshot.dag.dag_id,
                task,
                instance,
                snapshot.run.logical_date,
                now=snapshot.now,
                max_delay_seconds=snapshot.limits.max_retry_delay_seconds,
            )
        elif instance.state is _S.UP_FOR_RESCHEDULE:
            due = instance.reschedule_date
        return due if due is not None and due >= snapshot.now else None

    def _accept(self, instance: Instance, ends: dict[Key, tuple[TaskInstanceState, int | None]]) -> None:
        """Lets an instance run, or completes it at once if there is nothing to run."""
        task = self._graph.tasks[instance.task_id]
        again = instance.state is _S.UP_FOR_RESCHEDULE
        try_number = instance.try_number if again else instance.try_number + 1
        self._timed.pop(instance.key, None)
        if task.is_empty:
            ends[instance.key] = (_S.SUCCESS, try_number)
        elif task.start_trigger is not None:
            self._deferred.append(Start(key=instance.key, try_number=try_number, deferred=True))
            self._ready[instance.key] = try_number
        else:
            self._ready[instance.key] = try_number

    # --- mapping ---

    def _expand(self, key: Key, ends: dict[Key, tuple[TaskInstanceState, int | None]]) -> list[Key]:
        """Gives a mapped task its instances, and returns them."""
        total = self._lengths.total(key.task_id)
        if not total:
            ends[key] = (_S.UPSTREAM_FAILED if total is None else _S.SKIPPED, None)
            return []
        first = Key(key.task_id, 0)
        instance = self._board.drop(key)
        if self._board.get(first) is not None:
            self._dropped.append(key.task_id)
        else:
            self._board.put(msgspec.structs.replace(instance, map_index=0))
            if (insert := self._inserts.pop(key, None)) is not None:
                self._inserts[first] = msgspec.structs.replace(insert, map_index=0)
            else:
                self._renumbered.append(key.task_id)
        self._revised.add(key.task_id)
        self._fill(key.task_id, total, ends)
        return [Key(key.task_id, index) for index in self._board.rows[key.task_id]]

    def _revise(self, key: Key, ends: dict[Key, tuple[TaskInstanceState, int | None]]) -> list[Key]:
        """Adds and removes instances of an expanded task whose length changed; returns the new ones."""
        if key.map_index == UNMAPPED or key.task_id in self._revised or not self._graph.is_mapped(key.task_id):
            return []
        self._revised.add(key.task_id)
        total = self._lengths.total(key.task_id)
        return [] if total is None else self._fill(key.task_id, total, ends)

    def _fill(self, task_id: str, total: int, ends: dict[Key, tuple[TaskInstanceState, int | None]]) -> list[Key]:
        existing = self._board.rows[task_id]
        for index, instance in existing.items():
            if index >= total and instance.state is not _S.REMOVED:
                ends[instance.key] = (_S.REMOVED, None)
        new = [index for index in range(total) if index not in existing]
        for index in new:
            self._insert(Instance(task_id=task_id, map_index=index, max_tries=self._graph.tasks[task_id].retries))
        return [Key(task_id, index) for index in new]

    # --- starts and the end ---

    def _starts(self) -> list[Start]:
        """Marks what may run, and returns what there is room for, by priority."""
        for key, try_number in self._ready.items():
            deferred = self._graph.tasks[key.task_id].start_trigger is not None
            self._end(key, _S.DEFERRED if deferred else _S.SCHEDULED, try_number)
        active = {task_id: sum(states[each] for each in ACTIVE) for task_id, states in self._board.states.items()}
        dag, limits = self._snapshot.dag, self._snapshot.limits
        room = (limits.max_active_tasks if dag.max_active_tasks is None else dag.max_active_tasks) - sum(
            active.values()
        )
        starts = list(self._deferred)
        for instance in sorted(self._scheduled(), key=self._rank):
            task = self._graph.tasks[instance.task_id]
            count = active[instance.task_id]
            in_run, in_dag = task.max_active_tis_per_dagrun, task.max_active_tis_per_dag
            if room <= 0:
                break
            if in_run is not None and count >= in_run:
                continue
            if in_dag is not None and count + limits.elsewhere.get(instance.task_id, 0) >= in_dag:
                continue
            room -= 1
            active[instance.task_id] = count + 1
            try_number = self._ready.get(instance.key, instance.try_number)
            starts.append(Start(key=instance.key, try_number=try_number))
        return starts

    def _scheduled(self) -> list[Instance]:
        return [
            instance
            for task_id, states in self._board.states.items()
            if states[_S.SCHEDULED]
            for instance in self._board.rows[task_id].values()
            if instance.state is _S.SCHEDULED
        ]

    def _rank(self, instance: Instance) -> tuple[int, int, int]:
        weight = priority_weight(self._graph, instance.task_id)
        return -weight, instance.map_index, self._graph.order[instance.task_id]

    def _resolution(self) -> End | None:
        running = {_S.SCHEDULED, _S.QUEUED, _S.RUNNING, _S.RESTARTING}
        runnable = bool(self._timed) or any(states[each] for states in self._board.states.values() for each in running)
        return resolution.end(self._board, runnable=runnable)
