"""DAGs and runs for the scheduler's rules, in few words."""

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

import msgspec

from airlock_server.rules.scheduling.decide import decide
from airlock_server.rules.scheduling.snapshot import Changes, End, Instance, Key, Run, SkipRecord, Snapshot
from airlock_wire.dags.dag import SerializedDag
from airlock_wire.dags.mapping import Argument, Expansion, Literally, XComSource
from airlock_wire.dags.task import SerializedTask
from airlock_wire.dags.words import TriggerRule
from airlock_wire.states import TaskInstanceState as S

NOW = datetime(2026, 1, 2, tzinfo=UTC)
SECOND = timedelta(seconds=1)

LETTERS = {
    "S": S.SUCCESS,
    "F": S.FAILED,
    "K": S.SKIPPED,
    "U": S.UPSTREAM_FAILED,
    "R": S.REMOVED,
    "-": S.RUNNING,
    "Q": S.QUEUED,
    "P": S.SCHEDULED,
    "Y": S.UP_FOR_RETRY,
    "Z": S.UP_FOR_RESCHEDULE,
    "D": S.DEFERRED,
    "I": S.AWAITING_INPUT,
    ".": S.NONE,
}
NAMES = {state: letter for letter, state in LETTERS.items()}


def task(task_id: str, after: str = "", **fields: Any) -> SerializedTask:
    """A task; ``after`` names the tasks after it."""
    if "trigger_rule" in fields:
        fields["trigger_rule"] = TriggerRule(fields["trigger_rule"])
    return SerializedTask(**{"task_id": task_id, "downstream_task_ids": sorted(after.split()), **fields})


def dag(*tasks: SerializedTask, **fields: Any) -> SerializedDag:
    return SerializedDag(**{"dag_id": "d", "tasks": list(tasks), **fields})


def literal(*lengths: int) -> Expansion:
    return Expansion(
        arguments=[Argument(name=f"a{n}", source=Literally(length=each)) for n, each in enumerate(lengths)]
    )


def over(*task_ids: str) -> Expansion:
    return Expansion(
        arguments=[Argument(name=f"a{n}", source=XComSource(task_id=each)) for n, each in enumerate(task_ids)]
    )


def instances(states: Mapping[str, str]) -> list[Instance]:
    """Instances by name: ``{"a": "S"}`` for one, ``{"m": "SF"}`` for those of index 0 and 1, ``{"m[-1]": "."}``."""
    rows = []
    for name, letters in states.items():
        task_id, mapped = name.removesuffix("[]"), name.endswith("[]")
        for index, letter in enumerate(letters):
            tried = 0 if letter in ".KUR" else 1
            rows.append(
                Instance(
                    task_id=task_id,
                    map_index=index if mapped else -1,
                    state=LETTERS[letter],
                    try_number=tried,
                    end_date=NOW - SECOND,
                )
            )
    return rows


def snapshot(dag: SerializedDag, states: Mapping[str, str] | list[Instance] | None = None, **fields: Any) -> Snapshot:
    rows = states if isinstance(states, list) else instances(states or {})
    return Snapshot(
        **{
            "dag": dag,
            "run": Run(run_id="r", start_date=NOW),
            "now": NOW,
            "instances": rows,
            "complete": bool(rows),
            **fields,
        }
    )


def outcome(dag: SerializedDag, states: Mapping[str, str] | None = None, **fields: Any) -> dict[str, str]:
    """What is decided, by instance: ``go`` or the letter of its new state."""
    changes = decide(snapshot(dag, states, **fields))
    starts = {each.key for each in changes.starts}
    return {
        name(each.key): "go" if each.key in starts else NAMES[each.state]
        for each in changes.moves
        if each.state is not S.SCHEDULED
    } | {name(key): "go" for key in starts}


def name(key: Key | Instance) -> str:
    return key.task_id if key.map_index < 0 else f"{key.task_id}[{key.map_index}]"


def apply(rows: list[Instance], changes: Changes) -> list[Instance]:
    """The rows after the changes, for a run that is played to its end."""
    by_key = {row.key: row for row in rows}
    for task_id in changes.renumbered:
        row = by_key.pop(Key(task_id))
        by_key[Key(task_id, 0)] = replace(row, map_index=0)
    for task_id in changes.dropped:
        del by_key[Key(task_id)]
    for insert in changes.inserts:
        key = Key(insert.task_id, insert.map_index)
        by_key[key] = Instance(task_id=key.task_id, map_index=key.map_index, max_tries=insert.max_tries)
    for move in changes.moves:
        tries = {} if move.try_number is None else {"try_number": move.try_number}
        by_key[move.key] = replace(by_key[move.key], state=move.state, **tries)
    for start in changes.starts:
        by_key[start.key] = replace(by_key[start.key], state=S.QUEUED, try_number=start.try_number)
    return list(by_key.values())


def replace(row: Instance, **fields: Any) -> Instance:
    return msgspec.structs.replace(row, **fields)


def play(
    dag: SerializedDag,
    ends: Mapping[str, str] | None = None,
    lengths: Mapping[str, int] | None = None,
    pushed: Mapping[str, int] | None = None,
    records: Mapping[Key, SkipRecord] | None = None,
    **fields: Any,
) -> tuple[dict[str, str], End]:
    """
    Plays a run to its end: each started instance ends in the state that ``ends`` names, S without one. Returns the
    letters by instance, and the run's end.
    """
    rows: list[Instance] = []
    complete = False
    for _ in range(50):
        known = {each.task_id for each in rows if each.state in (S.SUCCESS, S.SKIPPED, S.FAILED)}
        changes = decide(
            snapshot(
                dag,
                rows,
                complete=complete,
                lengths={task_id: length for task_id, length in (lengths or {}).items() if task_id in known},
                pushed=pushed or {},
                skip_records=records or {},
                **fields,
            )
        )
        complete = True
        rows = apply(rows, changes)
        if changes.end is not None:
            return {name(row.key): NAMES[row.state] for row in sorted(rows, key=lambda row: row.key)}, changes.end
        started = {each.key for each in changes.starts}
        rows = [
            replace(row, state=LETTERS[(ends or {}).get(name(row.key), "S")], end_date=NOW)
            if row.key in started
            else row
            for row in rows
        ]
    raise AssertionError(f"the run does not end: {rows}")
