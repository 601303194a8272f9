"""
Checks a DAG that user code wrote: ids, ranges, references and sizes, before anybody relies on them.

The types are checked when the plain form is read; what is here follows from the meaning of the fields. The SDK refuses
the same while the file is parsed, and names the author's line.
"""

import math
from collections.abc import Iterable, Iterator
from typing import Final

from airlock_wire import ids, options
from airlock_wire.dags import mapping
from airlock_wire.dags.dag import FORMAT, SerializedDag
from airlock_wire.dags.graph import cycle
from airlock_wire.dags.group import SerializedGroup
from airlock_wire.dags.task import SerializedTask, declared

#: How much one DAG may have. Arithmetic with a whole DAG is done while others wait.
MAX_TASKS: Final = 20_000
MAX_ARROWS: Final = 400_000
#: Task instances of one task that lengths in the file give.
MAX_LITERAL_LENGTH: Final = 100_000
#: Numbers that a database's integer holds.
MAX_INTEGER: Final = 2**31 - 1

_SHOWN_CHARS = 80


def problem(dag: SerializedDag) -> str:
    """Returns a sentence about the first thing that is wrong with a DAG; empty if nothing is wrong."""
    if dag.format != FORMAT:
        return f"serialized DAG of format {dag.format!r}, expected {FORMAT!r}"
    if wrong := ids.problem(dag.dag_id):
        return f"dag_id {_shown(dag.dag_id)} {wrong}"
    wrong = next(_problems(dag), "")
    return f"DAG {dag.dag_id!r}: {wrong}" if wrong else ""


def _problems(dag: SerializedDag) -> Iterator[str]:
    """Yields everything that is wrong with a DAG beside its id."""
    if len(dag.tasks) + len(dag.groups) > MAX_TASKS:
        yield f"it has {len(dag.tasks) + len(dag.groups)} tasks and groups; at most {MAX_TASKS} are read"
        return
    yield from _option_problems(dag)
    yield from _id_problems(dag)
    task_ids = {task.task_id for task in dag.tasks}
    group_ids = {group.group_id for group in dag.groups}
    for task in dag.tasks:
        for wrong in _task_problems(task, task_ids, group_ids):
            yield f"task_id {_shown(task.task_id)}{wrong}"
    for group in dag.groups:
        for wrong in _group_problems(group, task_ids, group_ids):
            yield f"group_id {_shown(group.group_id)}{wrong}"
    if dag.result_task_id is not None and dag.result_task_id not in task_ids:
        yield f"result_task_id names {_shown(dag.result_task_id)}, and the DAG has no such task"
    yield from _graph_problems(dag)


def _option_problems(dag: SerializedDag) -> Iterator[str]:
    for name in ("max_active_runs", "max_active_tasks", "max_consecutive_failed_dag_runs"):
        value = getattr(dag, name)
        if value is not None and not 0 <= value <= MAX_INTEGER:
            yield f"{name} must be 0 to {MAX_INTEGER}, not {value}"
    yield from _seconds_problems(dagrun_timeout=dag.dagrun_timeout_seconds)
    for deadline in dag.deadlines:
        if not (math.isfinite(deadline.interval_seconds) and abs(deadline.interval_seconds) <= options.MAX_SECONDS):
            yield f"the interval of a deadline must be at most {options.MAX_SECONDS:g} seconds"


def _id_problems(dag: SerializedDag) -> Iterator[str]:
    """Yields what is wrong with the ids. Tasks and groups share one set of names."""
    seen_ids: set[str] = set()
    named = [("task_id", task.task_id) for task in dag.tasks] + [("group_id", group.group_id) for group in dag.groups]
    for field, value in named:
        if wrong := ids.problem(value):
            yield f"{field} {_shown(value)} {wrong}"
        if value in seen_ids:
            yield f"{field} {value!r} is there twice"
        seen_ids.add(value)


def _task_problems(task: SerializedTask, task_ids: set[str], group_ids: set[str]) -> Iterator[str]:
    """Yields what is wrong with a task, to follow its id."""
    limits = options.TaskOptions(
        retries=task.retries,
        retry_delay_seconds=task.retry_delay_seconds,
        execution_timeout_seconds=task.execution_timeout_seconds,
        retry_exponential_backoff=task.retry_exponential_backoff,
        max_retry_delay_seconds=task.max_retry_delay_seconds,
    )
    if wrong := options.problem(limits):
        yield f": {wrong}"
    for wrong in (*_number_problems(task), *_assets_problems(task)):
        yield f": {wrong}"
    yield from _missing("downstream_task_ids", task.downstream_task_ids, task_ids)
    if task.group_id is not None:
        yield from _missing("group_id", [task.group_id], group_ids)
    if task.is_setup and task.is_teardown:
        yield ": a task is not both a setup and a teardown"
    if task.expansion is not None:
        yield from _expansion_problems(task.expansion, task_ids)


def _number_problems(task: SerializedTask) -> Iterator[str]:
    if not 1 <= task.pool_slots <= MAX_INTEGER:
        yield f"pool_slots must be 1 to {MAX_INTEGER}, not {task.pool_slots}"
    if not -MAX_INTEGER <= task.priority_weight <= MAX_INTEGER:
        yield f"priority_weight must be a whole number of 32 bits, not {task.priority_weight}"
    for name in ("max_active_tis_per_dag", "max_active_tis_per_dagrun"):
        value = getattr(task, name)
        if value is not None and not 0 <= value <= MAX_INTEGER:
            yield f"{name} must be 0 to {MAX_INTEGER}, not {value}"
    if task.start_trigger is not None:
        yield from _seconds_problems(trigger_timeout=task.start_trigger.timeout_seconds)


def _seconds_problems(**spans: float | None) -> Iterator[str]:
    for name, seconds in spans.items():
        if seconds is not None and not options.is_seconds(seconds):
            yield f"{name} must be 0 to {options.MAX_SECONDS:g} seconds, not {seconds:g}"


def _assets_problems(task: SerializedTask) -> Iterator[str]:
    from airlock_wire import assets  # deferred: for a reader

    for field in ("inlets", "outlets"):
        for each in declared(getattr(task, field)):
            if wrong := assets.problem(each):
                yield f"{field}: {wrong}"


def _group_problems(group: SerializedGroup, task_ids: set[str], group_ids: set[str]) -> Iterator[str]:
    """Yields what is wrong with a group, to follow its id."""
    if group.parent_group_id is not None:
        yield from _missing("parent_group_id", [group.parent_group_id], group_ids)
    yield from _missing("children", group.children, task_ids | group_ids)
    for field in ("upstream_group_ids", "downstream_group_ids"):
        yield from _missing(field, getattr(group, field), group_ids)
    for field in ("upstream_task_ids", "downstream_task_ids"):
        yield from _missing(field, getattr(group, field), task_ids)
    if group.expansion is not None:
        yield from _expansion_problems(group.expansion, task_ids)


def _expansion_problems(expansion: mapping.Expansion, task_ids: set[str]) -> Iterator[str]:
    names = [argument.name for argument in expansion.arguments]
    if not names or len(set(names)) < len(names):
        yield ": an expansion has at least one argument, and each name once"
    if expansion.kind == "kwargs" and names != ["kwargs"]:
        yield ": an expansion of kwargs has one argument, 'kwargs'"
    yield from _missing("expansion", sorted(mapping.upstream_task_ids(expansion)), task_ids)
    total = 1
    for argument in expansion.arguments:
        for part in mapping.literals(argument.source):
            if part.length < 0:
                yield f": a length must be at least 0, not {part.length}"
            total *= max(part.length, 1)
    if total > MAX_LITERAL_LENGTH:
        yield f": it is mapped over more than {MAX_LITERAL_LENGTH} values that are written in the file"


def _graph_problems(dag: SerializedDag) -> Iterator[str]:
    arrows = sum(len(task.downstream_task_ids) for task in dag.tasks)
    if arrows > MAX_ARROWS:
        yield f"it has {arrows} dependencies between tasks; at most {MAX_ARROWS} are read"
        return
    if circle := cycle({task.task_id: task.downstream_task_ids for task in dag.tasks}):
        yield f"its tasks depend on each other in a circle: {' >> '.join(map(_shown, circle))}"
    parents = {group.group_id: [group.parent_group_id] if group.parent_group_id else [] for group in dag.groups}
    if circle := cycle(parents):
        yield f"its groups are in each other in a circle: {', '.join(map(_shown, circle))}"


def _missing(field: str, names: Iterable[str], known: set[str]) -> Iterator[str]:
    for name in names:
        if name not in known:
            yield f": {field} names {_shown(name)}, and the DAG has nothing of that id"


def _shown(text: str) -> str:
    """Returns a refused id for a message: escaped, and cut where it is long."""
    return ascii(text if len(text) <= _SHOWN_CHARS else f"{text[:_SHOWN_CHARS]}…")
